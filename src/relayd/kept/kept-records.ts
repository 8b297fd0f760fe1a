/**
 * Records in memory, up to a number of bytes. They lie in segments one after the other, and the segment that was begun first goes first. A new
 * value takes a new place; the one before stays in its segment, without use, until that goes.
 *
 * A Map from keys to arrays would be shorter. But each of its records is ten objects of the heap, which takes 1.2 KB in place of 0.2, and a
 * look-up waits for memory at each of them: among 100 000 records it takes longer than all else that a relay does for a check of a box.
 */
import { Segment } from './segment.ts'
import { ShortKey } from './short-key.ts'

const SEGMENTS = 128 // sanity: at most 512 KiB of a relay go at a time, which takes 1 ms

export class KeptRecords {
  readonly #segmentWords: number
  /** The oldest one comes after the newest, once all are there. */
  readonly #segments: Segment[] = []
  #newest = -1
  /**
   * By the hash of its key, the word at which a record begins, counted over all segments. The later one of two keys with one hash is kept: whoever
   * makes up such a key drives out one record, which is then read from the disk.
   */
  readonly #places = new Map<number, number>()
  readonly #key = new ShortKey()

  /** @param maxBytes bytes of all segments; a record of more than a 128th of it is not kept */
  constructor(maxBytes: number) {
    this.#segmentWords = Math.floor(maxBytes / SEGMENTS / 4)
  }

  /** Bytes of the segments. The index of their records takes up to half of that beside them. */
  get bytes(): number {
    return this.#segments.length * this.#segmentWords * 4
  }

  /** @returns undefined if nothing is known of the record, and null if it is not there; bytes that nobody may change */
  get(key: string): Uint8Array | null | undefined {
    const place = this.#find(key)
    return place === undefined ? undefined : this.#segmentOf(place).valueAt(place % this.#segmentWords)
  }

  has(key: string): boolean {
    return this.#find(key) !== undefined
  }

  /** @param value copied; null for a record that is not there */
  keep(key: string, value: Uint8Array | null): void {
    if (!this.#key.read(key)) return
    if (Segment.wordsOf(this.#key, value) > this.#segmentWords) return this.drop(key)
    const at = this.#segments[this.#newest]?.add(this.#key, value) ?? this.#begin().add(this.#key, value)
    this.#places.set(this.#key.hash, this.#newest * this.#segmentWords + at!)
  }

  drop(key: string): void {
    if (this.has(key)) this.#places.delete(this.#key.hash)
  }

  clear(): void {
    this.#segments.length = 0
    this.#newest = -1
    this.#places.clear()
  }

  #find(key: string): number | undefined {
    if (!this.#key.read(key)) return undefined
    const place = this.#places.get(this.#key.hash)
    if (place === undefined) return undefined
    return this.#segmentOf(place).isOf(this.#key, place % this.#segmentWords) ? place : undefined
  }

  #segmentOf(place: number): Segment {
    return this.#segments[Math.floor(place / this.#segmentWords)]!
  }

  /** Begins a segment, in place of the oldest one if all are there. */
  #begin(): Segment {
    this.#newest = (this.#newest + 1) % SEGMENTS
    const first = this.#newest * this.#segmentWords
    this.#segments[this.#newest]?.forEach((hash, at) => {
      if (this.#places.get(hash) === first + at) this.#places.delete(hash)
    })
    // A new one: somebody may still read a view of the one before.
    return (this.#segments[this.#newest] = new Segment(this.#segmentWords))
  }
}
