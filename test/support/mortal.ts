/**
 * The store and file system of a process that is killed before one of its writes. After that nothing is written any
 * more.
 */
import { promises } from 'node:fs'
import type { DurableFs } from '../../src/durable/file.ts'
import type { Store } from '../../src/store/store.ts'

export class Life {
  /** Number of writes since counting started; null before. */
  #writes: number | null = null
  readonly #atMost: number

  constructor(atMost: number) {
    this.#atMost = atMost
  }

  /** Starts counting writes, so that those of the start do not count. */
  begin(): void {
    this.#writes = 0
  }

  get isOver(): boolean {
    return this.#writes !== null && this.#writes >= this.#atMost
  }

  async live<T>(work: () => Promise<T>): Promise<T> {
    if (this.isOver) throw Object.assign(new Error('killed'), { code: 'EIO' })
    if (this.#writes !== null) this.#writes++
    return await work()
  }
}

export function mortalStore(store: Store, life: Life): Store {
  return {
    get: (key) => store.get(key),
    iterate: (range) => store.iterate(range),
    commit: (writes) => life.live(() => store.commit(writes)),
    close: () => store.close(),
  }
}

export function mortalFs(life: Life): DurableFs {
  return {
    open: (path, flags, mode) => life.live(() => promises.open(path, flags, mode)),
    rename: (from, to) => life.live(() => promises.rename(from, to)),
    unlink: (path) => life.live(() => promises.unlink(path)),
    readdir: (path) => promises.readdir(path),
  }
}
