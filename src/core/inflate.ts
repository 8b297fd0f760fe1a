/**
 * The strict inflater of the format: raw DEFLATE (RFC 1951) with a preset dictionary (docs/format.md, section 11).
 *
 * It accepts exactly the streams that zlib accepts and that end in the last byte. Like zlib, it ignores the bits left over in
 * that byte: RFC 1951 gives them no value, and the signature already covers them.
 */
import { BlobError } from './errors.ts'

const MAX_CODE_BITS = 15 // format: RFC 1951, section 3.2.7
const MAX_LENGTH_SYMBOLS = 286 // format: 286 and 287 are in the fixed code but have no meaning
const MAX_DISTANCE_SYMBOLS = 30 // format: likewise 30 and 31
const END_OF_BLOCK = 256

const LENGTH_BASE = Uint16Array.from([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
])
const LENGTH_EXTRA_BITS = Uint8Array.from([
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
])
const DISTANCE_BASE = Uint16Array.from([
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
])
const DISTANCE_EXTRA_BITS = Uint8Array.from([
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
])
const CODE_LENGTH_ORDER = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

/** A canonical Huffman code: the number of codes of each length, and the symbols in the order of the codes. */
interface Code {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

function emptyCode(): Code {
  return { counts: new Uint16Array(MAX_CODE_BITS + 1), symbols: new Uint16Array(288) }
}

// Reused by every call, which is safe because core is synchronous. New tables for each call would cost more than the decoding.
const offsets = new Uint16Array(MAX_CODE_BITS + 2)
const codeLengths = new Uint8Array(MAX_LENGTH_SYMBOLS + MAX_DISTANCE_SYMBOLS)
const lengthCode = emptyCode()
const distanceCode = emptyCode()
let window = new Uint8Array(0)

const FIXED_LENGTH_CODE = emptyCode()
const FIXED_DISTANCE_CODE = emptyCode()
buildCode(
  FIXED_LENGTH_CODE,
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
)
buildCode(FIXED_DISTANCE_CODE, new Uint8Array(32).fill(5))

/**
 * Fills `code` from the code length of each symbol (RFC 1951, section 3.2.2).
 * @returns number of unused codes, counted at the greatest length: 0 for a complete code, negative for an over-subscribed one
 */
function buildCode(code: Code, lengths: Uint8Array): number {
  const { counts, symbols } = code
  counts.fill(0)
  for (let symbol = 0; symbol < lengths.length; symbol++) counts[lengths[symbol]!]!++
  let left = 1
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    left = 2 * left - counts[bits]!
  }
  offsets[1] = 0
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) offsets[bits + 1] = offsets[bits]! + counts[bits]!
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const bits = lengths[symbol]!
    if (bits !== 0) symbols[offsets[bits]!++] = symbol
  }
  return left
}

/** Like zlib, accepts an incomplete code only if it has no symbol, or one symbol of one bit. */
function isUsable(code: Code, lengths: Uint8Array, left: number): boolean {
  const short = code.counts[0]! + code.counts[1]!
  return left === 0 || (left > 0 && short === lengths.length)
}

function invalid(what: string): BlobError<'DEFLATE_INVALID'> {
  return new BlobError('DEFLATE_INVALID', `the compressed document is not a valid DEFLATE stream: ${what}`)
}

class Inflater {
  private readonly input: Uint8Array
  private inputAt = 0
  private held = 0
  private heldBits = 0
  private at: number
  private readonly end: number

  /** The output goes to `window`, from `start` up to `end`. The dictionary lies before `start`. */
  constructor(input: Uint8Array, start: number, end: number) {
    this.input = input
    this.at = start
    this.end = end
  }

  /** @returns where the output ends in `window` */
  run(): number {
    let final = false
    while (!final) {
      final = this.bits(1) === 1
      const type = this.bits(2)
      if (type === 0) this.storedBlock()
      else if (type === 1) this.codedBlock(FIXED_LENGTH_CODE, FIXED_DISTANCE_CODE)
      else if (type === 2) this.dynamicBlock()
      else throw invalid('a block of type 3')
    }
    if (this.input.length - this.inputAt + (this.heldBits >> 3) > 0) {
      throw new BlobError('DEFLATE_TRAILING_BYTES', 'the compressed document has bytes after its final block')
    }
    return this.at
  }

  private bits(count: number): number {
    while (this.heldBits < count) {
      if (this.inputAt === this.input.length) throw invalid('it ends early')
      this.held |= this.input[this.inputAt++]! << this.heldBits
      this.heldBits += 8
    }
    const value = this.held & ((1 << count) - 1)
    this.held >>>= count
    this.heldBits -= count
    return value
  }

