/**
 * The document of a blob, in a small subset of YAML: a strict reader and writer (docs/format.md, section 11).
 *
 * UTF-8 without a byte order mark, by this grammar (RFC 5234; literals are case-sensitive; no characters means no keys):
 *
 *     document = [ line *( LF line ) [ LF ] ]
 *     line     = key ":" 1*SP ( scalar / list )          ; no space at its end
 *     list     = "[" *SP [ scalar *( *SP "," *SP scalar ) ] *SP "]"
 *     key      = ALPHA *62( ALPHA / DIGIT / "." / "_" / "-" ) [ "!" ]
 *     scalar   = plain / single / double
 *     plain    = first *( *SP rest )                     ; the text as it stands
 *     single   = "'" *( SP / char / DQUOTE / "\" / special / "''" ) "'"
 *     double   = DQUOTE *( SP / char / "'" / special / escape ) DQUOTE
 *     escape   = "\" ( DQUOTE / "\" / "u" 4HEXDIG )      ; a surrogate has no escape
 *     first    = <char but not one of - & * ! | > % @ `>
 *     rest     = char / "'"
 *     special  = "," / "[" / "]" / "{" / "}" / ":" / "#" / "?"
 *     char     = <U+0021..7E and U+00A0..10FFFF but not a special, DQUOTE, "\", "'", U+2028, U+2029, U+FEFF, U+FFFE, U+FFFF>
 *
 * Keys differ by more than case. No key is, in any case, a word that some version of YAML reads as another type: null true
 * false yes no on off y n. Every scalar is a string, whatever it looks like. `names` is a list. A key that ends in "!" must
 * be understood, and this version understands no such key. The reader keeps all other keys.
 *
 * The writer puts one key on a line, "\n" only between lines, and no spaces into lists. It writes a plain scalar where every
 * version of YAML reads a string, else a double-quoted one. It escapes only DQUOTE, "\" and characters that are not a char.
 */
import { decodeUtf8, encodeUtf8 } from './encoding/bytes.ts'
import { BlobError, type DocumentErrorCode } from './errors.ts'
import { checkNicknames } from './nickname.ts'

/** A scalar or a list of scalars. */
export type DocumentValue = string | readonly string[]

/** Keys and values in their order. Never an object: keys come from strangers, and one could be `constructor`. */
export type Document = readonly (readonly [key: string, value: DocumentValue])[]

/** The document key whose value is the list of nicknames. */
export const NAMES = 'names'

/** The document key whose value is a successor statement (docs/format.md, section 14). */
export const PREDECESSOR = 'predecessor'

const UNSEEN = '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\ud800-\\udfff\\ufeff\\ufffe\\uffff'
const SPECIAL = ',\\[\\]{}:#?"\\\\'
const PLAIN = `[^${UNSEEN}${SPECIAL} '\\-&*!|>%@\`](?:[^${UNSEEN}${SPECIAL}]*[^${UNSEEN}${SPECIAL} ])?`
const plainAt = new RegExp(PLAIN, 'uy')
const plainOnly = new RegExp(`^${PLAIN}$`, 'u')
const singleAt = new RegExp(`'(?:[^${UNSEEN}']|'')*'`, 'uy')
const doubleAt = new RegExp(`"(?:[^${UNSEEN}"\\\\]|\\\\["\\\\]|\\\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*"`, 'uy')
const escapes = /\\(?:u(.{4})|(.))/g
const unwritable = new RegExp(`["\\\\${UNSEEN}]`, 'gu')

const MAX_KEY_CHARS = 63 // format: without "!"; long enough for a name, and far below the 1024 at which YAML readers give up
const KEY = `[A-Za-z][A-Za-z0-9._-]{0,${MAX_KEY_CHARS - 1}}!?`
const keyAt = new RegExp(`${KEY}(?=: )`, 'y')
const keyOnly = new RegExp(`^${KEY}$`)
const otherTypeWord = /^(?:null|true|false|yes|no|on|off|y|n|~|=|<<)$/i
// Matches every number, date and time of YAML 1.1 and 1.2, and a few other texts, which only costs them two quotes.
const otherTypeNumber = /^(?:[+.].*|\d[\da-fotxz_.+ -]*)$/i

class Reader {
  private readonly text: string
  private at = 0

  constructor(text: string) {
    this.text = text
  }

  read(): Document {
    const document: [string, DocumentValue][] = []
    const seen = new Set<string>()
    while (this.at < this.text.length) {
      const key = this.match(keyAt)
      if (key === null) throw this.unexpected('a key, ":" and a space')
      this.at++
      this.skipSpaces()
      const value = this.text[this.at] === '[' ? this.list() : this.scalar()
      checkEntry(key, value, seen)
      document.push([key, value])
      if (this.at < this.text.length && this.text[this.at++] !== '\n') throw this.unexpected('the end of the line')
    }
    return document
  }

  private list(): string[] {
    const items: string[] = []
    this.at++
    this.skipSpaces()
    if (this.text[this.at] === ']') {
      this.at++
      return items
    }
    for (;;) {
      items.push(this.scalar())
      this.skipSpaces()
      const next = this.text[this.at++]
      if (next === ']') return items
      if (next !== ',') throw this.unexpected('"," or "]"')
      this.skipSpaces()
    }
  }

