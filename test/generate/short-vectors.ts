/** Vectors of short statuses: texts as a reader takes them, and the blobs that they name (docs/announce.md, section 10). */
import { formatShort, isNamedBy, parseShort, shortOf } from '../../src/core/announce/short.ts'
import { readingKey } from '../../src/core/announce/place.ts'
import { formatRead } from '../../src/core/announce/settings.ts'
import { concatBytes, formatBase64url, formatHex, parseBase64url } from '../../src/core/encoding/bytes.ts'
import type { Engine } from '../../src/core/engine.ts'
import { LABEL_SHORT } from '../../src/core/labels.ts'
import { formatToken, parseStatus } from '../../src/core/token.ts'
import type { VerifiedBlob } from '../../src/core/verify.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { announcedBlob, READ } from '../support/announced.ts'
import { makePersona, verified } from '../support/made-persona.ts'

export interface ShortVector {
  readonly kind: 'short'
  readonly name: string
  readonly section: 10
  readonly comment: string
  readonly text: string
  /** A blob of which the reader asks whether the short status names its persona; null for none. */
  readonly blob: string | null
  readonly expect:
    | { readonly short: null }
    | {
        readonly short: { readonly signingKey: string; readonly readingKey: string }
        readonly words: string
        /** null without a blob. */
        readonly names: boolean | null
      }
}

/** The verdict of the code under test. */
export function judgeShort({ text, blob }: Pick<ShortVector, 'text' | 'blob'>, engine: Engine): ShortVector['expect'] {
  const content = parseStatus(text)
  const short = content.kind === 'none' && content.short !== null ? parseShort(content.short, engine) : null
  if (short === null) return { short: null }
  return {
    short: { signingKey: formatHex(short.signingKey), readingKey: formatHex(short.readingKey) },
    words: content.words,
    names: blob === null ? null : isNamedBy(short, verified(parseBase64url(blob)!), engine),
  }
}

const ada = makePersona(1)
const TABLE = announcedBlob(ada)
const ONE_DEVICE = { devices: [0], document: `read: ${formatRead(READ)}` }
const LATER = announcedBlob(ada, { ...ONE_DEVICE, epoch: 3 })
const REREAD = announcedBlob(ada, { seq: 2, document: 'read: AAAAAAAAAAAAAAAAAAAAAQ' })
const UNREAD = announcedBlob(ada, { document: 'announce: contacts' })
const UNREADABLE = announcedBlob(ada, { seq: 2, document: '!x' })
const OTHER_CHAIN = announcedBlob(ada, { chain: { next: new Uint8Array(32).fill(9) } })

const textOf = (blob: VerifiedBlob): string => formatShort(shortOf(blob, portableEngine)!, portableEngine)
/** The same persona by another of its keys. */
const byKey = (epoch: number): string =>
  formatShort({ ...shortOf(TABLE, portableEngine)!, signingKey: ada.positions[epoch]!.signingKey }, portableEngine)
const withKey = (key: Uint8Array): string => {
  const plain = concatBytes(key, shortOf(TABLE, portableEngine)!.readingKey)
  return `persona:${formatBase64url(concatBytes(plain, portableEngine.sha512(LABEL_SHORT, plain).slice(0, 4)))}`
}
const SHORT = textOf(TABLE)
const OTHER = textOf(LATER)
const last = SHORT.at(-1)!
/** The next character of the alphabet: it has a bit set after the last byte. */
const TRAILING = SHORT.slice(0, -1) + String.fromCharCode(last.charCodeAt(0) + 1)
const CHECK = SHORT.slice(0, -4) + (SHORT.at(-4) === 'A' ? 'B' : 'A') + SHORT.slice(-3)

