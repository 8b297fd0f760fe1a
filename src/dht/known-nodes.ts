/** Nodes that answered lately. A lookup begins at the closest of them, and not at the bootstrap nodes each time. */
import { compareDistance, formatAddress, type ListedNode } from './address.ts'
import { CLOSEST_NODES } from './candidates.ts'

const MAX_KNOWN_NODES = 256 // sanity: about 60 bytes each; a thousand hourly lookups need no more
const MAX_KNOWN_PER_HOST = 8 // sanity: one host must not fill the memory

export class KnownNodes {
  /** By address; the one heard from last is last. */
  readonly #nodes = new Map<string, ListedNode>()

  get size(): number {
    return this.#nodes.size
  }

  /** @param isOpen the host may have any number of nodes: it is an exception of the owner, such as the own machine */
  note({ id, host, port }: ListedNode, isOpen: boolean): void {
    const address = formatAddress({ host, port })
    if (!this.#nodes.delete(address) && !isOpen && this.#countAt(host) >= MAX_KNOWN_PER_HOST) return
    this.#nodes.set(address, { id, host, port })
    if (this.#nodes.size > MAX_KNOWN_NODES) this.#nodes.delete(this.#nodes.keys().next().value!)
  }

  forget(address: string): void {
    this.#nodes.delete(address)
  }

  closest(target: Uint8Array): ListedNode[] {
    const closest: ListedNode[] = []
    for (const node of this.#nodes.values()) {
      // Most nodes are farther away than the eight that were found before them: one comparison each.
      let at = closest.length
      while (at > 0 && compareDistance(target, node.id, closest[at - 1]!.id) < 0) at--
      if (at === CLOSEST_NODES) continue
      closest.splice(at, 0, node)
      if (closest.length > CLOSEST_NODES) closest.pop()
    }
    return closest
  }

  #countAt(host: string): number {
    let count = 0
    for (const node of this.#nodes.values()) if (node.host === host) count++
    return count
  }
}