  private scalar(): string {
    const plain = this.match(plainAt)
    if (plain !== null) return plain
    const single = this.match(singleAt)
    if (single !== null) return single.slice(1, -1).replaceAll("''", "'")
    const double = this.match(doubleAt)
    if (double === null) throw this.unexpected('a plain or quoted text')
    return double.slice(1, -1).replaceAll(escapes, (_, hex: string | undefined, character: string) => {
      return hex === undefined ? character : String.fromCharCode(parseInt(hex, 16))
    })
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0] ?? null
    if (found !== null) this.at += found.length
    return found
  }

  private skipSpaces(): void {
    while (this.text[this.at] === ' ') this.at++
  }

  private unexpected(wanted: string): BlobError<'DOCUMENT_SYNTAX'> {
    return refusal('DOCUMENT_SYNTAX', `${wanted} is missing at or before character ${this.at}`)
  }
}

/**
 * Reads the inflated document of a blob.
 * @param bytes at most MAX_DOCUMENT_BYTES; the inflater enforces it
 * @throws {BlobError} DOCUMENT_NOT_UTF8 | DOCUMENT_SYNTAX | DOCUMENT_DUPLICATE_KEY | DOCUMENT_UNKNOWN_CRITICAL_KEY
 */
export function parseDocument(bytes: Uint8Array): Document {
  const text = decodeUtf8(bytes)
  if (text === null) throw refusal('DOCUMENT_NOT_UTF8', 'it is not UTF-8')
  return new Reader(text).read()
}

/**
 * Writes a document. {@link parseDocument} and any YAML reader read the same keys and strings back.
 * @throws {BlobError} DOCUMENT_SYNTAX | DOCUMENT_DUPLICATE_KEY | DOCUMENT_UNKNOWN_CRITICAL_KEY when no reader would accept the document
 */
export function formatDocument(document: Document): Uint8Array {
  const seen = new Set<string>()
  const lines = document.map(([key, value]) => {
    if (!keyOnly.test(key))
      throw refusal(
        'DOCUMENT_SYNTAX',
        `a key has 1 to ${MAX_KEY_CHARS} characters: ASCII letters, digits, ".", "_" and "-"`,
      )
    checkEntry(key, value, seen)
    return `${key}: ${typeof value === 'string' ? formatScalar(value) : `[${value.map(formatScalar).join(',')}]`}`
  })
  return encodeUtf8(lines.join('\n'))
}

/**
 * The nicknames of a document in the order of the device keys, or null when it has none.
 * @throws {BlobError} NAMES_COUNT, and the errors of {@link checkNicknames}
 */
export function readNames(document: Document, deviceCount: number): readonly string[] | null {
  const names = document.find(([key]) => key === NAMES)?.[1]
  if (names === undefined || typeof names === 'string') return null
  if (names.length !== deviceCount) {
    throw refusal('NAMES_COUNT', `it has ${names.length} nicknames for ${deviceCount} devices`)
  }
  checkNicknames(names)
  return names
}

function checkEntry(key: string, value: DocumentValue, seen: Set<string>): void {
  const folded = key.toLowerCase()
  if (otherTypeWord.test(key))
    throw refusal('DOCUMENT_SYNTAX', `some YAML readers do not read the key "${key}" as a string`)
  if (seen.has(folded)) throw refusal('DOCUMENT_DUPLICATE_KEY', `it has the key "${key}" twice`)
  seen.add(folded)
  if (key.endsWith('!')) {
    throw refusal(
      'DOCUMENT_UNKNOWN_CRITICAL_KEY',
      `this version does not understand its required key "${key}"; a newer one may`,
    )
  }
  if (key === NAMES && typeof value === 'string') throw refusal('DOCUMENT_SYNTAX', `"${NAMES}" is not a list`)
}

function formatScalar(text: string): string {
  if (!text.isWellFormed()) throw refusal('DOCUMENT_SYNTAX', 'a text has a lone surrogate, which UTF-8 cannot encode')
  if (plainOnly.test(text) && !otherTypeWord.test(text) && !otherTypeNumber.test(text)) return text
  return `"${text.replaceAll(unwritable, formatEscape)}"`
}

function formatEscape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function refusal<Code extends DocumentErrorCode>(code: Code, why: string): BlobError<Code> {
  return new BlobError(code, `the document is refused: ${why}`)
}

/** The settings: keys that the owner sets and that friends act on. A table gives them up in the reverse order. */
export const SETTING_KEYS = ['read', 'announce', 'at'] as const
export type SettingKey = (typeof SETTING_KEYS)[number]

/** Values as they are in the document, whatever their form. A key that is not set is absent. */
export type Settings = Readonly<Partial<Record<SettingKey, DocumentValue>>>

export const NO_SETTINGS: Settings = {}

/** The settings of a document. A key in another case is not a setting. */
export function settingsOf(document: Document): Settings {
  let settings = NO_SETTINGS
  for (const [key, value] of document) if (isSettingKey(key)) settings = { ...settings, [key]: value }
  return settings
}

/** The lines of the document for these settings. */
export function settingLines(settings: Settings, keys: readonly SettingKey[] = SETTING_KEYS): Document {
  return keys.flatMap((key) => {
    const value = settings[key]
    return value === undefined ? [] : [[key, value] as const]
  })
}

/** @param value null takes the key out */
export function withSetting(settings: Settings, key: SettingKey, value: DocumentValue | null): Settings {
  const { [key]: _, ...others } = settings
  return value === null ? others : { ...others, [key]: value }
}

export function isSameValue(a: DocumentValue | null, b: DocumentValue | null): boolean {
  if (a === null || b === null || typeof a === 'string' || typeof b === 'string') return a === b
  return a.length === b.length && a.every((item, i) => item === b[i])
}

export function isSameSettings(a: Settings, b: Settings): boolean {
  return SETTING_KEYS.every((key) => isSameValue(a[key] ?? null, b[key] ?? null))
}

function isSettingKey(key: string): key is SettingKey {
  return (SETTING_KEYS as readonly string[]).includes(key)
}
