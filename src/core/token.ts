/** The token in a status message: finding it beside the user's own words, and putting it there (docs/format.md, section 2). */
import { encodeUtf8, formatBase64url, parseBase64url } from './encoding/bytes.ts'
import { BlobError } from './errors.ts'
import { MAX_STATUS_BYTES, MAX_TOKEN_CHARS, MIN_TOKEN_CHARS, TOKEN_PREFIX } from './limits.ts'

/** What a status message holds. `fragment`: a `persona:` with too little behind it, which is words unless the contact had a blob. */
export type StatusContent =
  | { readonly kind: 'none'; readonly words: string; readonly fragment: boolean }
  | { readonly kind: 'token'; readonly words: string; readonly blob: Uint8Array }

const WHITE_SPACE = '\t\n\v\f\r ' // format: nothing else delimits a token, whatever a client draws as a space
const BASE64URL_RUN = /[A-Za-z0-9_-]*/y
const WORD_END = /[\t\n\v\f\r ]|$/g

/** A word that begins with the prefix: its place in the text and how many characters of base64url follow the prefix. */
interface PrefixedWord {
  readonly start: number
  readonly end: number
  readonly run: number
}

function prefixedWords(text: string): PrefixedWord[] {
  const words: PrefixedWord[] = []
  let start = text.indexOf(TOKEN_PREFIX)
  while (start >= 0) {
    const runStart = start + TOKEN_PREFIX.length
    BASE64URL_RUN.lastIndex = runStart
    const run = BASE64URL_RUN.exec(text)![0].length
    WORD_END.lastIndex = runStart + run
    const end = WORD_END.exec(text)!.index
    if (start === 0 || isWhiteSpace(text, start - 1)) words.push({ start, end, run })
    start = text.indexOf(TOKEN_PREFIX, end)
  }
  return words
}

function isWhiteSpace(text: string, at: number): boolean {
  return WHITE_SPACE.includes(text.charAt(at))
}

function isToken(word: PrefixedWord): boolean {
  return word.run >= MIN_TOKEN_CHARS
}

// With each token goes one character of white space, the one that composeStatus put there; every other one is the user's.
function cutTokens(text: string, tokens: readonly PrefixedWord[]): string {
  let words = ''
  let from = 0
  for (const { start, end } of tokens) {
    words += text.slice(from, Math.max(from, start - 1))
    from = end
  }
  return trim(words + text.slice(from))
}

// Not by a regular expression, whose time would grow with the square of a long run of white space.
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isWhiteSpace(text, start)) start++
  while (end > start && isWhiteSpace(text, end - 1)) end--
  return text.slice(start, end)
}

/**
 * Finds the one token of a status message and decodes its base64url; texts over the limit are judged too.
 * @throws {BlobError} TOKEN_TWICE | TOKEN_DAMAGED | TOKEN_TOO_LONG | TOKEN_NOT_CANONICAL
 */
export function parseStatus(text: string): StatusContent {
  const words = prefixedWords(text)
  const tokens = words.filter(isToken)
  const token = tokens[0]
  if (token === undefined) return { kind: 'none', words: text, fragment: words.length > 0 }
  if (tokens.length > 1) {
    throw new BlobError(
      'TOKEN_TWICE',
      `the status message holds ${tokens.length} persona tokens; exactly one is allowed`,
    )
  }
  const encoded = text.slice(token.start + TOKEN_PREFIX.length, token.end)
  if (token.run !== encoded.length) {
    throw new BlobError(
      'TOKEN_DAMAGED',
      'the persona token holds a character that is not base64url: a client altered it',
    )
  }
  if (encoded.length > MAX_TOKEN_CHARS) {
    throw new BlobError(
      'TOKEN_TOO_LONG',
      `the persona token has ${encoded.length} characters, at most ${MAX_TOKEN_CHARS}`,
    )
  }
  const blob = parseBase64url(encoded)
  if (blob === null) {
    throw new BlobError('TOKEN_NOT_CANONICAL', 'the persona token is not canonical base64url: it was cut or altered')
  }
  return { kind: 'token', words: cutTokens(text, tokens), blob }
}

/** The token of a blob: the prefix and unpadded base64url. */
export function formatToken(blob: Uint8Array): string {
  return TOKEN_PREFIX + formatBase64url(blob)
}

/** Bytes of the token of a blob of so many bytes. */
export function tokenBytes(blobBytes: number): number {
  return TOKEN_PREFIX.length + Math.ceil((blobBytes * 4) / 3)
}

/** Own words without any token in them and without white space at the ends: an old token is replaced, never kept beside the new one. */
export function ownWords(text: string): string {
  return cutTokens(text, prefixedWords(text).filter(isToken))
}

/** Words, a space and the token, and how many bytes that is over the limit (0 when it fits). */
export function composeStatus(words: string, blob: Uint8Array): { text: string; bytes: number; bytesOver: number } {
  const own = ownWords(words)
  const text = own === '' ? formatToken(blob) : `${own} ${formatToken(blob)}`
  const bytes = encodeUtf8(text).length
  return { text, bytes, bytesOver: Math.max(0, bytes - MAX_STATUS_BYTES) }
}
