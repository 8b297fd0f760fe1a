/** Vectors of contact links and safety numbers (docs/format.md, section 13). */
import { formatBase32 } from '../../src/core/encoding/base32.ts'
import { concatBytes, formatHex } from '../../src/core/encoding/bytes.ts'
import type { Engine } from '../../src/core/engine.ts'
import { LinkError, type LinkErrorCode } from '../../src/core/errors.ts'
import { LABEL_LINK } from '../../src/core/labels.ts'
import { formatLink, LINK_CHECKSUM_BYTES, LINK_SCHEME, parseLink } from '../../src/core/link.ts'
import { MAX_EPOCH } from '../../src/core/limits.ts'
import { safetyNumber } from '../../src/core/safety-number.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { makePersona } from '../support/made-persona.ts'

export interface LinkVector {
  readonly kind: 'link'
  readonly name: string
  readonly section: 13
  readonly comment: string
  readonly text: string
  readonly expect:
    | { readonly code: LinkErrorCode }
    | {
        readonly personaId: string
        readonly root: string
        readonly epoch: number
        readonly safetyNumber: string
        readonly name?: string
      }
}

/** The result of the code under test for a text. */
export function judgeLink({ text }: LinkVector, engine: Engine): LinkVector['expect'] {
  try {
    const { personaId, root, epoch, name } = parseLink(text, engine)
    const number = safetyNumber(personaId, root, engine)
    const named = name === undefined ? {} : { name }
    return { personaId: formatHex(personaId), root: formatHex(root), epoch, safetyNumber: number, ...named }
  } catch (error) {
    if (error instanceof LinkError) return { code: error.code }
    throw error
  }
}

const [ada, bob] = [1, 2].map((number) => {
  const { personaId, next } = makePersona(number).positions[0]!
  return { personaId, root: next }
}) as [Ids, Ids]
interface Ids {
  readonly personaId: Uint8Array
  readonly root: Uint8Array
}
const GOOD = formatLink({ ...ada, epoch: 0 }, portableEngine)

/** A link of any bytes, with a right checksum. */
function linkOf(...parts: readonly Uint8Array[]): string {
  const body = concatBytes(...parts)
  const checksum = portableEngine.sha512(LABEL_LINK, body).subarray(0, LINK_CHECKSUM_BYTES)
  return LINK_SCHEME + formatBase32(concatBytes(body, checksum))
}

function replaced(text: string, at: number, character: string): string {
  return text.slice(0, at) + character + text.slice(at + 1)
}

const head = Uint8Array.of(1, 0)
const namedHead = Uint8Array.of(2, 0)
const good = (of: Ids, epoch: number, name?: string): LinkVector['expect'] => ({
  personaId: formatHex(of.personaId),
  root: formatHex(of.root),
  epoch,
  safetyNumber: safetyNumber(of.personaId, of.root, portableEngine),
  ...(name === undefined ? {} : { name }),
})

type Case = readonly [name: string, comment: string, text: string, expect: LinkVector['expect'] | LinkErrorCode]

