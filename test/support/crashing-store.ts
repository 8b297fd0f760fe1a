/** The store of a process that is killed: the commits before are on disk, and the process hears of no other. It can be opened again. */
import type { Entry, Range, Store, Write } from '../../src/store/store.ts'

export class CrashingStore implements Store {
  readonly #store: Store
  #left = Infinity

  constructor(store: Store) {
    this.#store = store
  }

  /** @param commits that still reach the disk. The process hears of all of them but the last */
  crashAfter(commits: number): void {
    this.#left = commits
  }

  get isDead(): boolean {
    return this.#left === 0
  }

  /** Another process opens the store. */
  revive(): void {
    this.#left = Infinity
  }

  get(key: string): Uint8Array | undefined {
    return this.#store.get(key)
  }

  iterate(range: Range): AsyncIterable<Entry> {
    return this.#store.iterate(range)
  }

  async commit(writes: readonly Write[]): Promise<void> {
    if (this.#left === 0) throw killed()
    const isLast = --this.#left === 0
    await this.#store.commit(writes)
    if (isLast) throw killed()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

function killed(): Error {
  return Object.assign(new Error('killed'), { code: 'EIO' })
}
