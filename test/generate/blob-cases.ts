/** Cases of the token, the blob and the chain, for the vectors of status messages (docs/format.md, sections 2 to 5). */
import { BLOB_VERSION, resignBlob, signedMessage } from '../../src/core/blob.ts'
import { concatBytes, formatBase64url, parseHex } from '../../src/core/encoding/bytes.ts'
import { LINK_BYTES, type ChainPosition } from '../../src/core/chain.ts'
import type { BlobErrorCode } from '../../src/core/errors.ts'
import { composeStatus, formatToken } from '../../src/core/token.ts'
import { deflate, makeBlob, makePersona, NOW_SEC, type BlobWishes } from '../support/made-persona.ts'
import { fromLittleEndian, inverse, L, littleEndian, mod } from '../unit/core/field-25519.ts'

/** One case. `code` is written by hand; the generator stops if the code under test gives another result. */
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

/** The blob with some bytes replaced and signed again, so that only those bytes are wrong. */
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

// A key with a clear top bit is also a canonical X25519 key.
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
  ['good-epoch-0', 3, null, 'Two devices and two nicknames.', token],
  ['good-no-devices', 3, null, 'n = 0: every device is gone.', formatToken(makeBlob(ada, { seq: 9 }))],
  [
    'good-unnamed',
    11,
    null,
    'Without names, the reader uses the names that it knows, or the fallback.',
    withDevices(0, 1),
  ],
  [
    'good-words-around',
    2,
    null,
    'Words before and after the token. All white space belongs to the words, except one character before the token.',
    `In the  garden ${token}\nback soon`,
  ],
  [
    'good-over-the-limit',
    2,
    null,
    'A text over 1006 bytes is judged too, since the limit is only for writers.',
    `${'é'.repeat(600)} ${token}`,
  ],
  [
    'good-sender-unlisted',
    10,
    null,
    'A valid blob that does not list the device that shows it. It confirms nothing.',
    withDevices(1),
  ],
  [
    'good-fragment-beside-token',
    2,
    null,
    'The prefix with 207 characters is part of the words.',
    `persona:${'A'.repeat(207)} ${token}`,
  ],
  [
    'good-time-far-ahead',
    8,
    null,
    'A time in 2106 is only reported, never refused.',
    formatToken(makeBlob(ada, { ...NAMED, timeSec: 0xffff_ffff })),
  ],
  [
    'good-resigned',
    8,
    null,
    'The same table a week later has another time and signature, but the same T.',
    formatToken(resignBlob(good, NOW_SEC + 604_800, (message) => ada.sign(0, message))),
  ],
  [
    'good-words-first',
    2,
    null,
    'A writer puts words, a space and the token.',
    composeStatus('In the garden', good).text,
  ],
  ['no-token', 2, 'NO_TOKEN', 'Only words.', 'Away from keyboard, be back soon!'],
  ['no-token-short', 2, 'NO_TOKEN', '207 characters after the prefix are words.', `persona:${'A'.repeat(207)}`],
  ['no-token-inside-a-word', 2, 'NO_TOKEN', 'The prefix must begin a word.', `x${token}`],
  ['no-token-no-break-space', 2, 'NO_TOKEN', 'U+00A0 is not white space in the format.', `words\u00a0${token}`],
  ['no-token-other-case', 2, 'NO_TOKEN', 'The prefix must be lower case.', token.replace('persona', 'Persona')],
  [
    'token-damaged',
    2,
    'TOKEN_DAMAGED',
    'A client altered a character, here to "/".',
    token.slice(0, 300) + '/' + token.slice(301),
  ],
  ['token-damaged-comma', 2, 'TOKEN_DAMAGED', 'Words follow the token without a space.', `${token}, hello`],
  ['token-twice', 2, 'TOKEN_TWICE', 'Two good tokens.', `${token} ${token}`],
  ['token-twice-one-damaged', 2, 'TOKEN_TWICE', 'A second token counts even if it is damaged.', `${token} ${token}!`],
  ['token-too-long', 2, 'TOKEN_TOO_LONG', '999 characters after the prefix.', `persona:${'A'.repeat(999)}`],
  [
    'token-cut',
    2,
    'TOKEN_NOT_CANONICAL',
    'A client cut the token, which leaves one character too many.',
    token.slice(0, 8 + 4 * Math.floor((token.length - 8) / 4) - 3),
  ],
  ['token-trailing-bits', 2, 'TOKEN_NOT_CANONICAL', 'Bits are set after the last byte.', trailingBits()],
  ['token-standard-alphabet', 2, 'TOKEN_DAMAGED', '"+" belongs to another alphabet.', token.slice(0, 400) + '+'],
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
    'The shortest blob that decodes has 208 characters and no deflate stream.',
    formatToken(makeBlob(ada, { deflated: new Uint8Array(0) })),
  ],
  [
    'blob-truncated',
    3,
    'BLOB_TRUNCATED',
    'The count is three devices, but the blob ends inside the third.',
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
    'A future version with a good signature.',
    formatToken(patched(NAMED, 0, BLOB_VERSION + 1)),
  ],
  ['blob-version-0', 3, 'BLOB_UNKNOWN_VERSION', 'Version 0 does not exist.', formatToken(patched(NAMED, 0, 0))],
  [
    'blob-sealed',
    3,
    'BLOB_SEALED_UNSUPPORTED',
    'Bit 0 of the flags means a sealed body.',
    formatToken(patched(NAMED, 1, 1)),
  ],
  ['blob-flags', 3, 'BLOB_UNKNOWN_FLAGS', 'Bit 1 of the flags has no meaning yet.', formatToken(patched(NAMED, 1, 2))],
  ['blob-epoch-17', 3, 'BLOB_EPOCH_RANGE', 'A seed has no key of epoch 17.', formatToken(patched(NAMED, 98, 17))],
  ['blob-seq-0', 3, 'BLOB_SEQ_ZERO', 'seq starts at 1.', formatToken(makeBlob(ada, { ...NAMED, seq: 0 }))],
  [
    'blob-21-devices',
    3,
    'BLOB_TOO_MANY_DEVICES',
    'n is over 20, which is checked before the keys.',
    formatToken(patched(NAMED, 155, 21)),
  ],
  [
    'persona-key-small-order',
    3,
    'PERSONA_KEY_INVALID',
    'K_0 is the neutral point, with which one signature fits every message.',
    formatToken(personaKey('01' + '00'.repeat(31))),
  ],
  [
    'persona-key-not-canonical',
    3,
    'PERSONA_KEY_INVALID',
    'K_0 is p + 3, a second encoding of 3.',
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
    'The top bit is set. X25519 ignores it, so this is a second encoding.',
    withDevices(key('09' + '00'.repeat(30) + '80')),
  ],
  [
    'device-key-not-canonical',
    3,
    'DEVICE_KEY_NOT_CANONICAL',
    'p + 9 is a second encoding of 9.',
    withDevices(key('F6' + 'FF'.repeat(30) + '7F')),
  ],
  [
    'device-key-zero',
    3,
    'DEVICE_KEY_LOW_ORDER',
    'A point of low order, with which every shared secret is zero.',
    withDevices(0, key('00'.repeat(32))),
  ],
  [
    'device-key-order-8',
    3,
    'DEVICE_KEY_LOW_ORDER',
    'A point of low order.',
    withDevices(key('E0EB7A7C3B41B8AE1656E3FAF19FC46ADA098DEB9C32B1FD866205165F49B800')),
  ],
  [
    'device-key-twice',
    3,
    'DEVICE_KEY_TWICE',
    'The first and the third device have the same key.',
    withDevices(0, 1, 0),
  ],
  ['device-key-is-persona', 3, 'DEVICE_KEY_IS_SIGNING_KEY', 'K_0 itself is a device key.', selfListed()],
  [
    'device-key-is-image',
    3,
    'DEVICE_KEY_IS_SIGNING_KEY',
    'A device key is the X25519 image of K_0.',
    withDevices(0, imageOf(ada.positions[0]!.personaId)),
  ],
  [
    'device-key-is-image-later',
    3,
    'DEVICE_KEY_IS_SIGNING_KEY',
    'A device key is the X25519 image of K_3.',
    formatToken(makeBlob(ada, { epoch: 3, devices: [imageOf(ada.positions[3]!.signingKey)] })),
  ],
  ['signature-of-other-bytes', 5, 'SIGNATURE_BAD', 'One bit of the table is flipped.', formatToken(flipped(good, 180))],
  [
    'signature-of-other-time',
    5,
    'SIGNATURE_BAD',
    'One bit of the time is flipped. The signature covers the time too.',
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
  ['signature-by-other-epoch', 5, 'SIGNATURE_BAD', 'A thief of an old key signs epoch 1 with K_0.', oldKeySigns()],
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
  ['good-epoch-1', 4, null, 'The first rotation has no h_i yet.', formatToken(makeBlob(ada, { ...NAMED, epoch: 1 }))],
  [
    'good-epoch-5',
    4,
    null,
    'After skipped epochs the blob shows h_1 .. h_4, whether or not those keys were used.',
    formatToken(makeBlob(ada, { ...NAMED, epoch: 5, seq: 65_537 })),
  ],
  ['good-epoch-16', 4, null, 'In the last epoch next is zero.', formatToken(makeBlob(ada, { ...NAMED, epoch: 16 }))],
  ['chain-end-early', 4, 'CHAIN_END', 'next is zero before epoch 16.', withChain(0, { next: new Uint8Array(32) })],
  [
    'chain-end-missed',
    4,
    'CHAIN_END',
    'next is not zero at epoch 16.',
    withChain(16, { next: new Uint8Array(32).fill(7) }),
  ],
  ['chain-key-reused', 4, 'CHAIN_KEY_REUSED', 'K_0 signs epoch 1 too.', reusedKey()],
  [
    'chain-inception-forged',
    4,
    'INCEPTION_BAD',
    'The inception signature has one flipped bit.',
    withChain(1, { inception: flipped(ada.positions[1]!.inception!, 5) }),
  ],
  [
    'chain-inception-of-another',
    4,
    'INCEPTION_BAD',
    'The inception signature belongs to another persona.',
    withChain(1, { inception: STOLEN.inception }),
  ],
  [
    'chain-next-changed',
    4,
    'INCEPTION_BAD',
    'A thief of K_1 commits to their own key, which gives another c_0.',
    withChain(1, { next: STOLEN.next }),
  ],
  ['chain-key-of-another', 4, 'INCEPTION_BAD', 'Epoch 2 uses a key that c_1 does not commit to.', foreignKey()],
  [
    'chain-link-changed',
    4,
    'INCEPTION_BAD',
    'h_1 has one flipped bit in a later epoch.',
    withChain(3, { links: flipped(ada.positions[3]!.links, 0) }),
  ],
  ['chain-epoch-skipped', 4, 'INCEPTION_BAD', 'The key of epoch 2 is used as the key of epoch 1.', skipped()],
  [
    'chain-links-swapped',
    4,
    'INCEPTION_BAD',
    'h_1 and h_2 are in the wrong order.',
    withChain(3, { links: swappedLinks() }),
  ],
  [
    'chain-epoch-repeated',
    4,
    'INCEPTION_BAD',
    'A thief of K_1 raises the epoch and signs epoch 2 with the key of epoch 1.',
    repeated(),
  ],
  [
    'chain-recommit-after-skip',
    4,
    'INCEPTION_BAD',
    'The owner skipped to epoch 5, and a thief of K_5 commits to their own key.',
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
