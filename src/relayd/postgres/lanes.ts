/** Serves what waits in batches: all that comes in one round of the event loop goes together, and so does all that comes while others are under way. */
export interface LanesOptions<Item> {
  /** Batches at one time. */
  readonly lanes: number
  readonly maxItems: number
  /** Never rejects. */
  readonly serve: (items: readonly Item[]) => Promise<void>
}

export class Lanes<Item> {
  readonly #options: LanesOptions<Item>
  #waiting: Item[] = []
  readonly #running = new Set<Promise<void>>()
  #isBeginning = false

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  add(item: Item): void {
    this.#waiting.push(item)
    this.#beginSoon()
  }

  /** Waits until nothing is under way. */
  async close(): Promise<void> {
    while (this.#running.size > 0 || this.#isBeginning)
      await Promise.all([...this.#running, new Promise((resolve) => void setImmediate(resolve))])
  }

  #beginSoon(): void {
    if (this.#isBeginning || this.#running.size >= this.#options.lanes) return
    this.#isBeginning = true
    setImmediate(() => {
      this.#isBeginning = false
      this.#begin()
    })
  }

  #begin(): void {
    const items = this.#waiting.splice(0, this.#options.maxItems)
    if (items.length === 0) return
    const running = this.#options.serve(items).finally(() => {
      this.#running.delete(running)
      if (this.#waiting.length > 0) this.#beginSoon()
    })
    this.#running.add(running)
    if (this.#waiting.length > 0) this.#beginSoon()
  }
}
