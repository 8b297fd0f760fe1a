/** Reads the varints and fixed integers of LevelDB's files (util/coding.h of LevelDB). */

/** A reader with a position in its bytes. It throws a RangeError on a read past the end and on an overlong varint. */
export class LevelReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Offset of the next byte. */
  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  u64(): number {
    return toSafeNumber(this.#view.getBigUint64(this.#advance(8), true))
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#advance(1)]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return toSafeNumber(value)
    }
    throw new RangeError('a varint is longer than ten bytes')
  }

  /** The next `length` bytes, as a view. */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Reads a length as varint, then that many bytes, as a view. */
  slice(): Uint8Array {
    return this.bytes(this.varint())
  }

  #advance(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length) throw new RangeError('the bytes end too early')
    this.#at += length
    return start
  }
}

function toSafeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a number is above 2^53')
  return Number(value)
}
