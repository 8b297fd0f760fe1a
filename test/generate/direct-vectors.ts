/** Vectors of the direct way: its signals, and the proofs of both ends (docs/channel.md, section 14). */
import { formatProof, rtcKey } from '../../src/channel/direct/proof.ts'
import { fingerprintOf, parseSignal, readAnswer, readOffer } from '../../src/channel/direct/signal.ts'
import type { ChannelEngine } from '../../src/channel/ratchet/engine.ts'
import { encodeUtf8, formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import { formatCanonicalJson } from '../../src/core/encoding/canonical-json.ts'
import { portableEngine } from '../../src/crypto/portable.ts'

export interface DirectVector {
  readonly kind: 'direct'
  readonly name: string
  readonly section: number
  readonly comment: string
  /** The 192 bytes of the root. */
  readonly root: string
  readonly offerBy: 'host' | 'guest'
  /** The text of each signal, as a control text has it. */
  readonly offer: string
  readonly answer: string
  /** The first message of each end on the data channel; a signal that is refused. */
  readonly expect: { readonly host: string; readonly guest: string } | { readonly refused: 'offer' | 'answer' }
}

/** The results of the code under test for a direct way. */
export function judgeDirect(vector: DirectVector, engine: ChannelEngine): DirectVector['expect'] {
  const [offerMembers, answerMembers] = [vector.offer, vector.answer].map((text) => parseSignal(encodeUtf8(text)))
  const offer = offerMembers ? readOffer(offerMembers) : null
  if (offer === null) return { refused: 'offer' }
  const answer = answerMembers ? readAnswer(answerMembers) : null
  if (answer === null) return { refused: 'answer' }
  const [own, peer] = [fingerprintOf(offer.sdp)!, fingerprintOf(answer.sdp)!]
  const fingerprints = vector.offerBy === 'host' ? { host: own, guest: peer } : { host: peer, guest: own }
  const key = rtcKey(parseHex(vector.root)!.subarray(96))
  const proofBy = (role: 'host' | 'guest'): string => formatHex(formatProof(engine, key, role, fingerprints))
  return { host: proofBy('host'), guest: proofBy('guest') }
}

const ROOT = [0, 1, 2, 3, 4, 5].map((i) => formatHex(sha(`root ${i}`))).join('')
const ID = 'AAECAwQFBgc'
/** One line of a description. */
const FINGERPRINT = (name: string): string => `a=fingerprint:sha-256 ${formatHex(sha(name)).match(/../g)!.join(':')}`

function sha(text: string): Uint8Array {
  return portableEngine.sha256(encodeUtf8(text))
}

function sdp(name: string, ...more: readonly string[]): string {
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel']
  const candidate = 'a=candidate:1 1 UDP 2122317823 192.0.2.1 50000 typ host'
  return [...head, 'c=IN IP4 0.0.0.0', 'a=setup:actpass', FINGERPRINT(name), candidate, ...more, ''].join('\r\n')
}

interface Wishes {
  readonly offerBy?: 'host' | 'guest'
  readonly offer?: Readonly<Record<string, string | number>>
  readonly answer?: Readonly<Record<string, string | number>>
}

function direct(
  name: string,
  comment: string,
  expected: 'proofs' | 'offer' | 'answer',
  wishes: Wishes = {},
): DirectVector {
  const { offerBy = 'guest', offer = {}, answer = {} } = wishes
  const vector = {
    kind: 'direct',
    name,
    section: 14,
    comment,
    root: ROOT,
    offerBy,
    offer: formatCanonicalJson({ at: 1_800_000_000, id: ID, sdp: sdp('offerer'), ...offer }),
    answer: formatCanonicalJson({ id: ID, sdp: sdp('answerer'), ...answer }),
  } as const
  if (expected !== 'proofs') return { ...vector, expect: { refused: expected } }
  return { ...vector, expect: judgeDirect({ ...vector, expect: { refused: 'offer' } }, portableEngine) }
}

/** All vectors of direct ways. */
export function directVectors(): DirectVector[] {
  const lower = sdp('offerer').replace(/(?<=sha-256 ).*/, (digits) => digits.toLowerCase())
  return [
    direct('good', 'The guest offers.', 'proofs'),
    direct('host-offers', 'The host offers: the fingerprints change places in the proof.', 'proofs', {
      offerBy: 'host',
    }),
    direct('lower-case', 'The digits of a fingerprint may be lower-case.', 'proofs', { offer: { sdp: lower } }),
    direct('no-time', 'An offer has a time.', 'offer', { offer: { at: 'now' } }),
    direct('short-id', 'An id has 8 bytes.', 'offer', { offer: { id: 'AAECAwQFBg' } }),
    direct('unknown-member', 'A signal has no other members.', 'answer', { answer: { at: 1_800_000_000 } }),
    direct('no-fingerprint', 'A description has a fingerprint.', 'offer', {
      offer: { sdp: sdp('offerer').replace(FINGERPRINT('offerer'), 'a=x') },
    }),
    direct('two-fingerprints', 'A description has one fingerprint.', 'answer', {
      answer: { sdp: sdp('answerer', FINGERPRINT('other')) },
    }),
    direct('two-media', 'A description has one data channel and no other media.', 'answer', {
      answer: { sdp: sdp('answerer', 'm=audio 9 UDP/TLS/RTP/SAVPF 0') },
    }),
    direct('too-long', 'A description has at most 4096 characters.', 'offer', {
      offer: { sdp: sdp('offerer', `a=${'x'.repeat(4096)}`) },
    }),
  ]
}
