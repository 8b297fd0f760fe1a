/** Cases of the document and its nicknames, for the vectors of status messages (docs/format.md, sections 11 and 12). */
import { concatBytes, formatHex, u32be } from '../../src/core/encoding/bytes.ts'
import { formatToken } from '../../src/core/token.ts'
import { deflate, makeBlob, makeDeviceKey, makePersona, sodium } from '../support/made-persona.ts'
import type { StatusCase } from './blob-cases.ts'

const ada = makePersona(1)

function withDocument(document: string, devices: readonly number[] = [0]): string {
  return formatToken(makeBlob(ada, { devices, document }))
}

function withDeflated(deflated: Uint8Array): string {
  return formatToken(makeBlob(ada, { devices: [0], deflated }))
}

/** The first digits of the key of a test device, in lower case. */
function digits(device: number, count: number): string {
  return formatHex(makeDeviceKey(device)).slice(0, count).toLowerCase()
}

function oneName(name: string): string {
  return withDocument(`names: ["${name}"]`)
}

function largest(): StatusCase {
  for (let length = 300; ; length++) {
    const text = withDocument(
      `names: [laptop]\nnote: ${Array.from({ length }, (_, i) => formatHex(sodium.sha512(u32be(i))).slice(0, 1)).join('')}`,
    )
    if (text.length === 1006) return ['good-1006-bytes', 2, null, 'A status message of only the token.', text]
  }
}

export const DOCUMENT_CASES: readonly StatusCase[] = [
  [
    'good-unknown-keys',
    11,
    null,
    'Unknown keys are kept and ignored, and every scalar is a string.',
    withDocument('names: [ \'a b\' ]\nnote: 12\nlist: [true, "\\u0041", ~]'),
  ],
  ['good-2048-bytes', 11, null, 'A document of exactly 2048 bytes.', withDocument(`note: ${'x'.repeat(2042)}`)],
  [
    'good-prototype-nicknames',
    11,
    null,
    'Nicknames that are special words in some programs are ordinary ones here.',
    withDocument('names: [__proto__,constructor]\ntoString: valueOf', [0, 1]),
  ],
  ['good-emoji-nickname', 12, null, 'A joiner between two emoji is allowed.', oneName('👩‍💻')],
  [
    'good-companion',
    11,
    null,
    'The first digits of its key mark the second device as a companion.',
    withDocument(`names: [laptop,aside]\ncompanions: [${digits(1, 4)}]`, [0, 1]),
  ],
  [
    'good-companion-marks-nothing',
    11,
    null,
    'A reader ignores marks that are too short, in upper case, or match no listed device.',
    withDocument(`companions: [${digits(1, 3)},${digits(1, 8).toUpperCase()},${digits(2, 8)},""]`, [0, 1]),
  ],
  [
    'good-companion-scalar',
    11,
    null,
    'companions must be a list; any other value marks nothing.',
    withDocument(`companions: "${digits(0, 8)}"`, [0, 1]),
  ],
  ['good-long-note', 11, null, 'A long unknown value.', withDocument(`note: ${'x'.repeat(200)}`)],
  largest(),
  [
    'deflate-cut',
    11,
    'DEFLATE_INVALID',
    'The stream is cut.',
    withDeflated(deflate('names: [laptop]').subarray(0, -1)),
  ],
  [
    'deflate-empty',
    11,
    'DEFLATE_INVALID',
    'There is no stream. An empty document would be 03 00.',
    withDeflated(new Uint8Array(0)),
  ],
  [
    'deflate-block-type-3',
    11,
    'DEFLATE_INVALID',
    'A block type that RFC 1951 reserves.',
    withDeflated(Uint8Array.of(7)),
  ],
  ['deflate-bomb', 11, 'DEFLATE_TOO_LARGE', 'A few bytes inflate to 2049.', withDocument(`note: ${'x'.repeat(2043)}`)],
  [
    'deflate-trailing',
    11,
    'DEFLATE_TRAILING_BYTES',
    'A byte follows the final block.',
    withDeflated(concatBytes(deflate('names: [laptop]'), Uint8Array.of(0))),
  ],
  [
    'deflate-two-streams',
    11,
    'DEFLATE_TRAILING_BYTES',
    'A second stream follows the first.',
    withDeflated(concatBytes(deflate('a: b'), deflate('c: d'))),
  ],
  [
    'document-not-utf8',
    11,
    'DOCUMENT_NOT_UTF8',
    'A stray 0xff in a stored block.',
    withDeflated(Uint8Array.of(1, 4, 0, 0xfb, 0xff, 0x61, 0x3a, 0x20, 0xff)),
  ],
  ['document-bom', 11, 'DOCUMENT_SYNTAX', 'A byte order mark.', withDocument('\ufeffa: b')],
  ['document-anchor', 11, 'DOCUMENT_SYNTAX', 'An anchor.', withDocument('a: &x b')],
  ['document-alias', 11, 'DOCUMENT_SYNTAX', 'An alias.', withDocument('a: *x')],
  ['document-tag', 11, 'DOCUMENT_SYNTAX', 'A tag.', withDocument('a: !!binary AAAA')],
  ['document-merge-key', 11, 'DOCUMENT_SYNTAX', 'A merge key.', withDocument('<<: a')],
  ['document-comment', 11, 'DOCUMENT_SYNTAX', 'A comment.', withDocument('a: b # c')],
  ['document-two', 11, 'DOCUMENT_SYNTAX', 'Two documents.', withDocument('a: b\n---\nc: d')],
  ['document-block-scalar', 11, 'DOCUMENT_SYNTAX', 'A block scalar.', withDocument('a: |\n  b')],
  ['document-nested', 11, 'DOCUMENT_SYNTAX', 'A mapping in a mapping.', withDocument('a: {b: c}')],
  ['document-surrogate-escape', 11, 'DOCUMENT_SYNTAX', 'The escape of a lone surrogate.', withDocument('a: "\\ud83d"')],
  ['document-names-scalar', 11, 'DOCUMENT_SYNTAX', 'names must be a list.', withDocument('names: laptop')],
  ['document-key-twice', 11, 'DOCUMENT_DUPLICATE_KEY', 'One key twice.', withDocument('a: b\na: c')],
  [
    'document-key-twice-folded',
    11,
    'DOCUMENT_DUPLICATE_KEY',
    'Two keys differ only in case.',
    withDocument('note: b\nNote: c'),
  ],
  [
    'document-critical-key',
    11,
    'DOCUMENT_UNKNOWN_CRITICAL_KEY',
    'The reader does not know a key that it must understand.',
    withDocument('names: [laptop]\nexpires!: 2030'),
  ],
  ['names-too-few', 11, 'NAMES_COUNT', 'One nickname for two devices.', withDocument('names: [laptop]', [0, 1])],
  ['names-too-many', 11, 'NAMES_COUNT', 'Two nicknames for one device.', withDocument('names: [laptop,phone]')],
]

