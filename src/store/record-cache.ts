/** Decoded records of a reader, kept until whoever writes says that they changed. */

const MAX_KEPT = 8192 // sanity: about 10 MB of contacts; emptied when full, which costs each record one read

/** Absent records are kept too: most keys that are asked for name nobody. */
export class RecordCache {
  readonly #kept = new Map<string, { readonly value: unknown }>()

  get(key: string): { readonly value: unknown } | undefined {
    return this.#kept.get(key)
  }

  keep(key: string, value: unknown): void {
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(key, { value })
  }

  /** The records of these keys changed on disk. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) this.#kept.delete(key)
  }
}
