/** The clients that wait, each for messages in some boxes. Most boxes have one, so it stands for itself: a set for each would double what a stream takes. */
import type { BoxId, RelayStore } from '../store/relay-store.ts'
import type { BoxNews } from './box-service.ts'
import { boxIdOf, readKey } from './request.ts'

interface Watcher {
  /** The key as the client wrote it. */
  readonly pub: string
  readonly box: BoxId
  readonly listener: BoxNews
}

export class Watchers {
  readonly #byBox = new Map<BoxId, Watcher | Set<Watcher>>()
  readonly #stop: () => void

  constructor(store: Pick<RelayStore, 'watch'>) {
    this.#stop = store.watch((box, coming) => {
      const found = this.#byBox.get(box)
      if (found === undefined) return
      const given = coming === null ? null : { after: coming.afterUs, at: coming.atUs, data: coming.data }
      if (found instanceof Set) for (const { pub, listener } of found) listener(pub, given)
      else found.listener(found.pub, given)
    })
  }

  /** @param pubs keys in any form; texts that are no keys wait for nothing */
  watch(pubs: readonly string[], listener: BoxNews): () => void {
    const added = pubs.flatMap((pub): Watcher[] => {
      const key = readKey(pub)
      return key === null ? [] : [{ pub, box: boxIdOf(key, pub), listener }]
    })
    for (const watcher of added) this.#add(watcher)
    return () => {
      for (const watcher of added) this.#remove(watcher)
    }
  }

  close(): void {
    this.#stop()
    this.#byBox.clear()
  }

  #add(watcher: Watcher): void {
    const found = this.#byBox.get(watcher.box)
    if (found === undefined) this.#byBox.set(watcher.box, watcher)
    else if (found instanceof Set) found.add(watcher)
    else this.#byBox.set(watcher.box, new Set([found, watcher]))
  }

  #remove(watcher: Watcher): void {
    const found = this.#byBox.get(watcher.box)
    if (found === watcher) this.#byBox.delete(watcher.box)
    if (!(found instanceof Set)) return
    found.delete(watcher)
    if (found.size === 0) this.#byBox.delete(watcher.box)
  }
}
