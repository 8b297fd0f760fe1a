/** Counts the objects that travel at this moment: each holds a file and a part of it in memory. */
import type { ObjectLimits } from '../../relay/limits.ts'

export class Transfers {
  readonly #limits: Pick<ObjectLimits, 'maxTransfers' | 'maxTransfersOfAddress'>
  readonly #ofAddress = new Map<string, number>()
  #all = 0

  constructor(limits: Pick<ObjectLimits, 'maxTransfers' | 'maxTransfersOfAddress'>) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all
  }

  /** @returns a function that ends the transfer; null where no more may begin */
  take(address: string): (() => void) | null {
    const count = this.#ofAddress.get(address) ?? 0
    if (this.#all >= this.#limits.maxTransfers || count >= this.#limits.maxTransfersOfAddress) return null
    this.#all++
    this.#ofAddress.set(address, count + 1)
    return () => {
      this.#all--
      const left = this.#ofAddress.get(address)! - 1
      if (left === 0) this.#ofAddress.delete(address)
      else this.#ofAddress.set(address, left)
    }
  }
}
