/** The clients that wait, each for messages in some boxes. */
import { formatBoxKey } from '../../seal/box-key.ts'
import type { BoxId, RelayStore } from '../store/relay-store.ts'
import { readKey } from './request.ts'

interface Watcher {
  /** The key as the client wrote it. */
  readonly pub: string
  readonly listener: (pub: string) => void
}

export class Watchers {
  readonly #byBox = new Map<BoxId, Set<Watcher>>()
  readonly #stop: () => void

  constructor(store: Pick<RelayStore, 'watch'>) {
    this.#stop = store.watch((box) => {
      for (const { pub, listener } of this.#byBox.get(box) ?? []) listener(pub)
    })
  }

  /** @param pubs keys in any form; texts that are no keys wait for nothing */
  watch(pubs: readonly string[], listener: (pub: string) => void): () => void {
    const added = pubs.flatMap((pub) => {
      const key = readKey(pub)
      return key === null ? [] : [this.#add(formatBoxKey(key), { pub, listener })]
    })
    return () => {
      for (const remove of added) remove()
    }
  }

  close(): void {
    this.#stop()
    this.#byBox.clear()
  }

  #add(box: BoxId, watcher: Watcher): () => void {
    const watchers = this.#byBox.get(box) ?? new Set()
    this.#byBox.set(box, watchers.add(watcher))
    return () => {
      watchers.delete(watcher)
      // Another watcher may have come to a new set since.
      if (watchers.size === 0 && this.#byBox.get(box) === watchers) this.#byBox.delete(box)
    }
  }
}
