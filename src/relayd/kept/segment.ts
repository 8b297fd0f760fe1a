/** A piece of memory to which records are only added. A record is: hash of the key, lengths of key and value, key, value; each begins at a word. */
import type { ShortKey } from './short-key.ts'

const HEAD_WORDS = 3
const MISSING = -1 // in place of the length of a value: the record is not there

export class Segment {
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  /** Where the next record begins. */
  #end = 0

  /** @param words words of four bytes */
  constructor(words: number) {
    this.#words = new Int32Array(words)
    this.#bytes = new Uint8Array(this.#words.buffer)
  }

  /** Words of a record. */
  static wordsOf(key: ShortKey, value: Uint8Array | null): number {
    return HEAD_WORDS + wordsFor(key.length) + wordsFor(value?.length ?? 0)
  }

  /** @param value copied; null for a record that is not there @returns the word at which the record begins; null if there is no room for it */
  add(key: ShortKey, value: Uint8Array | null): number | null {
    const at = this.#end
    const words = Segment.wordsOf(key, value)
    if (at + words > this.#words.length) return null
    this.#end += words
    this.#words[at] = key.hash
    this.#words[at + 1] = key.length
    this.#words[at + 2] = value?.length ?? MISSING
    const keyWords = wordsFor(key.length)
    for (let i = 0; i < keyWords; i++) this.#words[at + HEAD_WORDS + i] = key.words[i]!
    if (value !== null) this.#bytes.set(value, 4 * (at + HEAD_WORDS + keyWords))
    return at
  }

  /** Whether the record at a word is that of the key. */
  isOf(key: ShortKey, at: number): boolean {
    if (this.#words[at + 1] !== key.length) return false
    const keyWords = wordsFor(key.length)
    for (let i = 0; i < keyWords; i++) if (this.#words[at + HEAD_WORDS + i] !== key.words[i]) return false
    return true
  }

  /** @returns a view, which nothing changes any more; null for a record that is not there */
  valueAt(at: number): Uint8Array | null {
    const length = this.#words[at + 2]!
    if (length === MISSING) return null
    const from = 4 * (at + HEAD_WORDS + wordsFor(this.#words[at + 1]!))
    return this.#bytes.subarray(from, from + length)
  }

  /** Calls with the hash of each record, and the word at which the record begins. */
  forEach(call: (hash: number, at: number) => void): void {
    const words = this.#words
    for (let at = 0; at < this.#end;) {
      call(words[at]!, at)
      at += HEAD_WORDS + wordsFor(words[at + 1]!) + wordsFor(Math.max(0, words[at + 2]!))
    }
  }
}

function wordsFor(bytes: number): number {
  return (bytes + 3) >> 2
}
