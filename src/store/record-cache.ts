/** A cache of decoded records. A record stays until the writer reports a change. */

export const MAX_KEPT = 8192 // sanity: records of one kind, about 10 MB of contacts; the cache is emptied when full, which costs each record one read

/** The cached records of one kind by id. It caches missing records too, since most lookups are for unknown keys. */
export class KeptRecords {
  readonly #byId = new Map<string, { readonly value: unknown }>()
  readonly #max: number

  constructor(max: number) {
    this.#max = max
  }

  get(id: string): { readonly value: unknown } | undefined {
    return this.#byId.get(id)
  }

  keep(id: string, value: unknown): void {
    if (this.#byId.size >= this.#max) this.#byId.clear()
    this.#byId.set(id, { value })
  }

  forget(id: string): void {
    this.#byId.delete(id)
  }

  clear(): void {
    this.#byId.clear()
  }
}

/** The cached records of all kinds. It has one map per kind: joining kind and id into a key would cost more than the rest of a read. */
export class RecordCache {
  readonly #kinds = new Map<string, KeptRecords>()
  readonly #max: number

  /** @param max number of records of each kind */
  constructor(max: number = MAX_KEPT) {
    this.#max = max
  }

  /** @param name of the kind, the part of its keys before the slash */
  kind(name: string): KeptRecords {
    let kept = this.#kinds.get(name)
    if (kept === undefined) this.#kinds.set(name, (kept = new KeptRecords(this.#max)))
    return kept
  }

  /** Drops the records of these keys, because they changed on disk. */
  forget(keys: Iterable<string>): void {
    for (const key of keys) {
      const end = key.indexOf('/')
      this.#kinds.get(key.slice(0, end))?.forget(key.slice(end + 1))
    }
  }

  clear(): void {
    for (const kept of this.#kinds.values()) kept.clear()
  }
}
