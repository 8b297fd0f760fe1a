/** The nodes of one lookup, by distance to its target: whom to ask next, and when the closest have answered. Pure. */
import { compareDistance, formatAddress, type ListedNode, type NodeAddress } from './address.ts'

export const CLOSEST_NODES = 8 // format: BEP 5, K; a value is stored on so many nodes
export const WINDOW = 5 // sanity: queries on their way at a time; a wider one asks more nodes that are far away
const MAX_CANDIDATES_PER_HOST = 3 // sanity: a liar cannot fill a lookup from one address, nor hide an honest node by naming its host once
const MAX_ASKED = 96 // sanity: a lookup in the largest net needs about 30; liars who name ever closer nodes end here

/**
 * - `new`: not yet asked
 * - `asked`: its answer is awaited
 * - `slow`: its answer is not awaited, but would count
 * - `answered`
 * - `failed`: no answer, no list for this kind of query, or a lie
 */
export type CandidateState = 'new' | 'asked' | 'slow' | 'answered' | 'failed'

export interface Candidate extends NodeAddress {
  /** Null for a node of the configuration that has not answered. */
  id: Uint8Array | null
  state: CandidateState
  /** From the node's own answer; a put has to show it. */
  token: Uint8Array | null
}

export class Candidates {
  readonly #target: Uint8Array
  readonly #all: Candidate[] = []
  readonly #addresses = new Set<string>()
  readonly #perHost = new Map<string, number>()
  #askedNodes = 0

  constructor(target: Uint8Array) {
    this.#target = target
  }

  /** How many nodes were asked. */
  get asked(): number {
    return this.#askedNodes
  }

  get answered(): readonly Candidate[] {
    return this.#sorted().filter(({ state }) => state === 'answered')
  }

  /**
   * Adds a node, once for each address.
   * @param isOpen the host may have any number of nodes: it is an exception of the owner, such as the own machine
   */
  add(node: NodeAddress | ListedNode, isOpen: boolean): void {
    const address = formatAddress(node)
    const atHost = this.#perHost.get(node.host) ?? 0
    if (this.#addresses.has(address) || (!isOpen && atHost >= MAX_CANDIDATES_PER_HOST)) return
    this.#addresses.add(address)
    this.#perHost.set(node.host, atHost + 1)
    const { host, port } = node
    this.#all.push({ host, port, id: 'id' in node ? node.id : null, state: 'new', token: null })
  }

  /** The nodes to ask now. They become `asked`. */
  takeNext(): Candidate[] {
    const awaited = this.#all.filter(({ state }) => state === 'asked').length
    const room = Math.min(WINDOW - awaited, MAX_ASKED - this.#askedNodes)
    const next = this.#closest()
      .filter(({ state }) => state === 'new')
      .slice(0, Math.max(0, room))
    for (const candidate of next) candidate.state = 'asked'
    this.#askedNodes += next.length
    return next
  }

  /**
   * Whether the closest nodes have answered. A slow node is no reason to wait, unless no node answered at all. Ask for the next nodes first.
   */
  get isSettled(): boolean {
    const states = new Set(this.#all.map(({ state }) => state))
    if (states.has('asked')) return this.#closest().every(({ state }) => state === 'answered')
    return states.has('answered') || !states.has('slow')
  }

  /** The closest nodes that may still answer in time, or have answered. */
  #closest(): Candidate[] {
    return this.#sorted()
      .filter(({ state }) => state !== 'failed' && state !== 'slow')
      .slice(0, CLOSEST_NODES)
  }

  /** By distance; nodes without an id last, so that they are asked only when the others do not suffice. */
  #sorted(): Candidate[] {
    return this.#all.toSorted((a, b) => {
      if (a.id === null || b.id === null) return Number(a.id === null) - Number(b.id === null)
      return compareDistance(this.#target, a.id, b.id)
    })
  }
}
