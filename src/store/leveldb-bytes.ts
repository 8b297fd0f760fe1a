/** Reads the varints and fixed integers of LevelDB's files from one byte string, in turn (util/coding.h of LevelDB). */

/** A position in bytes; whoever reads past the end or an overlong varint gets a RangeError. */
export class LevelReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64(): number {
    return safe(this.#view.getBigUint64(this.#take(8), true))
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#take(1)]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return safe(value)
    }
    throw new RangeError('a varint of more than ten bytes')
  }

  /** The next bytes; a view. */
  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** A length as varint and as many bytes. */
  slice(): Uint8Array {
    return this.bytes(this.varint())
  }

  #take(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length) throw new RangeError('the bytes end too early')
    this.#at += length
    return start
  }
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a number beyond 2^53')
  return Number(value)
}
