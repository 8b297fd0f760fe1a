/** The single writer. It decides changes one after the other, each on the result of the one before, and reports a change only once it is on disk. */
import { checkCommit, type Entry, type Range, type Store, type Write } from '../../store/store.ts'

/**
 * A store as its one writer sees it. A change is a synchronous function, so nothing comes between its reads and its writes. The next
 * change does not wait for the disk: it reads the writes that earlier changes staged. Other readers still see only what is on disk.
 */
export class Writer implements Store {
  readonly #store: Store
  readonly #onDurable: (keys: string[]) => void
  /** Written, not yet on disk. */
  readonly #inFlight = new Map<string, { readonly value: Uint8Array | null; readonly change: number }>()
  /** How to revert each change that is in flight, in the order of the changes. */
  readonly #undoOf = new Map<number, readonly (() => void)[]>()
  #staged: Map<string, Uint8Array | null> | null = null
  #undo: (() => void)[] = []
  #changes = 0
  #last: Promise<void> = Promise.resolve()

  /** @param onDurable called with the keys of each commit once it is on disk */
  constructor(store: Store, onDurable: (keys: string[]) => void = () => {}) {
    this.#store = store
    this.#onDurable = onDurable
  }

  get(key: string): Uint8Array | undefined {
    const staged = this.#staged?.get(key)
    if (staged !== undefined) return staged ?? undefined
    const inFlight = this.#inFlight.get(key)
    if (inFlight !== undefined) return inFlight.value ?? undefined
    return this.#store.get(key)
  }

  /** Iterates over what is on disk. */
  iterate(range: Range): AsyncIterable<Entry> {
    return this.#store.iterate(range)
  }

  /** Adds a write to the change that is being decided. */
  stage(write: Write): void {
    if (this.#staged === null) throw new Error('a write outside of a change')
    this.#staged.set(write.key, write.value)
  }

  /** Registers a function that reverts an effect in memory if the change throws. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  /**
   * Decides a change and makes it durable as one commit; a throw in `decide` leaves everything as it was.
   * @param decide synchronous; calls {@link stage}, and {@link onUndo} for what it changes in memory
   * @throws {StoreError} STORE_TOO_LARGE | STORE_KEY_INVALID | STORE_DISK_FULL if nothing happened; after any other code the outcome is
   *   unknown, and the daemon must stop
   */
  async change<T>(decide: () => T): Promise<T> {
    this.#staged = new Map()
    this.#undo = []
    let result: T
    let writes: Write[]
    try {
      result = decide()
      writes = [...this.#staged].map(([key, value]) => ({ key, value }))
      // Check here, before the next change could read these writes: the store must not refuse a commit that is already in flight.
      checkCommit(writes)
    } catch (error) {
      for (const undo of this.#undo.toReversed()) undo()
      throw error
    } finally {
      this.#staged = null
    }
    await this.commit(writes, this.#undo)
    return result
  }

  async commit(writes: readonly Write[], undo: readonly (() => void)[] = []): Promise<void> {
    // A change without writes may depend on writes still in flight, so wait for those before returning.
    if (writes.length === 0) return this.#last
    const change = ++this.#changes
    for (const { key, value } of writes) this.#inFlight.set(key, { value, change })
    this.#undoOf.set(change, undo)
    this.#last = this.#store.commit(writes)
    try {
      await this.#last
    } catch (error) {
      this.#undoAll()
      throw error
    }
    this.#undoOf.delete(change)
    this.#onDurable(writes.map(({ key }) => key))
    for (const { key } of writes) if (this.#inFlight.get(key)?.change === change) this.#inFlight.delete(key)
  }

  /**
   * After a failed write the store refuses everything that is in flight. Those changes were decided one on top of the other, so all their
   * effects in memory are reverted, the newest first. When the disk has room again, the state goes on from what is on disk.
   */
  #undoAll(): void {
    for (const undo of [...this.#undoOf.values()].toReversed()) for (const revert of undo.toReversed()) revert()
    this.#undoOf.clear()
    this.#inFlight.clear()
    this.#last = Promise.resolve()
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