type Good = readonly [
  name: string,
  comment: string,
  text: string,
  words: string,
  of: VerifiedBlob,
  blob: VerifiedBlob | null,
  names: boolean | null,
]
const GOOD: readonly Good[] = [
  ['good', 'A short status alone.', SHORT, '', TABLE, TABLE, true],
  ['good-words', 'The own words stand before it.', `at home ${SHORT}`, 'at home', TABLE, null, null],
  ['good-white-space', 'White space may follow.', `at home\t${SHORT}\r\n`, 'at home', TABLE, null, null],
  [
    'good-fragment-before',
    'A fragment of something else is a word.',
    `persona:x ${SHORT}`,
    'persona:x',
    TABLE,
    null,
    null,
  ],
  ['good-no-read', 'A table without `read`: r is made with zeros.', textOf(UNREAD), '', UNREAD, UNREAD, true],
  ['good-epoch-3', 'The key of epoch 3.', textOf(LATER), '', LATER, LATER, true],
  [
    'good-newer-table',
    'Every table of the key is named, whatever its seq.',
    SHORT,
    '',
    TABLE,
    announcedBlob(ada, { ...ONE_DEVICE, seq: 9 }),
    true,
  ],
]
const NAMED: readonly (readonly [name: string, comment: string, epoch: number, blob: VerifiedBlob, names: boolean])[] =
  [
    ['names-first-key', 'K_0 is the PersonaID, so a blob of epoch 3 shows that it is of the chain.', 0, LATER, true],
    ['names-link', 'A blob of epoch 3 has h_2, the hash of K_2.', 2, LATER, true],
    ['names-later-key', 'A blob of epoch 0 does not show K_1.', 1, TABLE, false],
    ['names-key-beyond', 'A blob of epoch 3 does not show K_4.', 4, LATER, false],
    ['names-other-read', 'The same key, and another `read`.', 0, REREAD, false],
    ['names-other-chain', 'The same key and `read`, and another c_0.', 0, OTHER_CHAIN, false],
    ['names-unreadable', 'A blob whose document cannot be read gives no r.', 0, UNREADABLE, false],
  ]
const REFUSED: readonly (readonly [name: string, comment: string, text: string])[] = [
  ['beside-token', 'Beside a token it is a word.', `${SHORT} ${formatToken(TABLE.bytes)}`],
  ['twice', 'Two of them: none counts.', `${SHORT} ${SHORT}`],
  ['twice-others', 'Two different ones: none counts.', `${OTHER} ${SHORT}`],
  ['not-last', 'Before the last word it may be a quote.', `${SHORT} I copied this`],
  ['inside-a-word', 'It does not begin a word.', `x${SHORT}`],
  ['upper-case', 'The prefix is in lower case.', SHORT.replace('persona', 'PERSONA')],
  ['cut', '90 characters.', SHORT.slice(0, -1)],
  ['too-long', '92 characters.', `${SHORT}A`],
  ['other-character', 'The word goes on with a character that is not base64url.', `${SHORT},`],
  ['standard-alphabet', 'A character of the other alphabet in the middle.', SHORT.replace(/^(.{40})./, '$1+')],
  ['trailing-bits', 'The last character has a bit set after the last byte.', TRAILING],
  ['check', 'The check does not fit.', CHECK],
  ['key-small-order', 'The key is the neutral element.', withKey(new Uint8Array(32).fill(1, 0, 1))],
  [
    'key-not-canonical',
    'The key is y = 2^255 - 18.',
    withKey(Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f)),
  ],
]

export function shortVectors(): ShortVector[] {
  const vector = (
    name: string,
    comment: string,
    text: string,
    blob: VerifiedBlob | null,
    expect: ShortVector['expect'],
  ): ShortVector => {
    return {
      kind: 'short',
      name,
      section: 10,
      comment,
      text,
      blob: blob === null ? null : formatBase64url(blob.bytes),
      expect,
    }
  }
  const short = (
    { root, signingKey }: VerifiedBlob,
    read: Uint8Array | null = READ,
  ): { signingKey: string; readingKey: string } => {
    return { signingKey: formatHex(signingKey), readingKey: formatHex(readingKey(root, read, portableEngine)) }
  }
  return [
    ...GOOD.map(([name, comment, text, words, of, blob, names]) =>
      vector(name, comment, text, blob, { short: short(of, of === UNREAD ? null : READ), words, names }),
    ),
    ...NAMED.map(([name, comment, epoch, blob, names]) => {
      const signingKey = formatHex(ada.positions[epoch]!.signingKey)
      return vector(name, comment, byKey(epoch), blob, { short: { ...short(TABLE), signingKey }, words: '', names })
    }),
    ...REFUSED.map(([name, comment, text]) => vector(name, comment, text, null, { short: null })),
  ]
}
