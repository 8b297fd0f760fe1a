/** Bytes, hex and base64url in their one canonical form (docs/format.md, section 1). No Buffer: its decoders are lenient. */

const HEX_UPPER = '0123456789ABCDEF'
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const BASE64URL_TEXT = /^[A-Za-z0-9_-]*$/

const hexByte: string[] = Array.from({ length: 256 }, (_, i) => HEX_UPPER.charAt(i >> 4) + HEX_UPPER.charAt(i & 15))
const hexValue = valueTable(HEX_UPPER + 'abcdef', (i) => (i < 16 ? i : i - 6))
const base64Code = Uint8Array.from(BASE64URL, (character) => character.charCodeAt(0))
const base64Value = valueTable(BASE64URL, (i) => i)

function valueTable(alphabet: string, value: (index: number) => number): Int8Array {
  const table = new Int8Array(128).fill(-1)
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = value(i)
  return table
}

/** Upper-case hex, two digits a byte. */
export function formatHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexByte[byte]
  return text
}

/** Decodes hex of either case. Null when a character is not a hex digit or the length is odd. */
export function parseHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0) return null
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) {
    const high = hexValue[text.charCodeAt(2 * i)] ?? -1
    const low = hexValue[text.charCodeAt(2 * i + 1)] ?? -1
    if (high < 0 || low < 0) return null
    bytes[i] = (high << 4) | low
  }
  return bytes
}

/** Unpadded base64url (RFC 4648, section 5). */
export function formatBase64url(bytes: Uint8Array): string {
  const codes = new Uint8Array(Math.ceil((bytes.length * 4) / 3))
  for (let i = 0, at = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    // Nothing beyond the end of the array is kept.
    codes[at++] = base64Code[group >> 18]!
    codes[at++] = base64Code[(group >> 12) & 63]!
    codes[at++] = base64Code[(group >> 6) & 63]!
    codes[at++] = base64Code[group & 63]!
  }
  // A text that is put together character by character is a tree of 32 bytes for each, as long as somebody keeps it.
  return utf8Decoder.decode(codes)
}

/**
 * Decodes unpadded base64url. It accepts exactly the texts that {@link formatBase64url} writes; null for padding, white space,
 * any other alphabet, or set bits after the last byte.
 */
export function parseBase64url(text: string): Uint8Array | null {
  const tail = text.length % 4
  if (tail === 1) return null
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  const whole = text.length - tail
  let at = 0
  // Groups take half the time of single characters, and each token that a friend shows comes by here. A value below zero stays below zero.
  for (let i = 0; i < whole; i += 4) {
    const high = (base64ValueAt(text, i) << 6) | base64ValueAt(text, i + 1)
    const group = (high << 12) | (base64ValueAt(text, i + 2) << 6) | base64ValueAt(text, i + 3)
    if (group < 0) return null
    bytes[at++] = group >> 16
    bytes[at++] = group >> 8
    bytes[at++] = group
  }
  if (tail === 0) return bytes
  const third = tail === 3 ? base64ValueAt(text, whole + 2) : 0
  const group = (base64ValueAt(text, whole) << 12) | (base64ValueAt(text, whole + 1) << 6) | third
  if (group < 0) return null
  bytes[at++] = group >> 10
  if (tail === 3) bytes[at] = group >> 2
  // The left-over bits must be zero, or two texts would decode to the same bytes.
  return (group & (tail === 3 ? 0b11 : 0b11_1111_1111)) === 0 ? bytes : null
}

/** Below zero for a character that is not base64url. */
function base64ValueAt(text: string, index: number): number {
  return base64Value[text.charCodeAt(index)] ?? -1
}

/** Whether {@link parseBase64url} would decode a text: a fifth of its time, where nobody needs the bytes. */
export function isBase64url(text: string): boolean {
  const tail = text.length % 4
  if (tail === 1 || !BASE64URL_TEXT.test(text)) return false
  // Four bits are left over after two characters, and two after three.
  const leftBits = tail === 2 ? 0b1111 : tail === 3 ? 0b11 : 0
  return leftBits === 0 || (base64ValueAt(text, text.length - 1) & leftBits) === 0
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Compares byte by byte; a prefix comes first. Not constant time: never use it on secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Compares public values. Not constant time: never use it on secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

export function isZero(bytes: Uint8Array): boolean {
  // A loop: every() calls a function for each byte, which took ten times as long.
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false
  return true
}

export function readU32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}

export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** @param value an integer from 0 to 2^53 - 1 */
export function u64be(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value))
  return bytes
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Encodes a text as UTF-8. A lone surrogate becomes U+FFFD: check isWellFormed() where that matters. */
export function encodeUtf8(text: string): Uint8Array {
  return utf8Encoder.encode(text)
}

/** Decodes UTF-8, keeping a byte order mark as U+FEFF. Null when the bytes are not well-formed UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8Decoder.decode(bytes)
  } catch {
    return null
  }
}
