/** The token in a status message: finding it beside the user's own words, and putting it there (docs/format.md, section 2). */
import { encodeUtf8, formatBase64url, parseBase64url } from './bytes.ts'
import { BlobError } from './errors.ts'
import { MAX_STATUS_BYTES, MAX_TOKEN_CHARS, MIN_TOKEN_CHARS, TOKEN_PREFIX } from './limits.ts'

/** What a status message holds. `fragment`: a `persona:` with too little behind it, which is words unless the contact had a blob. */
export type StatusContent =
  | { readonly kind: 'none'; readonly words: string; readonly fragment: boolean }
  | { readonly kind: 'token'; readonly words: string; readonly blob: Uint8Array }

const WHITE_SPACE = /[\t\n\v\f\r ]+/
const BASE64URL_RUN = /^[A-Za-z0-9_-]*/

/** Characters of base64url behind the prefix, or -1 when the word does not begin with it. */
function tokenRun(word: string): number {
  if (!word.startsWith(TOKEN_PREFIX)) return -1
  return BASE64URL_RUN.exec(word.slice(TOKEN_PREFIX.length))![0].length
}

/**
 * Finds the one token of a status message and decodes its base64url; texts over the limit are judged too.
 * @throws {BlobError} TOKEN_TWICE | TOKEN_DAMAGED | TOKEN_TOO_LONG | TOKEN_NOT_CANONICAL
 */
export function parseStatus(text: string): StatusContent {
  // The common case, a friend without a persona, is settled without splitting.
  if (!text.includes(TOKEN_PREFIX)) return { kind: 'none', words: text, fragment: false }
  const words = text.split(WHITE_SPACE)
  const tokens = words.filter((word) => tokenRun(word) >= MIN_TOKEN_CHARS)
  const rest = words.filter((word) => word !== '' && tokenRun(word) < MIN_TOKEN_CHARS)
  const token = tokens[0]
  if (token === undefined) return { kind: 'none', words: text, fragment: rest.some((word) => tokenRun(word) >= 0) }
  if (tokens.length > 1) {
    throw new BlobError(
      'TOKEN_TWICE',
      `the status message holds ${tokens.length} persona tokens; exactly one is allowed`,
    )
  }
  const encoded = token.slice(TOKEN_PREFIX.length)
  if (tokenRun(token) !== encoded.length) {
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
  return { kind: 'token', words: rest.join(' '), blob }
}

/** The token of a blob: the prefix and unpadded base64url. */
export function formatToken(blob: Uint8Array): string {
  return TOKEN_PREFIX + formatBase64url(blob)
}

/** Bytes of the token of a blob of so many bytes. */
export function tokenBytes(blobBytes: number): number {
  return TOKEN_PREFIX.length + Math.ceil((blobBytes * 4) / 3)
}

/** Own words without any token in them: an old one is replaced, never kept beside the new one. */
export function ownWords(text: string): string {
  if (!text.includes(TOKEN_PREFIX)) return text.trim()
  return text
    .split(WHITE_SPACE)
    .filter((word) => tokenRun(word) < MIN_TOKEN_CHARS)
    .join(' ')
    .trim()
}

/** Words, a space and the token, and how many bytes that is over the limit (0 when it fits). */
export function composeStatus(words: string, blob: Uint8Array): { text: string; bytes: number; bytesOver: number } {
  const own = ownWords(words)
  const text = own === '' ? formatToken(blob) : `${own} ${formatToken(blob)}`
  const bytes = encodeUtf8(text).length
  return { text, bytes, bytesOver: Math.max(0, bytes - MAX_STATUS_BYTES) }
}
