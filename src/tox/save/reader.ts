/** Reads the content of one section from front to end: what is not there is refused with the section's own code, never guessed. */
import { ToxError } from './errors.ts'

export type SectionCode = 'TOX_BAD_NODES' | 'TOX_BAD_CONFERENCES' | 'TOX_BAD_GROUPS'

export class SectionReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #code: SectionCode
  #at = 0

  /** @param bytes not copied */
  constructor(bytes: Uint8Array, code: SectionCode) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#code = code
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  bytes(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  /** As toxcore writes numbers into CONFERENCES and into the heads of DHT. */
  u16le(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32le(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64le(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  /** As in packed nodes and in MessagePack. */
  u16be(): number {
    return this.#view.getUint16(this.#take(2))
  }

  u32be(): number {
    return this.#view.getUint32(this.#take(4))
  }

  refuse(why: string): ToxError {
    return new ToxError(
      this.#code,
      `${why}, at byte ${this.#at} of the section: use a backup; a Tox client that saves the profile may mend it`,
    )
  }

  #take(length: number): number {
    // A claimed length is compared before anything is made of it.
    if (length > this.left) throw this.refuse(`${length} bytes are wanted where ${this.left} are left`)
    const start = this.#at
    this.#at += length
    return start
  }
}
