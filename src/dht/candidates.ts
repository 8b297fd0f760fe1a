/** The nodes of one lookup, by distance to its target: whom to ask next, and when the closest have answered. Pure. */
import { equalBytes } from '../core/encoding/bytes.ts'
import { compareDistance, formatAddress, type ListedNode, type NodeAddress } from './address.ts'

export const CLOSEST_NODES = 8 // format: BEP 5, K; a value is stored on so many nodes
export const WINDOW: number = CLOSEST_NODES // sanity: queries for the value on their way at a time; five take a third longer, and ask a fifth fewer nodes where the place is new
const MAX_CANDIDATES_PER_HOST = 3 // sanity: a liar cannot fill a lookup from one address, nor hide an honest node by naming its host once
const MIN_NAMING = 4 // sanity: half of the closest; each of them knows nearly all the others
const MAX_ASKED = 96 // sanity: a lookup in the largest net needs about 30; liars who name ever closer nodes end here

/**
 * - `new`: not yet asked
 * - `asked`: its answer is awaited
 * - `naming`: it was asked for nodes alone, and its answer is awaited
 * - `slow`: its answer is not awaited, but would count
 * - `answered`
 * - `failed`: no answer, no list for this kind of query, or a lie
 */
export type CandidateState = 'new' | 'asked' | 'naming' | 'slow' | 'answered' | 'failed'

export interface Candidate extends NodeAddress {
  /** Null for a node of the configuration that has not answered. See {@link Candidates.identify}. */
  id: Uint8Array | null
  state: CandidateState
  /** From the node's own answer; a put has to show it. */
  token: Uint8Array | null
  /** Whether its answer named other nodes; null before it. */
  hasNamed: boolean | null
  /** It was asked for nodes alone. */
  isAskedForNodes: boolean
}

export class Candidates {
  readonly #target: Uint8Array
  /** By distance; nodes without an id last, so that they are asked only when the others do not suffice. */
  readonly #sorted: Candidate[] = []
  readonly #byAddress = new Map<string, Candidate>()
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
    return this.#sorted.filter(({ state }) => state === 'answered')
  }

  /** Whether the node is one of them already. One without an id, a node of the configuration, takes that by which another node lists it. */
  knows(node: NodeAddress | ListedNode): boolean {
    const known = this.#byAddress.get(formatAddress(node))
    if (known?.id === null && 'id' in node) this.identify(known, node.id)
    return known !== undefined
  }

  /**
   * Adds a node, once for each address.
   * @param isOpen the host may have any number of nodes: it is an exception of the owner, such as the own machine
   */
  add(node: NodeAddress | ListedNode, isOpen: boolean): void {
    const { host, port } = node
    const atHost = this.#perHost.get(host) ?? 0
    if (this.knows(node) || (!isOpen && atHost >= MAX_CANDIDATES_PER_HOST)) return
    this.#perHost.set(host, atHost + 1)
    const id = 'id' in node ? node.id : null
    const candidate: Candidate = { host, port, id, state: 'new', token: null, hasNamed: null, isAskedForNodes: false }
    this.#byAddress.set(formatAddress(node), candidate)
    this.#insert(candidate)
  }

  /** Takes the id that the node's own answer has, whatever others had listed. */
  identify(candidate: Candidate, id: Uint8Array): void {
    if (candidate.id !== null && equalBytes(candidate.id, id)) return
    this.#sorted.splice(this.#sorted.indexOf(candidate), 1)
    candidate.id = id
    this.#insert(candidate)
  }

  /** The nodes to ask now. They become `asked`. */
  takeNext(): Candidate[] {
    const awaited = this.#sorted.reduce((count, { state }) => (state === 'asked' ? count + 1 : count), 0)
    const room = Math.min(WINDOW - awaited, MAX_ASKED - this.#askedNodes)
    const next: Candidate[] = []
    for (const candidate of room > 0 ? this.#closest() : []) {
      if (candidate.state !== 'new' || next.length === room) continue
      candidate.state = 'asked'
      next.push(candidate)
    }
    this.#askedNodes += next.length
    return next
  }

  /**
   * Whether the closest nodes have answered. A slow node is no reason to wait, unless no node answered at all. Ask for the next nodes first.
   */
  get isSettled(): boolean {
    const has = (wanted: CandidateState): boolean => this.#sorted.some(({ state }) => state === wanted)
    if (has('asked') || has('naming')) return this.#closest().every(({ state }) => state === 'answered')
    return has('answered') || !has('slow')
  }

  /**
   * The nodes to ask for nodes alone, since they gave the value in place of a list: the closest first, until enough of the closest have named
   * others or were asked. They become `naming`. Those that have not answered yet count as naming others as often as those that have: the
   * question is then on its way at the same time as theirs, and takes no round of its own.
   */
  takeUnnamed(): Candidate[] {
    const closest = this.#closest()
    const unnamed = closest.filter(
      ({ state, hasNamed, isAskedForNodes }) => state === 'answered' && hasNamed === false && !isAskedForNodes,
    )
    if (unnamed.length === 0 || closest.some(({ state }) => state === 'new')) return []
    const count = (wanted: boolean | null): number => closest.filter(({ hasNamed }) => hasNamed === wanted).length
    const [naming, silent, awaited] = [count(true), count(false), count(null)]
    // Most nodes name others, so one more that does is counted in.
    const expected = Math.round((awaited * (naming + 1)) / (naming + silent + 1))
    const asked = closest.filter(({ isAskedForNodes }) => isAskedForNodes).length
    const taken = unnamed.slice(0, Math.max(0, MIN_NAMING - naming - expected - asked))
    for (const candidate of taken) {
      candidate.state = 'naming'
      candidate.isAskedForNodes = true
    }
    return taken
  }

  /** The closest nodes that may still answer in time, or have answered. */
  #closest(): Candidate[] {
    const closest: Candidate[] = []
    for (const candidate of this.#sorted) {
      if (candidate.state === 'failed' || candidate.state === 'slow') continue
      closest.push(candidate)
      if (closest.length === CLOSEST_NODES) break
    }
    return closest
  }

  /** Puts the candidate after those that are as far away. */
  #insert(candidate: Candidate): void {
    let [from, to] = [0, this.#sorted.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#compare(this.#sorted[middle]!, candidate) <= 0) from = middle + 1
      else to = middle
    }
    this.#sorted.splice(from, 0, candidate)
  }

  #compare(a: Candidate, b: Candidate): number {
    if (a.id === null || b.id === null) return Number(a.id === null) - Number(b.id === null)
    return compareDistance(this.#target, a.id, b.id)
  }
}
