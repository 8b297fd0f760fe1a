/** One lookup: finds the nodes closest to a target, and every value that they have for it (BEP 5, BEP 44). */
import { equalBytes } from '../core/encoding/bytes.ts'
import type { ListedNode, NodeAddress } from './address.ts'
import { Candidates, type Candidate } from './candidates.ts'
import type { Answer, Exchange } from './exchange.ts'
import type { Query, ValueInAnswer } from './message.ts'

/** Which nodes may be contacted: the hosts of `open` ones are exceptions of the owner, and may have any number of nodes. */
export type NodeVerdict = 'global' | 'open' | 'refused'

/** The parts of the client that a lookup uses. */
export interface LookupParts {
  readonly exchange: Exchange
  judgeNode(node: NodeAddress): NodeVerdict
  /** A node sent a value. @returns false when it lies */
  takeValue(from: NodeAddress, value: ValueInAnswer): boolean
  /** A node answered, so it is worth asking again. */
  noteNode(node: Candidate): void
  /** A node did not answer. */
  forgetNode(node: Candidate): void
}

/** Bytes of one order. */
export interface Traffic {
  sentBytes: number
  receivedBytes: number
}

export class Lookup {
  readonly #get: Query
  readonly #findNode: Query
  readonly #parts: LookupParts
  readonly #traffic: Traffic
  readonly #candidates: Candidates
  #onEnd: (() => void) | null = null

  constructor(target: Uint8Array, parts: LookupParts, traffic: Traffic) {
    this.#get = { kind: 'get', target }
    this.#findNode = { kind: 'find_node', target }
    this.#parts = parts
    this.#traffic = traffic
    this.#candidates = new Candidates(target)
  }

  get asked(): number {
    return this.#candidates.asked
  }

  /** The nodes that answered, the closest first. */
  get answered(): readonly Candidate[] {
    return this.#candidates.answered
  }

  /** Begins with these nodes. Calls `onEnd` once, when the closest nodes have answered or nobody is left to ask. */
  start(seeds: readonly NodeAddress[], onEnd: () => void): void {
    this.#onEnd = onEnd
    for (const seed of seeds) this.#add(seed)
    this.#goOn()
  }

  #add(node: NodeAddress): void {
    // Most nodes are listed by several others. It costs less to see that than to judge it again.
    if (this.#candidates.knows(node)) return
    const verdict = this.#parts.judgeNode(node)
    if (verdict === 'refused') this.#parts.exchange.counters.refusedHosts++
    else this.#candidates.add(node, verdict === 'open')
  }

  /** Some nodes list read-only clients too, and so tell us our own address. We would not answer ourselves. */
  #addListed(nodes: readonly ListedNode[]): void {
    for (const node of nodes) if (!equalBytes(node.id, this.#parts.exchange.ownId)) this.#add(node)
  }

  #askNext(): void {
    for (const candidate of this.#candidates.takeNext()) this.#askForValue(candidate)
  }

  #goOn(): void {
    if (this.#onEnd === null) return
    this.#askNext()
    for (const candidate of this.#candidates.takeUnnamed()) this.#askForNodes(candidate, 'answered')
    if (!this.#candidates.isSettled) return
    const onEnd = this.#onEnd
    this.#onEnd = null
    onEnd()
  }

  #askForValue(candidate: Candidate): void {
    this.#traffic.sentBytes += this.#parts.exchange.ask(candidate, this.#get, {
      onReply: (reply, packetBytes) => {
        this.#traffic.receivedBytes += packetBytes
        // Old nodes know no get. They still know other nodes.
        if (reply.kind === 'error') {
          this.#parts.noteNode(candidate)
          this.#askForNodes(candidate, 'failed')
        } else this.#takeAnswer(candidate, reply)
      },
      onSlow: () => this.#settle(candidate, 'slow'),
      onTimeout: () => this.#lose(candidate),
    })
  }

  #takeAnswer(candidate: Candidate, answer: Answer): void {
    this.#candidates.identify(candidate, answer.nodeId)
    candidate.token = answer.token
    this.#parts.noteNode(candidate)
    // A node that has the value may leave its nodes out, and then a put would reach this node alone: see takeUnnamed().
    candidate.hasNamed = answer.nodes !== null
    if (answer.nodes !== null) this.#addListed(answer.nodes)
    candidate.state = 'answered'
    // The next queries are on their way while the signature is verified, which takes longer than everything else here.
    this.#askNext()
    const isLie = answer.value !== null && !this.#parts.takeValue(candidate, answer.value)
    this.#settle(candidate, isLie ? 'failed' : 'answered')
  }

  /** Asks for nodes only. The candidate is `naming` until then, and `after` afterwards, whatever comes. */
  #askForNodes(candidate: Candidate, after: 'answered' | 'failed'): void {
    candidate.state = 'naming'
    this.#traffic.sentBytes += this.#parts.exchange.ask(candidate, this.#findNode, {
      onReply: (reply, packetBytes) => {
        this.#traffic.receivedBytes += packetBytes
        if (reply.kind === 'answer') this.#addListed(reply.nodes ?? [])
        this.#settle(candidate, after)
      },
      onSlow: () => this.#settle(candidate, after),
      onTimeout: () => this.#settle(candidate, after),
    })
  }

  #lose(candidate: Candidate): void {
    this.#parts.forgetNode(candidate)
    this.#settle(candidate, 'failed')
  }

  #settle(candidate: Candidate, state: Candidate['state']): void {
    candidate.state = state
    this.#goOn()
  }
}
