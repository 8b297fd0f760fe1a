/** A key of a record as words of four characters each: it is compared and hashed in a dozen steps, and takes no object. */
import { MAX_KEY_BYTES } from '../../store/store.ts'

const encoder = new TextEncoder()

export class ShortKey {
  /** Only the words of the key count; those after them are of keys before. */
  readonly words: Int32Array = new Int32Array(Math.ceil(MAX_KEY_BYTES / 4))
  /** Number of characters. */
  length = 0
  /** Different keys may have the same one, and whoever makes keys up can find such. */
  hash = 0
  readonly #bytes = new Uint8Array(this.words.buffer)

  /** Takes the place of the key before. @returns false if it is longer than any key of a store, or is not ASCII, as all keys of a relay are */
  read(key: string): boolean {
    const { read, written } = encoder.encodeInto(key, this.#bytes)
    // Any other character takes several bytes.
    if (read !== key.length || written !== key.length) return false
    this.#bytes.fill(0, written, written + 3)
    let hash = written
    for (let i = 0; i < written / 4; i++) {
      hash = Math.imul(hash ^ this.words[i]!, 0x9e37_79b1) // 2^32 divided by the golden ratio
      hash ^= hash >>> 15
    }
    this.length = written
    this.hash = hash
    return true
  }
}
