/** Bytes that come in pieces and are taken in others. How they were cut means nothing. */

export class Pieces {
  readonly #source: AsyncIterator<Uint8Array>
  /** The rest of the last piece. */
  #rest: Uint8Array = new Uint8Array(0)

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#source = pieces[Symbol.asyncIterator]()
  }

  /** Takes the next bytes. @returns fewer than `lengthBytes` only at the end */
  async take(lengthBytes: number): Promise<Uint8Array> {
    const taken = new Uint8Array(lengthBytes)
    let at = 0
    while (at < lengthBytes && !(await this.isOver())) {
      const part = this.#rest.subarray(0, lengthBytes - at)
      taken.set(part, at)
      at += part.length
      this.#rest = this.#rest.subarray(part.length)
    }
    return taken.subarray(0, at)
  }

  /** Whether nothing is left. */
  async isOver(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const next = await this.#source.next()
      if (next.done === true) return true
      this.#rest = next.value
    }
    return false
  }
}
