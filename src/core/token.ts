/** Finds the token beside the user's own words in a status message, and puts it there (docs/format.md, section 2). */
import { encodeUtf8, formatBase64url, parseBase64url } from './encoding/bytes.ts'
import { BlobError } from './errors.ts'
import { MAX_STATUS_BYTES, MAX_TOKEN_CHARS, MIN_TOKEN_CHARS, SHORT_CHARS, TOKEN_PREFIX } from './limits.ts'

/**
 * The parts of a status message. `isShown`: the token is the last word, where {@link composeStatus} puts it; elsewhere it may be a quote of
 * somebody else's. `fragment`: it has a `persona:` with too few characters after it. That is part of the words, unless the
 * contact had a blob before; then the token is damaged. `short`: the characters of a short status after the prefix, as far as their number
 * tells; null without one (docs/announce.md, section 10). Its words are those beside it.
 */
export type StatusContent =
  | { readonly kind: 'none'; readonly words: string; readonly fragment: boolean; readonly short: string | null }
  | { readonly kind: 'token'; readonly words: string; readonly blob: Uint8Array; readonly isShown: boolean }

const WHITE_SPACE = '\t\n\v\f\r ' // format: only these delimit a token, whatever else a client draws as a space
const BASE64URL_RUN = /[A-Za-z0-9_-]*/y
const WORD_END = /[\t\n\v\f\r ]|$/g

/** A word that begins with the prefix: where it is in the text, and how many base64url characters follow the prefix. */
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

/** Beside a token, or twice, such a word is one of the user's words. */
function isShort({ start, end, run }: PrefixedWord): boolean {
  return run === SHORT_CHARS && end === start + TOKEN_PREFIX.length + run
}

// Removes each token with the one white space before it, which composeStatus put there. All other white space is the user's.
function cutTokens(text: string, tokens: readonly PrefixedWord[]): string {
  let words = ''
  let from = 0
  for (const { start, end } of tokens) {
    words += text.slice(from, Math.max(from, start - 1))
    from = end
  }
  return trim(words + text.slice(from))
}

// No regular expression: on a long run of white space its time would grow with the square of the length.
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isWhiteSpace(text, start)) start++
  while (end > start && isWhiteSpace(text, end - 1)) end--
  return text.slice(start, end)
}

/** A status message whose token is still text. `encoded`: the base64url after the prefix, which may not be canonical. */
export type SplitStatus =
  | Extract<StatusContent, { kind: 'none' }>
  | { readonly kind: 'token'; readonly words: string; readonly encoded: string; readonly isShown: boolean }

/**
 * Finds the one token of a status message and decodes its base64url (docs/format.md, section 2).
 * @param text may be longer than MAX_STATUS_BYTES
 * @throws {BlobError} TOKEN_TWICE | TOKEN_DAMAGED | TOKEN_TOO_LONG | TOKEN_NOT_CANONICAL
 */
export function parseStatus(text: string): StatusContent {
  const split = splitStatus(text)
  if (split.kind === 'none') return split
  const { words, isShown } = split
  return { kind: 'token', words, blob: decodeToken(split.encoded), isShown }
}

/** @throws {BlobError} TOKEN_NOT_CANONICAL */
export function decodeToken(encoded: string): Uint8Array {
  const blob = parseBase64url(encoded)
  if (blob === null) {
    throw new BlobError('TOKEN_NOT_CANONICAL', 'the persona token is not canonical base64url; it was cut or altered')
  }
  return blob
}

/**
 * Finds the one token of a status message.
 * @throws {BlobError} TOKEN_TWICE | TOKEN_DAMAGED | TOKEN_TOO_LONG
 */
export function splitStatus(text: string): SplitStatus {
  const words = prefixedWords(text)
  const tokens = words.filter(isToken)
  const token = tokens[0]
  if (token === undefined) return withoutTable(text, words)
  if (tokens.length > 1) {
    throw new BlobError('TOKEN_TWICE', `the status message has ${tokens.length} persona tokens; only one is allowed`)
  }
  const encoded = text.slice(token.start + TOKEN_PREFIX.length, token.end)
  if (token.run !== encoded.length) {
    throw new BlobError('TOKEN_DAMAGED', 'the persona token has a character that is not base64url; a client altered it')
  }
  if (encoded.length > MAX_TOKEN_CHARS) {
    throw new BlobError(
      'TOKEN_TOO_LONG',
      `the persona token has ${encoded.length} characters; the limit is ${MAX_TOKEN_CHARS}`,
    )
  }
  return { kind: 'token', words: cutTokens(text, tokens), encoded, isShown: trim(text.slice(token.end)) === '' }
}

function withoutTable(text: string, prefixed: readonly PrefixedWord[]): SplitStatus {
  const short = prefixed.find(isShort)
  const fragment = prefixed.length > 0
  // Elsewhere than at the end it may be a quote of somebody else's, as a token. So of two the first is none, and then neither counts.
  if (short === undefined || trim(text.slice(short.end)) !== '')
    return { kind: 'none', words: text, fragment, short: null }
  const encoded = text.slice(short.start + TOKEN_PREFIX.length, short.end)
  return { kind: 'none', words: cutTokens(text, [short]), fragment, short: encoded }
}

/** The token of a blob: the prefix, then unpadded base64url. */
export function formatToken(blob: Uint8Array): string {
  return TOKEN_PREFIX + formatBase64url(blob)
}

/** Length in bytes of the token for a blob of `blobBytes` bytes. */
export function tokenBytes(blobBytes: number): number {
  return TOKEN_PREFIX.length + Math.ceil((blobBytes * 4) / 3)
}

/** The user's words, without tokens, short statuses, and white space at the ends. So a new token replaces an old one. */
export function ownWords(text: string): string {
  return cutTokens(
    text,
    prefixedWords(text).filter((word) => isToken(word) || isShort(word)),
  )
}

/** Joins words, a space and the token; `bytesOver` counts the bytes over the limit, 0 when it fits. */
export function composeStatus(words: string, blob: Uint8Array): ComposedStatus {
  return composeWith(words, formatToken(blob))
}

/** A status message, and its length. */
export interface ComposedStatus {
  readonly text: string
  readonly bytes: number
  readonly bytesOver: number
}

/** The same with a token, or a short status, that is a text already. */
export function composeWith(words: string, token: string): ComposedStatus {
  const own = ownWords(words)
  const text = own === '' ? token : `${own} ${token}`
  const bytes = encodeUtf8(text).length
  return { text, bytes, bytesOver: Math.max(0, bytes - MAX_STATUS_BYTES) }
}
