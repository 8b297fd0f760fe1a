import { describe, expect, it } from 'vitest'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { decodeUtf8, encodeUtf8, parseHex } from '../../../src/core/encoding/bytes.ts'
import { derivePsk } from '../../../src/pairing/code.ts'
import {
  isOlderOffer,
  makeOffer,
  MAX_GREETING_BYTES,
  receiveOffer,
  type Carrier,
  type HandshakeResult,
  type Offer,
} from '../../../src/pairing/handshake.ts'
import { MAX_MESSAGE_BYTES, MAX_NOISE_BYTES } from '../../../src/pairing/session.ts'
import { codeThrownBy } from '../../support/failing.ts'
import * as oracle from '../../support/noise-oracle.ts'
import { engine, seedOf } from '../../support/person.ts'

const CODE = seedOf('a code').slice(0, 16)
const PSK = derivePsk(CODE, engine)
const WRONG_PSK = derivePsk(seedOf('another code').slice(0, 16), engine)
const HELLO = encodeUtf8('from the old device')
const THERE = encodeUtf8('from the new device')
const NONE = new Uint8Array(0)

/** Points of order 1, 2, 4 and 8 and their other encodings: multiplying any of them gives zero. */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000080',
]

interface Meeting {
  readonly offer: Offer
  readonly old: HandshakeResult
  readonly joined: HandshakeResult
  readonly legs: readonly [Uint8Array, Uint8Array]
}

function meet(carrier: Carrier = 'connection'): Meeting {
  const offer = makeOffer(PSK, carrier, HELLO)
  const joined = receiveOffer(PSK, carrier, offer.message).answer(THERE)
  return { offer, old: offer.receiveAnswer(joined.message), joined, legs: [offer.message, joined.message] }
}

/** The error code with which the offering device refuses an answer. */
function refusalOf(answer: (offer: Offer) => Uint8Array): string {
  const offer = makeOffer(PSK, 'connection', HELLO)
  return codeThrownBy(() => offer.receiveAnswer(answer(offer)))
}

function bitsOf(words: readonly string[]): string {
  return words.map((word) => wordlist.indexOf(word).toString(2).padStart(11, '0')).join('')
}

function firstBits(compared: Uint8Array): string {
  const bits = [...compared].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  return bits.slice(0, 66)
}

describe('two devices with one code', () => {
  it('greet each other and show the same six words, different each time', () => {
    const [one, two] = [meet(), meet()]
    expect(decodeUtf8(one.joined.greeting)).toBe('from the old device')
    expect(decodeUtf8(one.old.greeting)).toBe('from the new device')
    expect(one.old.session.words).toEqual(one.joined.session.words)
    expect(one.old.session.words).toHaveLength(6)
    expect(one.old.session.words).not.toEqual(two.old.session.words)
  })

  it('understand a second implementation of docs/pairing.md, in both directions', () => {
    for (const [carrier, byte] of [
      ['connection', 1],
      ['files', 2],
    ] as const) {
      const offer = makeOffer(PSK, carrier, HELLO)
      const answer = oracle.answerOffer(CODE, byte, offer.message, THERE)
      expect(decodeUtf8(answer.greeting)).toBe('from the old device')
      const { greeting, session } = offer.receiveAnswer(answer.message)
      expect(decodeUtf8(greeting)).toBe('from the new device')
      expect(bitsOf(session.words)).toBe(firstBits(answer.compared))
      for (const count of [0, 1, 2]) {
        expect(oracle.open(answer.fromOffer, count, NONE, session.seal(HELLO))).toEqual(Buffer.from(HELLO))
        // The greeting was the first message in this direction.
        expect(session.open(oracle.seal(answer.fromJoin, count + 1, NONE, THERE))).toEqual(Buffer.from(THERE))
      }
    }
  })

  it('show the same words whatever the greeting of the answer says, so nobody can search for a greeting', () => {
    const offer = makeOffer(PSK, 'connection', HELLO)
    const { message, fromJoin, compared } = oracle.answerOffer(CODE, 1, offer.message, THERE)
    const padded = oracle.seal(fromJoin, 0, NONE, encodeUtf8('from the new device \t'))
    const { greeting, session } = offer.receiveAnswer(Buffer.concat([message.subarray(0, 48), padded]))
    expect(decodeUtf8(greeting)).toBe('from the new device \t')
    expect(bitsOf(session.words)).toBe(firstBits(compared))
  })

  it('leave their input unchanged, so that a caller can still write it to a file', () => {
    const offer = makeOffer(PSK, 'files', HELLO)
    const sent = Uint8Array.from(offer.message)
    const answer = receiveOffer(PSK, 'files', offer.message).answer(THERE)
    const answered = Uint8Array.from(answer.message)
    offer.receiveAnswer(answer.message)
    expect([offer.message, answer.message].map((leg) => Buffer.from(leg))).toEqual(
      [sent, answered].map((leg) => Buffer.from(leg)),
    )
  })
})

