/**
 * Reads one section's content front to back. Missing bytes are refused with the section's own error code, never
 * guessed.
 */
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

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** Reads so many bytes, not copied. @throws {ToxError} the section's code, like every read */
  bytes(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  /** Little-endian numbers: CONFERENCES and the heads of DHT. */
  u16le(): number {
    return this.#view.getUint16(this.#advance(2), true)
  }

  u32le(): number {
    return this.#view.getUint32(this.#advance(4), true)
  }

  u64le(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true)
  }

  /** Big-endian numbers: packed nodes and MessagePack. */
  u16be(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  u32be(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  /** Makes the error that refuses the section, with the current position. */
  refuse(why: string): ToxError {
    return new ToxError(
      this.#code,
      `${why}, at byte ${this.#at} of the section: use a backup; a Tox client that saves the profile may mend it`,
    )
  }

  #advance(length: number): number {
    // Compare a claimed length before allocating anything for it.
    if (length > this.left) throw this.refuse(`${length} bytes are expected but only ${this.left} are left`)
    const start = this.#at
    this.#at += length
    return start
  }
}
