/**
 * Bencode, read strictly (BEP 3): every value has one encoding, and only that one is accepted. Integers are 64-bit and come as bigint, since
 * a seq reaches 2^63 - 1.
 */
import { concatBytes } from '../core/encoding/bytes.ts'
import { PacketError } from './errors.ts'

/** Keys of a dictionary are byte strings, here one character for each byte (U+0000..00FF). */
export type Bencode = bigint | Uint8Array | readonly Bencode[] | BencodeDictionary
export type BencodeDictionary = ReadonlyMap<string, Bencode>

export const MAX_DEPTH = 4 // sanity: a message has two levels, an error list one; a few more for extensions
export const MAX_BENCODE_BYTES = 4096 // sanity: a whole packet; see MAX_PACKET_BYTES in message.ts, which is lower
const MAX_INTEGER_CHARS = 20 // format: "-9223372036854775808"
const MAX_LENGTH_CHARS = 4 // sanity: MAX_BENCODE_BYTES has four digits
const MIN_INTEGER: bigint = -(2n ** 63n)
const MAX_INTEGER: bigint = 2n ** 63n - 1n

const CODE = { zero: 48, nine: 57, colon: 58, minus: 45, dictionary: 100, end: 101, integer: 105, list: 108 } as const

const DICTIONARY: Uint8Array = Uint8Array.of(CODE.dictionary)
const LIST: Uint8Array = Uint8Array.of(CODE.list)
const END: Uint8Array = Uint8Array.of(CODE.end)

/** Whether the value of this key is to be kept as it is bencoded, and not decoded. Depth 1 is the outermost dictionary. */
export type KeepsRaw = (depth: number, key: string) => boolean

class Reader {
  readonly #bytes: Uint8Array
  readonly #keepsRaw: KeepsRaw
  #at = 0

  constructor(bytes: Uint8Array, keepsRaw: KeepsRaw) {
    this.#bytes = bytes
    this.#keepsRaw = keepsRaw
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): Bencode {
    if (depth > MAX_DEPTH) throw refusal('BENCODE_TOO_DEEP', `values are nested more than ${MAX_DEPTH} deep`)
    const code = this.#peek()
    if (code === CODE.integer) return this.#integer()
    if (code === CODE.list) return this.#list(depth)
    if (code === CODE.dictionary) return this.#dictionary(depth)
    return this.#string()
  }