describe('a handshake message is refused', () => {
  it('when the codes differ, on either side', () => {
    const offer = makeOffer(PSK, 'connection', HELLO)
    expect(codeThrownBy(() => receiveOffer(WRONG_PSK, 'connection', offer.message))).toBe('PAIRING_HANDSHAKE')
    const other = receiveOffer(WRONG_PSK, 'connection', makeOffer(WRONG_PSK, 'connection', HELLO).message)
    expect(refusalOf(() => other.answer(THERE).message)).toBe('PAIRING_HANDSHAKE')
  })

  it('when it was made for the other carrier', () => {
    const offer = makeOffer(PSK, 'connection', HELLO)
    expect(codeThrownBy(() => receiveOffer(PSK, 'files', offer.message))).toBe('PAIRING_HANDSHAKE')
  })

  it('when any of its bits was altered', () => {
    const { message } = makeOffer(PSK, 'connection', NONE)
    let ran = 0
    for (let bit = 0; bit < message.length * 8; bit++) {
      const altered = Uint8Array.from(message)
      altered[bit >> 3]! ^= 1 << (bit & 7)
      expect(codeThrownBy(() => receiveOffer(PSK, 'connection', altered))).toBe('PAIRING_HANDSHAKE')
      ran++
    }
    expect(ran).toBe(48 * 8)
    let answered = 0
    for (let at = 0; at < 64; at++) {
      const flip = (offer: Offer): Uint8Array => {
        const answer = receiveOffer(PSK, 'connection', offer.message).answer(NONE).message
        answer[at]! ^= 0x40
        return answer
      }
      expect(refusalOf(flip)).toBe('PAIRING_HANDSHAKE')
      answered++
    }
    expect(answered).toBe(64)
  })

  it('when it is cut, empty or longer than the longest greeting allows', () => {
    const { message } = makeOffer(PSK, 'connection', HELLO)
    for (const length of [0, 1, 31, 32, 47, 48, message.length - 1]) {
      const cut = message.subarray(0, length)
      expect(codeThrownBy(() => receiveOffer(PSK, 'connection', cut))).toBe('PAIRING_HANDSHAKE')
      expect(refusalOf(() => cut)).toBe('PAIRING_HANDSHAKE')
    }
    const long = makeOffer(PSK, 'connection', new Uint8Array(MAX_GREETING_BYTES))
    expect(codeThrownBy(() => receiveOffer(PSK, 'connection', long.message))).toBe('nothing')
    const longer = makeOffer(PSK, 'connection', new Uint8Array(MAX_GREETING_BYTES + 1))
    expect(codeThrownBy(() => receiveOffer(PSK, 'connection', longer.message))).toBe('PAIRING_HANDSHAKE')
  })

  it('when the greeting of the answer is cut or longer than the longest', () => {
    for (const bytes of [0, MAX_GREETING_BYTES, MAX_GREETING_BYTES + 1]) {
      const answer = (offer: Offer): Uint8Array =>
        receiveOffer(PSK, 'connection', offer.message).answer(new Uint8Array(bytes)).message
      expect(refusalOf(answer)).toBe(bytes > MAX_GREETING_BYTES ? 'PAIRING_HANDSHAKE' : 'nothing')
      expect(refusalOf((offer) => answer(offer).subarray(0, -1))).toBe('PAIRING_HANDSHAKE')
    }
  })

  it('when it is of version 1, whose words a greeting could choose', () => {
    const { message } = oracle.offerOfVersion1(CODE, 1, HELLO)
    expect(codeThrownBy(() => receiveOffer(PSK, 'connection', message))).toBe('PAIRING_HANDSHAKE')
    expect(isOlderOffer(PSK, 'connection', message)).toBe(true)
    expect(isOlderOffer(WRONG_PSK, 'connection', message)).toBe(false)
    expect(isOlderOffer(PSK, 'files', message)).toBe(false)
    expect(isOlderOffer(PSK, 'connection', makeOffer(PSK, 'connection', HELLO).message)).toBe(false)
    expect(isOlderOffer(PSK, 'connection', message.subarray(0, 20))).toBe(false)
  })

  it('when it is our own sent back, or from an earlier handshake', () => {
    expect(refusalOf((offer) => offer.message)).toBe('PAIRING_HANDSHAKE')
    const { legs } = meet()
    expect(refusalOf(() => legs[1])).toBe('PAIRING_HANDSHAKE')
    const again = makeOffer(PSK, 'connection', HELLO)
    const other = receiveOffer(PSK, 'connection', makeOffer(PSK, 'connection', HELLO).message)
    expect(codeThrownBy(() => again.receiveAnswer(other.answer(THERE).message))).toBe('PAIRING_HANDSHAKE')
  })

  it('when its point has a small order, even from a sender who has the code', () => {
    let ran = 0
    for (const point of LOW_ORDER) {
      const answer = (offer: Offer): Uint8Array =>
        oracle.answerOffer(CODE, 1, offer.message, THERE, parseHex(point)!).message
      expect(refusalOf(answer)).toBe('PAIRING_HANDSHAKE')
      ran++
    }
    expect(ran).toBe(8)
  })

  it('when its offer was already answered', () => {
    const offer = makeOffer(PSK, 'connection', HELLO)
    const answer = receiveOffer(PSK, 'connection', offer.message).answer(THERE).message
    const altered = Uint8Array.from(answer)
    altered[0]! ^= 1
    expect(codeThrownBy(() => offer.receiveAnswer(altered))).toBe('PAIRING_HANDSHAKE')
    expect(codeThrownBy(() => offer.receiveAnswer(answer))).toBe('PAIRING_HANDSHAKE')
  })
})

