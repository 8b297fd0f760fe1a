/** Groups commits: those that arrive before a write begins, or during one, go to disk together, with one sync. */
import { StoreError, storeErrorOf } from './errors.ts'
import { checkCommit } from './store.ts'
import type { Write } from './store.ts'

const MAX_GROUP_BYTES = 1 << 20 // sanity: bytes of other commits that a caller may wait for; a larger commit goes alone

interface Waiting {
  readonly writes: readonly Write[]
  readonly bytes: number
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

/** A queue of commits. It calls the write function with one group at a time, and stops at the first failure; only a full disk it outlasts. */
export class GroupCommit {
  readonly #write: (writes: readonly Write[]) => Promise<void>
  readonly #path: string
  readonly #gather: (() => Promise<void>) | null
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #failure: StoreError | undefined
  #isClosed = false

  /**
   * @param write resolves when all writes are completely on disk, in this order; after a rejection it is not called before {@link resume}
   * @param path of the store, for messages
   * @param gather resolves when the first write after a pause may begin; null for at once
   */
  constructor(
    write: (writes: readonly Write[]) => Promise<void>,
    path: string,
    gather: (() => Promise<void>) | null = null,
  ) {
    this.#write = write
    this.#path = path
    this.#gather = gather
  }

  /** Queues a commit. @throws {StoreError} as {@link Store.commit} */
  commit(writes: readonly Write[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.checkReadable()
      if (this.#failure !== undefined) throw refused(this.#path, this.#failure)
      const bytes = checkCommit(writes)
      // Copied, since the caller may reuse its buffers while the commit waits.
      const copied = writes.map(({ key, value }) => ({ key, value: value && new Uint8Array(value) }))
      this.#waiting.push({ writes: copied, bytes, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** @throws {StoreError} STORE_STOPPED after a failed write, unless the disk was full | STORE_CLOSED */
  checkReadable(): void {
    if (this.#failure !== undefined && !this.isFull) throw refused(this.#path, this.#failure)
    if (this.#isClosed) throw new StoreError('STORE_CLOSED', `the store ${this.#path} is closed`)
  }

  /** Whether a write failed because the disk was full. */
  get isFull(): boolean {
    return this.#failure?.code === 'STORE_DISK_FULL'
  }

  /** Accepts commits again after a full disk. The caller knows what is on disk. */
  resume(): void {
    if (this.isFull) this.#failure = undefined
  }

  /** Stops for another reason than a failed write. */
  stop(failure: StoreError): void {
    this.#failure = failure
  }

  /** Refuses new commits; resolves when all queued ones have ended, with success or failure. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running
  }

  async #run(): Promise<void> {
    if (this.#gather !== null) await this.#gather()
    while (this.#waiting.length > 0) {
      const group = this.#nextGroup()
      try {
        await this.#write(lastOfEachKey(group))
      } catch (cause) {
        this.#fail(group, storeErrorOf(cause, 'write', this.#path))
        break
      }
      for (const { resolve } of group) resolve()
    }
    this.#running = undefined
  }

  #nextGroup(): Waiting[] {
    let count = 0
    let bytes = 0
    for (const waiting of this.#waiting) {
      bytes += waiting.bytes
      if (count > 0 && bytes > MAX_GROUP_BYTES) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  // From here on the end of the files is unknown, so nothing may build on it. The waiting commits are refused, not tried.
  #fail(group: readonly Waiting[], failure: StoreError): void {
    this.#failure = failure
    for (const { reject } of group) reject(failure)
    for (const { reject } of this.#waiting.splice(0)) reject(refused(this.#path, failure))
  }
}

/** Resolves once nothing is left to do of this turn of the event loop: a tick that is asked for in a microtask comes after all microtasks. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)))
}

/** The writes that a group leaves on disk: the last one of each key. A counter in every commit is then written once a group. */
function lastOfEachKey(group: readonly Waiting[]): readonly Write[] {
  const [first, ...others] = group
  if (others.length === 0) return first?.writes ?? []
  const byKey = new Map<string, Write>()
  for (const { writes } of group) for (const write of writes) byKey.set(write.key, write)
  return [...byKey.values()]
}

/** The error of a commit that was not tried. */
function refused(path: string, cause: StoreError): StoreError {
  if (cause.code === 'STORE_DISK_FULL')
    return new StoreError('STORE_DISK_FULL', `the disk of ${path} is full, so nothing was changed; make room`, {
      cause,
    })
  const message = `the store ${path} stopped after a failed write (${cause.code}); restart the program that uses it`
  return new StoreError('STORE_STOPPED', message, { cause })
}