  #peek(): number {
    const code = this.#bytes[this.#at]
    if (code === undefined) throw refusal('BENCODE_TRUNCATED', `the bytes end at ${this.#at}, in the middle of a value`)
    return code
  }

  #list(depth: number): Bencode[] {
    const items: Bencode[] = []
    this.#at++
    while (this.#peek() !== CODE.end) items.push(this.value(depth + 1))
    this.#at++
    return items
  }

  #dictionary(depth: number): BencodeDictionary {
    const entries = new Map<string, Bencode>()
    let last: string | null = null
    this.#at++
    while (this.#peek() !== CODE.end) {
      const key = latin1(this.#string())
      // One character is one byte, so the order of the texts is the order of the bytes.
      if (last !== null && key <= last)
        throw refusal('BENCODE_NOT_CANONICAL', `a key before byte ${this.#at} is out of order, or there twice`)
      last = key
      entries.set(key, this.#keepsRaw(depth, key) ? this.#raw() : this.value(depth + 1))
    }
    this.#at++
    return entries
  }

  /** Any value as it stands, canonical or not, and nested as deep as it likes: no call for each level. */
  #raw(): Uint8Array {
    const from = this.#at
    let open = 0
    do {
      const code = this.#peek()
      if (code === CODE.list || code === CODE.dictionary) {
        open++
        this.#at++
      } else if (code === CODE.end && open > 0) {
        open--
        this.#at++
      } else if (code === CODE.integer) this.#skipInteger()
      else this.#string()
    } while (open > 0)
    return this.#bytes.slice(from, this.#at)
  }

  #skipInteger(): void {
    while (this.#peek() !== CODE.end) this.#at++
    this.#at++
  }

  #integer(): bigint {
    this.#at++
    const isNegative = this.#peek() === CODE.minus
    if (isNegative) this.#at++
    const from = this.#at
    this.#skipDigits(CODE.end, MAX_INTEGER_CHARS - Number(isNegative))
    // "-0" is another encoding of 0.
    if (isNegative && this.#bytes[from] === CODE.zero) throw otherEncoding(from)
    const integer = BigInt(latin1(this.#bytes.subarray(isNegative ? from - 1 : from, this.#at - 1)))
    if (integer < MIN_INTEGER || integer > MAX_INTEGER) throw refusal('BENCODE_RANGE', 'an integer exceeds 64 bits')
    return integer
  }

  #string(): Uint8Array {
    const length = this.#length()
    const end = this.#at + length
    if (end > this.#bytes.length)
      throw refusal('BENCODE_TRUNCATED', `a string at byte ${this.#at} claims ${length} bytes`)
    const bytes = this.#bytes.slice(this.#at, end)
    this.#at = end
    return bytes
  }

  #length(): number {
    const from = this.#at
    this.#skipDigits(CODE.colon, MAX_LENGTH_CHARS)
    let length = 0
    for (let at = from; at < this.#at - 1; at++) length = length * 10 + this.#bytes[at]! - CODE.zero
    return length
  }

  /** Skips the digits of a number, and the byte that ends them. */
  #skipDigits(endsWith: number, maxChars: number): void {
    const from = this.#at
    for (;;) {
      const code = this.#peek()
      if (code === endsWith) break
      if (code < CODE.zero || code > CODE.nine) throw refusal('BENCODE_SYNTAX', `byte ${this.#at} belongs to no value`)
      if (this.#at - from >= maxChars) throw refusal('BENCODE_RANGE', `the number at byte ${from} is too long`)
      this.#at++
    }
    if (this.#at === from) throw refusal('BENCODE_SYNTAX', `a number is missing at byte ${from}`)
    if (this.#at - from > 1 && this.#bytes[from] === CODE.zero) throw otherEncoding(from)
    this.#at++
  }
}

/**
 * Decodes one value that fills all bytes.
 * @param bytes at most MAX_BENCODE_BYTES bytes; neither kept nor changed
 * @param keepsRaw names the values that come back as their bencoded bytes
 * @throws {PacketError} BENCODE_*
 */
export function decodeBencode(bytes: Uint8Array, keepsRaw: KeepsRaw = () => false): Bencode {
  if (bytes.length > MAX_BENCODE_BYTES)
    throw refusal('BENCODE_TOO_LARGE', `${bytes.length} bytes exceed the limit of ${MAX_BENCODE_BYTES}`)
  const reader = new Reader(bytes, keepsRaw)
  const value = reader.value(1)
  if (!reader.atEnd) throw refusal('BENCODE_TRAILING_BYTES', 'bytes follow the value')
  return value
}

/**
 * Encodes a value. {@link decodeBencode} accepts exactly these bytes. The order of the entries of a dictionary does not matter.
 * @param keepsRaw names the values that are bencoded already
 */
export function encodeBencode(value: Bencode, keepsRaw: KeepsRaw = () => false): Uint8Array {
  const parts: Uint8Array[] = []
  writeValue(parts, value, keepsRaw, 1)
  return concatBytes(...parts)
}

function writeValue(parts: Uint8Array[], value: Bencode, keepsRaw: KeepsRaw, depth: number): void {
  if (typeof value === 'bigint') parts.push(bytesOfLatin1(`i${value}e`))
  else if (value instanceof Uint8Array) parts.push(bytesOfLatin1(`${value.length}:`), value)
  else if (value instanceof Map) {
    parts.push(DICTIONARY)
    const entries = [...(value as BencodeDictionary)].toSorted(([a], [b]) => (a < b ? -1 : 1))
    for (const [key, item] of entries) {
      parts.push(bytesOfLatin1(`${key.length}:${key}`))
      if (item instanceof Uint8Array && keepsRaw(depth, key)) parts.push(item)
      else writeValue(parts, item, keepsRaw, depth + 1)
    }
    parts.push(END)
  } else {
    parts.push(LIST)
    for (const item of value as readonly Bencode[]) writeValue(parts, item, keepsRaw, depth + 1)
    parts.push(END)
  }
}

/** Bytes as a text of one character for each byte. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

/** @param text characters U+0000..00FF */
export function bytesOfLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

function otherEncoding(at: number): PacketError {
  return refusal('BENCODE_NOT_CANONICAL', `the number at byte ${at} has another encoding`)
}

function refusal(code: ConstructorParameters<typeof PacketError>[0], why: string): PacketError {
  return new PacketError(code, `the packet is refused: ${why}`)
}