describe('a message after the handshake', () => {
  it('arrives in both directions, from empty to the longest that fits', () => {
    const { old, joined } = meet()
    for (const length of [0, 1, MAX_MESSAGE_BYTES]) {
      const message = new Uint8Array(length).fill(7)
      expect(joined.session.open(old.session.seal(message))).toEqual(Buffer.from(message))
      expect(old.session.open(joined.session.seal(message))).toEqual(Buffer.from(message))
    }
    const tooLong = new Uint8Array(MAX_MESSAGE_BYTES + 1)
    expect(codeThrownBy(() => old.session.seal(tooLong))).toBe('PAIRING_TOO_LARGE')
  })

  it.each<[string, (old: HandshakeResult, joined: HandshakeResult) => Uint8Array]>([
    ['is altered', (old) => old.session.seal(HELLO).map((byte, at) => (at === 3 ? byte ^ 1 : byte))],
    ['is cut', (old) => old.session.seal(HELLO).subarray(1)],
    ['is shorter than a tag', () => new Uint8Array(15)],
    ['is longer than any', () => new Uint8Array(MAX_NOISE_BYTES + 1)],
    ['follows a missing one', (old) => (old.session.seal(HELLO), old.session.seal(HELLO))],
    ['is our own sent back', (_, joined) => joined.session.seal(HELLO)],
    ['is from another handshake', () => meet().old.session.seal(HELLO)],
  ])('is refused when it %s, as is every later message', (_, make) => {
    const { old, joined } = meet()
    expect(codeThrownBy(() => joined.session.open(make(old, joined)))).toBe('PAIRING_MESSAGE')
    expect(codeThrownBy(() => joined.session.open(old.session.seal(HELLO)))).toBe('PAIRING_MESSAGE')
    expect(codeThrownBy(() => joined.session.seal(HELLO))).toBe('PAIRING_MESSAGE')
  })

  it('is refused when repeated', () => {
    const { old, joined } = meet()
    const sealed = old.session.seal(HELLO)
    expect(joined.session.open(sealed)).toEqual(Buffer.from(HELLO))
    expect(codeThrownBy(() => joined.session.open(sealed))).toBe('PAIRING_MESSAGE')
  })

  it('is refused after the last one a pairing may move, so that no nonce repeats', () => {
    const { old } = meet()
    for (let i = 0; i < 16_384; i++) old.session.seal(NONE)
    expect(codeThrownBy(() => old.session.seal(NONE))).toBe('PAIRING_TOO_LARGE')
  })
})
