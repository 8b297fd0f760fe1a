/** The streams that wait for entries, by inbox: one watch of the store serves all of them. */
import type { ComingEntry, InboxId, InboxStore } from '../store/inbox-store.ts'

type Listener = (coming: ComingEntry | null) => void

export class InboxWatchers {
  readonly #byInbox = new Map<InboxId, Set<Listener>>()
  readonly #stop: () => void

  constructor(store: Pick<InboxStore, 'watch'>) {
    this.#stop = store.watch((inbox, coming) => {
      for (const listener of this.#byInbox.get(inbox) ?? []) listener(coming)
    })
  }

  /** @returns the end of it */
  watch(inbox: InboxId, listener: Listener): () => void {
    const listeners = this.#byInbox.get(inbox) ?? new Set()
    this.#byInbox.set(inbox, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#byInbox.get(inbox) === listeners) this.#byInbox.delete(inbox)
    }
  }

  close(): void {
    this.#stop()
    this.#byInbox.clear()
  }
}