const CASES: readonly Case[] = [
  ['good', 'A link made at epoch 0.', GOOD, good(ada, 0)],
  [
    'good-after-a-rotation',
    'The same persona at epoch 1 has another link, but the same safety number.',
    formatLink({ ...ada, epoch: 1 }, portableEngine),
    good(ada, 1),
  ],
  [
    'good-last-epoch',
    'Another persona at the last epoch.',
    formatLink({ ...bob, epoch: MAX_EPOCH }, portableEngine),
    good(bob, MAX_EPOCH),
  ],
  ['good-upper-case', 'A QR code has it in upper case.', GOOD.toUpperCase(), good(ada, 0)],
  ['good-first-letter', 'A keyboard wrote the first letter in upper case.', replaced(GOOD, 0, 'P'), good(ada, 0)],
  ['good-broken', 'A mail program broke the line.', ` ${GOOD.slice(0, 70)}\r\n ${GOOD.slice(70)}\n`, good(ada, 0)],
  ['empty', 'An empty text.', '', 'LINK_UNKNOWN'],
  ['no-scheme', 'The link without its scheme.', GOOD.slice(LINK_SCHEME.length), 'LINK_UNKNOWN'],
  ['token', 'A token of a status message.', `persona:${GOOD.slice(LINK_SCHEME.length)}`, 'LINK_UNKNOWN'],
  ['scheme-alone', 'Nothing follows the scheme.', LINK_SCHEME, 'LINK_DAMAGED'],
  ['typo', 'One character is wrong.', replaced(GOOD, 60, GOOD[60] === 'x' ? 'y' : 'x'), 'LINK_DAMAGED'],
  [
    'typo-version',
    'A typing mistake in the version counts as damage.',
    replaced(GOOD, 10, GOOD[10] === 'f' ? 'g' : 'f'),
    'LINK_DAMAGED',
  ],
  ['swapped', 'Two neighbouring characters are swapped.', swapped(GOOD), 'LINK_DAMAGED'],
  ['cut', 'The last character is missing.', GOOD.slice(0, -1), 'LINK_DAMAGED'],
  [
    'cut-whole-bytes',
    'The last eight characters, which are five bytes, are missing.',
    GOOD.slice(0, -8),
    'LINK_DAMAGED',
  ],
  ['trailing', 'The full stop of a sentence follows the link.', `${GOOD}.`, 'LINK_DAMAGED'],
  ['digit-zero', 'A zero instead of an o is not base32.', replaced(GOOD, 60, '0'), 'LINK_DAMAGED'],
  [
    'kelvin-sign',
    'U+212A, which becomes a k in lower case.',
    replaced(GOOD, GOOD.indexOf('k', 20), '\u212A'),
    'LINK_DAMAGED',
  ],
  ['padding', 'Base32 with padding.', `${GOOD}======`, 'LINK_DAMAGED'],
  [
    'too-long',
    'One byte too many, with a right checksum.',
    linkOf(head, ada.personaId, ada.root, Uint8Array.of(0)),
    'LINK_DAMAGED',
  ],
  [
    'too-short',
    'One byte too few, with a right checksum.',
    linkOf(head, ada.personaId, ada.root.subarray(1)),
    'LINK_DAMAGED',
  ],
  [
    'version-0',
    'Version 0 does not exist.',
    linkOf(Uint8Array.of(0, 0), ada.personaId, ada.root),
    'LINK_UNKNOWN_VERSION',
  ],
  ['version-3', 'A later version may have any length.', linkOf(Uint8Array.of(3), ada.root), 'LINK_UNKNOWN_VERSION'],
  [
    'good-named',
    'Version 2 has a name.',
    formatLink({ ...ada, epoch: 0, name: 'Ada Lovelace' }, portableEngine),
    good(ada, 0, 'Ada Lovelace'),
  ],
  [
    'good-named-longest',
    'A name of 64 bytes, in upper case.',
    formatLink({ ...ada, epoch: 0, name: '\u00E9'.repeat(32) }, portableEngine).toUpperCase(),
    good(ada, 0, '\u00E9'.repeat(32)),
  ],
  ['name-empty', 'Version 2 without a name.', linkOf(namedHead, ada.personaId, ada.root), 'LINK_NAME_INVALID'],
  [
    'name-too-long',
    'A name of 65 bytes.',
    linkOf(namedHead, ada.personaId, ada.root, new Uint8Array(65).fill(0x61)),
    'LINK_DAMAGED',
  ],
  [
    'name-too-many-characters',
    'A name of 33 characters.',
    linkOf(namedHead, ada.personaId, ada.root, new Uint8Array(33).fill(0x61)),
    'LINK_NAME_INVALID',
  ],
  [
    'name-not-utf8',
    'A name that is not UTF-8.',
    linkOf(namedHead, ada.personaId, ada.root, Uint8Array.of(0xff)),
    'LINK_NAME_INVALID',
  ],
  [
    'name-invisible',
    'A name with U+202E, which turns the text after it around.',
    linkOf(namedHead, ada.personaId, ada.root, Uint8Array.of(0x41, 0xe2, 0x80, 0xae)),
    'LINK_NAME_INVALID',
  ],
  [
    'epoch-17',
    'A chain does not have this many keys.',
    linkOf(Uint8Array.of(1, 17), ada.personaId, ada.root),
    'LINK_EPOCH_RANGE',
  ],
  ['key-small-order', 'K_0 is a point of small order.', linkOf(head, point(1), ada.root), 'LINK_KEY_INVALID'],
  [
    'key-not-canonical',
    'K_0 is not below 2^255 - 19.',
    linkOf(head, new Uint8Array(32).fill(255), ada.root),
    'LINK_KEY_INVALID',
  ],
]

function point(y: number): Uint8Array {
  const bytes = new Uint8Array(32)
  bytes[0] = y
  return bytes
}

function swapped(text: string): string {
  for (let at = 40; ; at++) {
    const [a, b] = [text[at]!, text[at + 1]!]
    if (a !== b) return text.slice(0, at) + b + a + text.slice(at + 2)
  }
}

export function linkVectors(): LinkVector[] {
  return CASES.map(([name, comment, text, expect]) => ({
    kind: 'link',
    name,
    section: 13,
    comment,
    text,
    expect: typeof expect === 'string' ? { code: expect } : expect,
  }))
}