  /** Reads one symbol. It compares codes length by length: for such short texts, building lookup tables would cost more. */
  private symbol(code: Code): number {
    const { counts, symbols } = code
    while (this.heldBits < MAX_CODE_BITS && this.inputAt < this.input.length) {
      this.held |= this.input[this.inputAt++]! << this.heldBits
      this.heldBits += 8
    }
    const longest = Math.min(this.heldBits, MAX_CODE_BITS)
    let rest = this.held
    let value = 0
    let first = 0 // first code of this length
    let index = 0 // index of its symbol
    for (let bits = 1; bits <= longest; bits++) {
      value |= rest & 1
      rest >>>= 1
      const count = counts[bits]!
      if (value - first < count) {
        this.held = rest
        this.heldBits -= bits
        return symbols[index + value - first]!
      }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw invalid(longest < MAX_CODE_BITS ? 'it ends early' : 'a code without a symbol')
  }

  private reserve(length: number): void {
    if (length > this.end - this.at) {
      throw new BlobError('DEFLATE_TOO_LARGE', 'the inflated document is larger than the format allows')
    }
  }

  private storedBlock(): void {
    this.bits(this.heldBits & 7)
    const length = this.bits(16)
    if ((length ^ this.bits(16)) !== 0xffff) throw invalid('a stored block whose length does not match its complement')
    // No bit is held now: symbol() leaves at most 21 bits, and this block's header and lengths have used them all.
    if (length > this.input.length - this.inputAt) throw invalid('it ends early')
    this.reserve(length)
    window.set(this.input.subarray(this.inputAt, this.inputAt + length), this.at)
    this.inputAt += length
    this.at += length
  }

  private dynamicBlock(): void {
    const lengthSymbols = this.bits(5) + 257
    const distanceSymbols = this.bits(5) + 1
    const ordered = this.bits(4) + 4
    if (lengthSymbols > MAX_LENGTH_SYMBOLS || distanceSymbols > MAX_DISTANCE_SYMBOLS) throw invalid('too many symbols')
    const metaLengths = codeLengths.subarray(0, CODE_LENGTH_ORDER.length).fill(0)
    for (let i = 0; i < ordered; i++) metaLengths[CODE_LENGTH_ORDER[i]!] = this.bits(3)
    if (buildCode(lengthCode, metaLengths) !== 0) throw invalid('an incomplete or over-subscribed set of code lengths')

    const total = lengthSymbols + distanceSymbols
    this.readCodeLengths(total)
    if (codeLengths[END_OF_BLOCK] === 0) throw invalid('a block without an end')
    const lengths = codeLengths.subarray(0, lengthSymbols)
    if (!isUsable(lengthCode, lengths, buildCode(lengthCode, lengths))) throw invalid('a bad set of lengths')
    const distances = codeLengths.subarray(lengthSymbols, total)
    if (!isUsable(distanceCode, distances, buildCode(distanceCode, distances))) throw invalid('a bad set of distances')
    this.codedBlock(lengthCode, distanceCode)
  }

  /** Reads the lengths of both codes, which share their runs (RFC 1951, section 3.2.7), with `lengthCode`. */
  private readCodeLengths(total: number): void {
    let at = 0
    while (at < total) {
      const symbol = this.symbol(lengthCode)
      if (symbol < 16) {
        codeLengths[at++] = symbol
        continue
      }
      if (symbol === 16 && at === 0) throw invalid('a repeated code length without one before')
      const value = symbol === 16 ? codeLengths[at - 1]! : 0
      const times = symbol === 16 ? 3 + this.bits(2) : symbol === 17 ? 3 + this.bits(3) : 11 + this.bits(7)
      if (times > total - at) throw invalid('too many code lengths')
      codeLengths.fill(value, at, at + times)
      at += times
    }
  }

  private codedBlock(lengths: Code, distances: Code): void {
    for (;;) {
      const symbol = this.symbol(lengths)
      if (symbol < END_OF_BLOCK) {
        this.reserve(1)
        window[this.at++] = symbol
      } else if (symbol === END_OF_BLOCK) {
        return
      } else if (symbol < MAX_LENGTH_SYMBOLS) {
        this.copy(symbol - 257, distances)
      } else {
        throw invalid('a length symbol without a meaning')
      }
    }
  }

  private copy(lengthSymbol: number, distances: Code): void {
    const length = LENGTH_BASE[lengthSymbol]! + this.bits(LENGTH_EXTRA_BITS[lengthSymbol]!)
    const symbol = this.symbol(distances)
    if (symbol >= MAX_DISTANCE_SYMBOLS) throw invalid('a distance symbol without a meaning')
    const distance = DISTANCE_BASE[symbol]! + this.bits(DISTANCE_EXTRA_BITS[symbol]!)
    if (distance > this.at) throw invalid('a distance that reaches before the dictionary')
    this.reserve(length)
    // Byte by byte: when the distance is shorter than the length, the copy repeats its own output.
    for (let i = 0; i < length; i++, this.at++) window[this.at] = window[this.at - distance]!
  }
}

/**
 * Inflates a raw DEFLATE stream (docs/format.md, section 11).
 * @param compressed exactly the stream, with no bytes after it
 * @param dictionary bytes before the first one that distances may reach, at most 32 768 (the window of RFC 1951)
 * @param maxBytes limit of the output in bytes; the caller passes a constant, since it also bounds the working memory
 * @throws {BlobError} DEFLATE_INVALID | DEFLATE_TOO_LARGE | DEFLATE_TRAILING_BYTES
 */
export function inflate(compressed: Uint8Array, dictionary: Uint8Array, maxBytes: number): Uint8Array {
  const start = dictionary.length
  if (window.length < start + maxBytes) window = new Uint8Array(start + maxBytes)
  window.set(dictionary)
  return window.slice(start, new Inflater(compressed, start, start + maxBytes).run())
}
