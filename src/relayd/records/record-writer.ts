/** Writes the changes of a relay's store, and notices a full disk. */
import { StoreError } from '../../store/errors.ts'
import type { ResumableStore, Write } from '../../store/store.ts'
import type { Ahead } from './ahead.ts'

export class RecordWriter {
  readonly #store: Pick<ResumableStore, 'resume'>
  readonly #ahead: Pick<Ahead, 'commit'>
  #isFull = false
  #resuming: Promise<void> | null = null

  constructor(store: Pick<ResumableStore, 'resume'>, ahead: Pick<Ahead, 'commit'>) {
    this.#store = store
    this.#ahead = ahead
  }

  /** Whether a commit failed because the disk was full. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Ends once the store can be read: it cannot for some milliseconds after a full disk. Null while it can. */
  get resuming(): Promise<void> | null {
    return this.#resuming
  }

  /** @throws {StoreError} STORE_DISK_FULL: nothing was changed; other codes as {@link ResumableStore.commit} */
  async commit(writes: readonly Write[]): Promise<void> {
    try {
      await this.#ahead.commit(writes)
    } catch (cause) {
      if (isDiskFull(cause)) this.#isFull = true
      throw cause
    }
  }

  /** @returns false if the disk is full, so that nothing was changed */
  async write(writes: readonly Write[]): Promise<boolean> {
    try {
      await this.commit(writes)
      return true
    } catch (cause) {
      if (isDiskFull(cause)) return false
      throw cause
    }
  }

  /** Looks for room after a full disk. */
  async resume(): Promise<void> {
    await (this.#resuming ??= this.#resume())
  }

  async #resume(): Promise<void> {
    try {
      this.#isFull = !(await this.#store.resume())
    } finally {
      this.#resuming = null
    }
  }
}

function isDiskFull(cause: unknown): boolean {
  return cause instanceof StoreError && cause.code === 'STORE_DISK_FULL'
}
