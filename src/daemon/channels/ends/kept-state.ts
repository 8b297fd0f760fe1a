/**
 * The state of an end in memory, and its way to the disk: at once, or with the next commit of the end if a crash may take it back (change.ts).
 */
import type { Part } from '../../../channel/exchange/parts.ts'
import { loadEnd, saveEnd, type EndState } from './end-state.ts'
import type { Means } from './means.ts'

const STATE_COST_BYTES = 8192 // sanity: a state without frames and contents
/** A change that waits for the next commit of its end gets one of its own after so long. */
export const LATE_MS = 10_000 // sanity: a chat that is busy has written by then; a crash makes both ends repeat what came meanwhile

/** One commit of an end. */
export interface EndCommit {
  readonly after: EndState
  readonly parts: readonly Part[]
  /** Further writes that belong to it. Inside of the change, after the end was written. */
  readonly alongside: () => void
}

export class KeptState {
  readonly #id: string
  readonly #means: Means
  readonly #onLate: () => void
  /** Null while it is on disk alone. */
  #state: EndState | null = null
  /** The state on disk, while the one in memory is newer; else null. */
  #onDisk: EndState | null = null
  #stopWaiting: (() => void) | null = null
  /** When frames were posted, kept while the state is not in memory. */
  #postedAt = new Map<number, number | null>()

  /** @param onLate called when something has waited for a commit for LATE_MS */
  constructor(id: string, means: Means, onLate: () => void) {
    this.#id = id
    this.#means = means
    this.#onLate = onLate
  }

  /** Whether something waits for a commit. */
  get isLate(): boolean {
    return this.#onDisk !== null
  }

  /** About its size in memory. */
  get costBytes(): number {
    if (this.#state === null) return 0
    const { outbox, window, early } = this.#state.channel
    let bytes = STATE_COST_BYTES
    for (const each of outbox) bytes += each.bytes.length
    for (const { data } of window) bytes += data.length
    for (const { frame } of early) bytes += frame.length
    return bytes
  }

  /** The state, read from disk if it is not in memory. @throws as loadEnd */
  read(): EndState {
    const { sealed } = this.#means
    // With `custody.apps: locked` the state must not be used once the key is closed.
    sealed.key.require()
    if (this.#state !== null) return this.#state
    const state = loadEnd(this.#id, sealed)
    if (state === undefined) throw new Error(`the channel ${this.#id} is gone`)
    const window = state.channel.window.map((each) => ({
      ...each,
      postedAtMs: this.#postedAt.get(each.counter) ?? null,
    }))
    return { ...state, channel: { ...state.channel, window } }
  }

  /** Takes a state that differs from the one on disk in times of posting at most. */
  keep(state: EndState): void {
    this.#state = state
  }

  /** Takes a state of which a crash may take back what is new. It goes to disk with the next commit, after LATE_MS at the latest. */
  keepForLater(before: EndState, after: EndState): void {
    this.#onDisk ??= before
    this.#state = after
    this.#stopWaiting ??= this.#means.clock.after(LATE_MS, () => {
      this.#stopWaiting = null
      if (this.isLate) this.#onLate()
    })
  }

  /** Writes a state, with all that waited. On an error, the state before stays. @throws as Keeper.change */
  async write(before: EndState, { after, parts, alongside }: EndCommit): Promise<void> {
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      saveEnd(this.#id, { before: this.#onDisk ?? before, after, parts }, keeper.nowSec, sealed)
      alongside()
    })
    this.#state = after
    this.#onDisk = null
  }

  /** Writes what waits for a commit. @throws as {@link write} */
  async writeLate(): Promise<void> {
    const [before, after] = [this.#onDisk, this.#state]
    if (before !== null && after !== null) await this.write(before, { after, parts: [], alongside: () => {} })
  }

  /** Calls nobody any more. */
  cancel(): void {
    this.#stopWaiting?.()
  }

  /** Forgets a state that is on disk: it is read again when it is needed. */
  forget(): void {
    this.#postedAt = new Map(this.#state?.channel.window.map(({ counter, postedAtMs }) => [counter, postedAtMs]))
    this.#state = null
  }
}
