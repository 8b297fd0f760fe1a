/** Decoded records, kept until whoever writes says that they changed. */

export const MAX_KEPT = 8192 // sanity: of one kind; about 10 MB of contacts; emptied when full, which costs each record one read

/** The kept records of one kind by their ids; absent ones too, since most keys that are asked for name nobody. */
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

/** By kind, and not by whole key: joining kind and id for each read would cost more than the rest of it. */
export class RecordCache {
  readonly #kinds = new Map<string, KeptRecords>()
  readonly #max: number

  /** @param max records of each kind */
  constructor(max: number = MAX_KEPT) {
    this.#max = max
  }

  /** @param name of the kind, as in the keys of its records before the slash */
  kind(name: string): KeptRecords {
    let kept = this.#kinds.get(name)
    if (kept === undefined) this.#kinds.set(name, (kept = new KeptRecords(this.#max)))
    return kept
  }

  /** The records of these keys changed on disk. */
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
