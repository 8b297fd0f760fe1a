/** Records in memory, up to a number of bytes. The one that was kept first goes first. */
const ENTRY_BYTES = 160 // sanity: an entry of a Map, a string and a typed array, beside their own bytes

export class KeptRecords {
  readonly #maxBytes: number
  /** null for a record that is not there. */
  readonly #kept = new Map<string, Uint8Array | null>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** About how many bytes the records take. */
  get bytes(): number {
    return this.#bytes
  }

  /** @returns undefined if nothing is known of the record, and null if it is not there */
  get(key: string): Uint8Array | null | undefined {
    return this.#kept.get(key)
  }

  has(key: string): boolean {
    return this.#kept.has(key)
  }

  /** @param value kept as it is; null for a record that is not there */
  keep(key: string, value: Uint8Array | null): void {
    const before = this.#kept.get(key)
    if (before !== undefined) this.#bytes -= sizeOf(key, before)
    this.#kept.set(key, value)
    this.#bytes += sizeOf(key, value)
    if (this.#bytes <= this.#maxBytes) return
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.drop(oldest)
    }
  }

  drop(key: string): void {
    const value = this.#kept.get(key)
    if (value === undefined) return
    this.#kept.delete(key)
    this.#bytes -= sizeOf(key, value)
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }
}

function sizeOf(key: string, value: Uint8Array | null): number {
  return ENTRY_BYTES + key.length + (value?.length ?? 0)
}
