/** The single writer: changes are decided one after the other on what was decided before, and told only when they are on disk. */
import { checkCommit, type Entry, type Range, type Store, type Write } from '../../store/store.ts'

/**
 * A store as its one writer sees it. A change is a synchronous function, so nothing comes between its reads and its writes, and the
 * next change need not wait for the disk: it reads what the changes before it staged, while readers still see only what is on disk.
 */
export class Writer implements Store {
  readonly #store: Store
  readonly #onDurable: (keys: string[]) => void
  /** Written, not yet on disk. */
  readonly #inFlight = new Map<string, { readonly value: Uint8Array | null; readonly change: number }>()
  #staged: Map<string, Uint8Array | null> | null = null
  #undo: (() => void)[] = []
  #changes = 0
  #last: Promise<void> = Promise.resolve()

  /** @param onDurable told the keys of each commit once it is on disk */
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

  /** What is on disk. */
  iterate(range: Range): AsyncIterable<Entry> {
    return this.#store.iterate(range)
  }

  /** Adds a write to the change that is being decided. */
  stage(write: Write): void {
    if (this.#staged === null) throw new Error('a write outside of a change')
    this.#staged.set(write.key, write.value)
  }

  /** What takes back an effect of the change in memory, should the change be given up. */
  onUndo(undo: () => void): void {
    this.#undo.push(undo)
  }

  /**
   * Decides a change and makes it durable as one commit; a throw in `decide` leaves everything as it was.
   * @param decide synchronous; calls {@link stage}, and {@link onUndo} for what it changes in memory
   * @throws {StoreError} STORE_TOO_LARGE | STORE_KEY_INVALID: it is as if it had never been decided; any other: the outcome is unknown,
   *   and the daemon must stop
   */
  async change<T>(decide: () => T): Promise<T> {
    this.#staged = new Map()
    this.#undo = []
    let result: T
    let writes: Write[]
    try {
      result = decide()
      writes = [...this.#staged].map(([key, value]) => ({ key, value }))
      // Refused here, before the next change could read of it: what the store refuses is never on its way to disk.
      checkCommit(writes)
    } catch (error) {
      for (const undo of this.#undo.toReversed()) undo()
      throw error
    } finally {
      this.#staged = null
    }
    await this.commit(writes)
    return result
  }

  async commit(writes: readonly Write[]): Promise<void> {
    // What was decided without a write may rest on what is still on its way to disk, and must not be told before it.
    if (writes.length === 0) return this.#last
    const change = ++this.#changes
    for (const { key, value } of writes) this.#inFlight.set(key, { value, change })
    this.#last = this.#store.commit(writes)
    await this.#last
    this.#onDurable(writes.map(({ key }) => key))
    for (const { key } of writes) if (this.#inFlight.get(key)?.change === change) this.#inFlight.delete(key)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