export const NICKNAME_CASES: readonly StatusCase[] = [
  ['nickname-empty', 12, 'NICKNAME_EMPTY', 'An empty nickname.', oneName('')],
  ['nickname-33', 12, 'NICKNAME_TOO_LONG', '33 code points.', oneName('x'.repeat(33))],
  ['nickname-65-bytes', 12, 'NICKNAME_TOO_LONG', '22 code points, 66 bytes.', oneName('机'.repeat(22))],
  ['nickname-not-nfc', 12, 'NICKNAME_NOT_NFC', 'An e with a combining acute accent.', oneName('cafe\u0301')],
  ['nickname-escape', 12, 'NICKNAME_CHARACTER', 'A terminal escape.', oneName('\\u001b[2J')],
  ['nickname-bidi', 12, 'NICKNAME_CHARACTER', 'A right-to-left override.', oneName('phone\u202egpj')],
  ['nickname-zero-width', 12, 'NICKNAME_CHARACTER', 'A zero-width space.', oneName('pho\u200bne')],
  ['nickname-no-break-space', 12, 'NICKNAME_CHARACTER', 'U+0020 is the only space.', oneName('my\u00a0phone')],
  ['nickname-unassigned', 12, 'NICKNAME_UNASSIGNED', 'U+0378 is not assigned in Unicode 16.0.', oneName('\u0378')],
  ['nickname-space-first', 12, 'NICKNAME_SPACES', 'A space at the start.', oneName(' phone')],
  ['nickname-space-last', 12, 'NICKNAME_SPACES', 'A space at the end.', oneName('phone ')],
  [
    'nickname-twice',
    12,
    'NICKNAME_TWICE',
    'The nicknames are equal after full case folding.',
    withDocument('names: [STRASSE,straße]', [0, 1]),
  ],
  [
    'nickname-twice-invisible',
    12,
    'NICKNAME_TWICE',
    'The nicknames differ only by a selector that may be invisible.',
    withDocument('names: [❤,❤\ufe0f]', [0, 1]),
  ],
]
