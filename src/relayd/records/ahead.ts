/**
 * The records as they will be once all queued commits are on disk. A change reads them, and so builds on changes that are still on their way:
 * it runs from its first read to its commit in one step, and needs no lock. Whatever is given out is read from the store itself.
 */
import { checkCommit, type Entry, type Range, type Store, type Write } from '../../store/store.ts'

interface Coming {
  readonly value: Uint8Array | null
  /** The number of the commit that brings it. */
  readonly commit: number
}

export class Ahead implements Store {
  readonly #store: Store
  readonly #coming = new Map<string, Coming>()
  #commits = 0

  constructor(store: Store) {
    this.#store = store
  }

  /** @throws {StoreError} as {@link Store.get} */
  get(key: string): Uint8Array | undefined {
    const coming = this.#coming.get(key)
    return coming === undefined ? this.#store.get(key) : (coming.value ?? undefined)
  }

  /** Iterates over the records on disk. */
  iterate(range: Range): AsyncIterable<Entry> {
    return this.#store.iterate(range)
  }

  /** @throws {StoreError} as {@link Store.commit} */
  async commit(writes: readonly Write[]): Promise<void> {
    // Before anything builds on it. The store refuses nothing else that would not refuse all that follows as well.
    checkCommit(writes)
    const commit = ++this.#commits
    for (const { key, value } of writes) this.#coming.set(key, { value, commit })
    try {
      await this.#store.commit(writes)
    } catch (cause) {
      // All commits that wait have failed with this one, and all later ones until the store resumes.
      this.#coming.clear()
      throw cause
    }
    for (const { key } of writes) if (this.#coming.get(key)?.commit === commit) this.#coming.delete(key)
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  /** Whether a record is on its way. */
  has(key: string): boolean {
    return this.#coming.has(key)
  }
}
