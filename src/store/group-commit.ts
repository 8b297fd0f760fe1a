/** Many callers, one sync: commits that arrive while a write is under way go to disk together with the next one. */
import { StoreError, storeErrorOf } from './errors.ts'
import { checkCommit } from './store.ts'
import type { Write } from './store.ts'

const MAX_GROUP_BYTES = 1 << 20 // sanity: how much of others' commits a caller waits for; one larger commit goes alone

interface Waiting {
  readonly writes: readonly Write[]
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

/** The queue of commits in front of one writing function, which is called for one group at a time. */
export class GroupCommit {
  readonly #write: (writes: readonly Write[]) => Promise<void>
  readonly #path: string
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #failure: StoreError | undefined
  #isClosed = false

  /**
   * @param write resolves when all writes are on disk, in this order and wholly; after a rejection it is not called again
   * @param path what is written to, for messages
   */
  constructor(write: (writes: readonly Write[]) => Promise<void>, path: string) {
    this.#write = write
    this.#path = path
  }

  /** @throws {StoreError} as {@link Store.commit} */
  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.checkUsable()
      const bytes = checkCommit(writes)
      // Copied: the caller may reuse its buffers while this waits.
      const copied = writes.map(({ key, value }) => ({ key, value: value && Uint8Array.from(value) }))
      this.#waiting.push({ writes: copied, bytes, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** @throws {StoreError} STORE_STOPPED after a failed write | STORE_CLOSED */
  checkUsable(): void {
    if (this.#failure !== undefined) throw stopped(this.#path, this.#failure)
    if (this.#isClosed) throw new StoreError('STORE_CLOSED', `the store ${this.#path} was closed`)
  }

  /** Takes no more commits, and resolves when those taken have ended, well or badly. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup()
      try {
        await this.#write(group.flatMap(({ writes }) => writes))
      } catch (cause) {
        this.#fail(group, storeErrorOf(cause, 'write', this.#path))
        break
      }
      for (const { resolve } of group) resolve()
    }
    this.#running = undefined
  }

  #takeGroup(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes
      if (count > 0 && bytes > MAX_GROUP_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  // What is on disk is unknown from here on, so nothing may be built upon it: the rest is refused, not tried.
  #fail(group: readonly Waiting[], failure: StoreError): void {
    this.#failure = failure
    for (const { reject } of group) reject(failure)
    for (const { reject } of this.#waiting.splice(0)) reject(stopped(this.#path, failure))
  }
}

function stopped(path: string, cause: StoreError): StoreError {
  const message = `the store ${path} stopped after a failed write (${cause.code}): stop the daemon and start it again`
  return new StoreError('STORE_STOPPED', message, { cause })
}
