/** The ends whose state is in memory. Those that were used last stay; the others are read again when they are needed. */

export const MAX_LOADED = 256 // sanity: more than work at a time; each has some kilobytes
export const MAX_LOADED_BYTES: number = 64 << 20 // sanity: frames and contents that wait for peers who are away

export interface Loadable {
  /** About the size of its state in memory. */
  readonly costBytes: number
  /** @returns false while it works */
  unload(): boolean
}

export class Loaded {
  /** The cost of each as it was when it was used. The one that was used last is the last. */
  readonly #costs = new Map<Loadable, number>()
  #bytes = 0

  /** The end was used. */
  touch(end: Loadable): void {
    this.forget(end)
    const { costBytes } = end
    this.#costs.set(end, costBytes)
    this.#bytes += costBytes
    if (this.#isFull) this.#shrink(end)
  }

  forget(end: Loadable): void {
    this.#bytes -= this.#costs.get(end) ?? 0
    this.#costs.delete(end)
  }

  get #isFull(): boolean {
    return this.#costs.size > MAX_LOADED || this.#bytes > MAX_LOADED_BYTES
  }

  #shrink(used: Loadable): void {
    for (const end of this.#costs.keys()) {
      if (!this.#isFull) return
      if (end !== used && end.unload()) this.forget(end)
    }
  }
}
