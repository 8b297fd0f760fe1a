/** Cases of the token, the blob and the chain, from which the vectors of status messages are made (docs/format.md, sections 2 to 5). */
import { BLOB_VERSION, resignBlob, signedMessage } from '../../src/core/blob.ts'
import { concatBytes, formatBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import { LINK_BYTES, type ChainPosition } from '../../src/core/chain.ts'
import type { BlobErrorCode } from '../../src/core/errors.ts'
import { composeStatus, formatToken } from '../../src/core/token.ts'
import { deflate, makeBlob, makePersona, NOW_SEC, type BlobWishes } from '../support/made-persona.ts'
import { fromLittleEndian, inverse, L, littleEndian, mod } from '../unit/core/field-25519.ts'

/** One case; `code` is stated by hand, and the generator refuses to write what the code under test judges otherwise. */
export type StatusCase = readonly [
  name: string,
  section: number,
  code: BlobErrorCode | null,
  comment: string,
  text: string,
]

const ada = makePersona(1)
const NAMED: BlobWishes = { devices: [0, 1], document: [['names', ['laptop', 'phone']]] }
const STOLEN = makePersona(2).positions[1]!

/** The blob with some bytes replaced and the signature made again, so that nothing but those bytes is wrong. */
function patched(wishes: BlobWishes, at: number, ...bytes: readonly number[]): Uint8Array {
  const blob = makeBlob(ada, wishes)
  blob.set(bytes, at)
  blob.set(ada.sign(wishes.epoch ?? 0, signedMessage(blob)), 34)
  return blob
}

function withChain(epoch: number, chain: Partial<ChainPosition>): string {
  return formatToken(makeBlob(ada, { ...NAMED, epoch, chain }))
}

function withDevices(...devices: readonly (number | Uint8Array)[]): string {
  return formatToken(makeBlob(ada, { devices }))
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.with(at, bytes[at]! ^ 1)
}

/** u = (1 + y) / (1 - y), the X25519 key with the same secret. */
function imageOf(signingKey: Uint8Array): Uint8Array {
  const y = BigInt.asUintN(255, fromLittleEndian(signingKey))
  return littleEndian(mod((1n + y) * inverse(1n - y)))
}

// A key of which the top bit is clear, so that it is a canonical X25519 key as well.
function personaWithPlainKey(): ReturnType<typeof makePersona> {
  for (let number = 10; ; number++) {
    const persona = makePersona(number)
    if (persona.positions[0]!.personaId[31]! < 0x80) return persona
  }
}

function selfListed(): string {
  const persona = personaWithPlainKey()
  return formatToken(makeBlob(persona, { devices: [persona.positions[0]!.personaId] }))
}

function malleable(): string {
  const blob = makeBlob(ada, NAMED)
  blob.set(littleEndian(fromLittleEndian(blob.subarray(66, 98)) + L), 66)
  return formatToken(blob)
}

const good = makeBlob(ada, NAMED)
const token = formatToken(good)

export const TOKEN_CASES: readonly StatusCase[] = [
  ['good-epoch-0', 3, null, 'Two devices, two nicknames, nothing else.', token],
  ['good-no-devices', 3, null, 'n = 0: every device is gone.', formatToken(makeBlob(ada, { seq: 9 }))],
  ['good-unnamed', 11, null, 'Without names the reader uses those it knows, or the fallback.', withDevices(0, 1)],
  [
    'good-words-around',
    2,
    null,
    'Own words before and behind; every white space but one beside the token is theirs.',
    `In the  garden ${token}\nback soon`,
  ],
  [
    'good-over-the-limit',
    2,
    null,
    'A text over 1006 bytes is judged all the same: the limit binds the writer.',
    `${'é'.repeat(600)} ${token}`,
  ],
  [
    'good-sender-unlisted',
    10,
    null,
    'A valid blob that does not list the device that shows it: it binds nothing.',
    withDevices(1),
  ],
  [
    'good-fragment-beside-token',
    2,
    null,
    'A word of the prefix and 207 characters is a word.',
    `persona:${'A'.repeat(207)} ${token}`,
  ],
  [
    'good-time-far-ahead',
    8,
    null,
    'time is 2106: never refused, only reported.',
    formatToken(makeBlob(ada, { ...NAMED, timeSec: 0xffff_ffff })),
  ],
  [
    'good-resigned',
    8,
    null,
    'The same table a week later: another time and signature, the same T.',
    formatToken(resignBlob(good, NOW_SEC + 604_800, (message) => ada.sign(0, message))),
  ],
  [
    'good-words-first',
    2,
    null,
    'As a writer composes it: words, a space, the token.',
    composeStatus('In the garden', good).text,
  ],
  ['no-token', 2, 'NO_TOKEN', 'Words only.', 'Away from keyboard, be back soon!'],
  ['no-token-short', 2, 'NO_TOKEN', '207 characters behind the prefix are words.', `persona:${'A'.repeat(207)}`],
  ['no-token-inside-a-word', 2, 'NO_TOKEN', 'The prefix must begin a word.', `x${token}`],
  ['no-token-no-break-space', 2, 'NO_TOKEN', 'U+00A0 is no white space of the format.', `words\u00a0${token}`],
  ['no-token-other-case', 2, 'NO_TOKEN', 'The prefix is lower case.', token.replace('persona', 'Persona')],
  [
    'token-damaged',
    2,
    'TOKEN_DAMAGED',
    'A client replaced a character by a space in standard base64; here one by "/".',
    token.slice(0, 300) + '/' + token.slice(301),
  ],
  ['token-damaged-comma', 2, 'TOKEN_DAMAGED', 'Words touch the token.', `${token}, hello`],
  ['token-twice', 2, 'TOKEN_TWICE', 'Two tokens, both good.', `${token} ${token}`],
  [
    'token-twice-one-damaged',
    2,
    'TOKEN_TWICE',
    'The second one is damaged, which does not make it words.',
    `${token} ${token}!`,
  ],
  ['token-too-long', 2, 'TOKEN_TOO_LONG', '999 characters behind the prefix.', `persona:${'A'.repeat(999)}`],
  [
    'token-cut',
    2,
    'TOKEN_NOT_CANONICAL',
    'Cut by a client so that one character is left over.',
    token.slice(0, 8 + 4 * Math.floor((token.length - 8) / 4) - 3),
  ],
  ['token-trailing-bits', 2, 'TOKEN_NOT_CANONICAL', 'Bits are set behind the last byte.', trailingBits()],
  ['token-standard-alphabet', 2, 'TOKEN_DAMAGED', '"+" is of another alphabet.', token.slice(0, 400) + '+'],
]

function trailingBits(): string {
  const encoded = formatBase64url(makeBlob(ada, { ...NAMED, deflated: new Uint8Array(deflate('').length + 2) }))
  const tail = encoded.length % 4
  if (tail === 0) throw new Error('the blob must not be a multiple of 3 bytes')
  const last = encoded.at(-1)!
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return `persona:${encoded.slice(0, -1)}${alphabet[alphabet.indexOf(last) + 1]}`
}

export const BLOB_CASES: readonly StatusCase[] = [
  [
    'blob-without-body',
    3,
    'DEFLATE_INVALID',
    'The shortest blob that decodes: 208 characters, no deflate stream.',
    formatToken(makeBlob(ada, { deflated: new Uint8Array(0) })),
  ],
  [
    'blob-truncated',
    3,
    'BLOB_TRUNCATED',
    'It says three devices and ends in the third.',
    formatToken(patched(NAMED, 155, 3).subarray(0, 240)),
  ],
  [
    'blob-truncated-chain',
    3,
    'BLOB_TRUNCATED',
    'Epoch 5, cut in the chain.',
    formatToken(makeBlob(ada, { epoch: 5 }).subarray(0, 200)),
  ],
  [
    'blob-version-2',
    3,
    'BLOB_UNKNOWN_VERSION',
    'A version of the future, well signed.',
    formatToken(patched(NAMED, 0, BLOB_VERSION + 1)),
  ],
  ['blob-version-0', 3, 'BLOB_UNKNOWN_VERSION', 'No version at all.', formatToken(patched(NAMED, 0, 0))],
  [
    'blob-sealed',
    3,
    'BLOB_SEALED_UNSUPPORTED',
    'Bit 0 of the flags: a sealed body.',
    formatToken(patched(NAMED, 1, 1)),
  ],
  ['blob-flags', 3, 'BLOB_UNKNOWN_FLAGS', 'Bit 1 of the flags means nothing yet.', formatToken(patched(NAMED, 1, 2))],
  ['blob-epoch-17', 3, 'BLOB_EPOCH_RANGE', 'No seed gives a key of epoch 17.', formatToken(patched(NAMED, 98, 17))],
  ['blob-seq-0', 3, 'BLOB_SEQ_ZERO', 'seq counts from 1.', formatToken(makeBlob(ada, { ...NAMED, seq: 0 }))],
  [
    'blob-21-devices',
    3,
    'BLOB_TOO_MANY_DEVICES',
    'n is over 20; judged before the keys are read.',
    formatToken(patched(NAMED, 155, 21)),
  ],
  [
    'persona-key-small-order',
    3,
    'PERSONA_KEY_INVALID',
    'K_0 is the neutral point: one signature fits every message.',
    formatToken(personaKey('01' + '00'.repeat(31))),
  ],
  [
    'persona-key-not-canonical',
    3,
    'PERSONA_KEY_INVALID',
    'K_0 is p + 3, a second spelling of 3.',
    formatToken(personaKey('F0' + 'FF'.repeat(30) + '7F')),
  ],
  [
    'persona-key-small-order-later',
    4,
    'PERSONA_KEY_INVALID',
    'K_2 is of order 8.',
    withChain(2, { signingKey: parseHex('26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC05')! }),
  ],
  [
    'device-key-top-bit',
    3,
    'DEVICE_KEY_NOT_CANONICAL',
    'The top bit is set, which X25519 ignores: a second spelling.',
    withDevices(key('09' + '00'.repeat(30) + '80')),
  ],
  [
    'device-key-not-canonical',
    3,
    'DEVICE_KEY_NOT_CANONICAL',
    'p + 9, a second spelling of 9.',
    withDevices(key('F6' + 'FF'.repeat(30) + '7F')),
  ],
  [
    'device-key-zero',
    3,
    'DEVICE_KEY_LOW_ORDER',
    'Low order: every shared secret with it is zero.',
    withDevices(0, key('00'.repeat(32))),
  ],
  [
    'device-key-order-8',
    3,
    'DEVICE_KEY_LOW_ORDER',
    'Low order.',
    withDevices(key('E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800')),
  ],
  ['device-key-twice', 3, 'DEVICE_KEY_TWICE', 'The first and the third device are one.', withDevices(0, 1, 0)],
  ['device-key-is-persona', 3, 'DEVICE_KEY_IS_SIGNING_KEY', 'K_0 itself as a device key.', selfListed()],
  [
    'device-key-is-image',
    3,
    'DEVICE_KEY_IS_SIGNING_KEY',
    'The X25519 image of K_0.',
    withDevices(0, imageOf(ada.positions[0]!.personaId)),
  ],
  [
    'device-key-is-image-later',
    3,
    'DEVICE_KEY_IS_SIGNING_KEY',
    'The X25519 image of K_3.',
    formatToken(makeBlob(ada, { epoch: 3, devices: [imageOf(ada.positions[3]!.signingKey)] })),
  ],
  ['signature-of-other-bytes', 5, 'SIGNATURE_BAD', 'One bit of the table is flipped.', formatToken(flipped(good, 180))],
  [
    'signature-of-other-time',
    5,
    'SIGNATURE_BAD',
    'One bit of time is flipped: time is signed too.',
    formatToken(flipped(good, 106)),
  ],
  ['signature-s-plus-l', 5, 'SIGNATURE_BAD', 'S + L verifies in lenient engines.', malleable()],
  [
    'signature-r-small-order',
    5,
    'SIGNATURE_BAD',
    'R is of order 4.',
    formatToken(concatBytes(good.subarray(0, 34), new Uint8Array(32), good.subarray(66))),
  ],
  ['signature-by-other-epoch', 5, 'SIGNATURE_BAD', 'Epoch 1, signed by K_0: a thief of an old key.', oldKeySigns()],
]

function key(hex: string): Uint8Array {
  return parseHex(hex)!
}

function personaKey(hex: string): Uint8Array {
  return makeBlob(ada, { ...NAMED, chain: { personaId: key(hex), signingKey: key(hex) } })
}

function oldKeySigns(): string {
  const blob = makeBlob(ada, { ...NAMED, epoch: 1 })
  blob.set(ada.sign(0, signedMessage(blob)), 34)
  return formatToken(blob)
}

export const CHAIN_CASES: readonly StatusCase[] = [
  ['good-epoch-1', 4, null, 'The first rotation: no h_i yet.', formatToken(makeBlob(ada, { ...NAMED, epoch: 1 }))],
  [
    'good-epoch-5',
    4,
    null,
    'Skipped epochs: the blob shows h_1 .. h_4 whether or not those keys were used.',
    formatToken(makeBlob(ada, { ...NAMED, epoch: 5, seq: 65_537 })),
  ],
  ['good-epoch-16', 4, null, 'The last epoch: next is zero.', formatToken(makeBlob(ada, { ...NAMED, epoch: 16 }))],
  ['chain-end-early', 4, 'CHAIN_END', 'next is zero before epoch 16.', withChain(0, { next: new Uint8Array(32) })],
  [
    'chain-end-missed',
    4,
    'CHAIN_END',
    'next is not zero at epoch 16.',
    withChain(16, { next: new Uint8Array(32).fill(7) }),
  ],
  ['chain-key-reused', 4, 'CHAIN_KEY_REUSED', 'Epoch 1 is signed by K_0 again.', reusedKey()],
  [
    'chain-inception-forged',
    4,
    'INCEPTION_BAD',
    'The inception signature is one bit off.',
    withChain(1, { inception: flipped(ada.positions[1]!.inception!, 5) }),
  ],
  [
    'chain-inception-of-another',
    4,
    'INCEPTION_BAD',
    'The inception signature of another persona.',
    withChain(1, { inception: STOLEN.inception }),
  ],
  [
    'chain-next-changed',
    4,
    'INCEPTION_BAD',
    'A thief of K_1 commits to a key of his own: c_0 comes out different.',
    withChain(1, { next: STOLEN.next }),
  ],
  ['chain-key-of-another', 4, 'INCEPTION_BAD', 'Epoch 2 under a key that c_1 does not commit to.', foreignKey()],
  [
    'chain-link-changed',
    4,
    'INCEPTION_BAD',
    'h_1 of a later epoch is one bit off.',
    withChain(3, { links: flipped(ada.positions[3]!.links, 0) }),
  ],
  ['chain-epoch-skipped', 4, 'INCEPTION_BAD', 'The key of epoch 2 presented as that of epoch 1.', skipped()],
  [
    'chain-links-swapped',
    4,
    'INCEPTION_BAD',
    'h_1 and h_2 in the wrong order.',
    withChain(3, { links: swappedLinks() }),
  ],
  [
    'chain-epoch-repeated',
    4,
    'INCEPTION_BAD',
    'A thief of K_1 counts the epoch up, and signs epoch 2 by the key of epoch 1.',
    repeated(),
  ],
  [
    'chain-recommit-after-skip',
    4,
    'INCEPTION_BAD',
    'The owner skipped to epoch 5; a thief of K_5 commits to a key of his own.',
    withChain(5, { next: STOLEN.next }),
  ],
]

function swappedLinks(): Uint8Array {
  const { links } = ada.positions[3]!
  return concatBytes(links.subarray(LINK_BYTES), links.subarray(0, LINK_BYTES))
}

function repeated(): string {
  const { signingKey, next } = ada.positions[1]!
  const blob = makeBlob(ada, { ...NAMED, epoch: 2, chain: { signingKey, next } })
  blob.set(ada.sign(1, signedMessage(blob)), 34)
  return formatToken(blob)
}

function reusedKey(): string {
  const blob = makeBlob(ada, { ...NAMED, epoch: 1, chain: { signingKey: ada.positions[0]!.personaId } })
  blob.set(ada.sign(0, signedMessage(blob)), 34)
  return formatToken(blob)
}

function foreignKey(): string {
  const thief = makePersona(2)
  const blob = makeBlob(ada, { ...NAMED, epoch: 2, chain: { signingKey: thief.positions[2]!.signingKey } })
  blob.set(thief.sign(2, signedMessage(blob)), 34)
  return formatToken(blob)
}

function skipped(): string {
  const { signingKey, next } = ada.positions[2]!
  const blob = makeBlob(ada, { ...NAMED, epoch: 1, chain: { signingKey, next } })
  blob.set(ada.sign(2, signedMessage(blob)), 34)
  return formatToken(blob)
}
