/** The ends whose state is in memory. Those that were used last stay; the others are read again when they are needed. */

const MAX_LOADED = 256 // sanity: more than work at a time; each has some kilobytes
const MAX_LOADED_BYTES: number = 64 << 20 // sanity: frames and contents that wait for peers who are away

export interface Loadable {
  /** About the size of its state in memory. */
  readonly costBytes: number
  /** @returns false while it works */
  unload(): boolean
}

export class Loaded {
  /** The one that was used last is the last. */
  readonly #ends = new Set<Loadable>()

  /** The end was used. */
  touch(end: Loadable): void {
    this.#ends.delete(end)
    this.#ends.add(end)
    if (this.#ends.size > MAX_LOADED || this.#bytes() > MAX_LOADED_BYTES) this.#shrink(end)
  }

  forget(end: Loadable): void {
    this.#ends.delete(end)
  }

  #bytes(): number {
    let bytes = 0
    for (const { costBytes } of this.#ends) bytes += costBytes
    return bytes
  }

  #shrink(used: Loadable): void {
    for (const end of this.#ends) {
      if (this.#ends.size <= MAX_LOADED && this.#bytes() <= MAX_LOADED_BYTES) return
      if (end !== used && end.unload()) this.#ends.delete(end)
    }
  }
}
