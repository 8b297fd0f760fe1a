/**
 * A DHT of nodes in this process, with a clock that the test moves: for nodes that are dead, slow or lying, as no real one is on demand.
 * test/e2e/dht has real nodes.
 */
import { createHash } from 'node:crypto'
import {
  signedValueMessage,
  bencodeValue,
  type SignedValue,
  type ValuePlace,
} from '../../src/core/announce/signed-value.ts'
import {
  compareDistance,
  formatAddress,
  formatNodes,
  type ListedNode,
  type NodeAddress,
} from '../../src/dht/address.ts'
import { decodeBencode, encodeBencode, type Bencode, type BencodeDictionary } from '../../src/dht/bencode.ts'
import { DhtClient, type DhtOptions } from '../../src/dht/client.ts'
import { engine, seedOf } from './person.ts'

const isValue = (depth: number, key: string): boolean => depth === 2 && key === 'v'

export interface NodeManners {
  /** Time from a query to its answer; null for a dead node. */
  answersAfterMs: number | null
  /** Answers a get without the list of nodes when it has the value, as bittorrent-dht does. */
  leavesNodesOut: boolean
  /** Knows no get and no put. */
  isOld: boolean
  /** Changes an answer before it is encoded; `asker` is the id in the query. */
  lie: ((answer: Map<string, Bencode>, asker: Uint8Array) => void) | null
  /** Replaces a packet, or the address that it comes from. */
  send: ((packet: Uint8Array, from: NodeAddress) => readonly (readonly [Uint8Array, NodeAddress])[]) | null
}

export interface NetNode extends ListedNode {
  readonly manners: NodeManners
  /** By target in hex. */
  readonly store: Map<string, SignedValue>
  readonly asked: string[]
}

export class DhtNet {
  nowMs = 0
  readonly nodes: NetNode[] = []
  readonly packets: Uint8Array[] = []
  readonly sentTo: string[] = []
  #timers: { readonly atMs: number; readonly run: () => void }[] = []
  #random = 0

  /** Adds a node on a host of its own; its id comes from its number. */
  addNode(manners: Partial<NodeManners> = {}, address: Partial<NodeAddress> = {}): NetNode {
    const number = this.nodes.length
    const id = sha1(Uint8Array.of(number >> 8, number & 0xff))
    const host = address.host ?? `198.51.${100 + (number >> 8)}.${number & 0xff}`
    const node = {
      id,
      host,
      port: address.port ?? 6881,
      manners: { answersAfterMs: 20, leavesNodesOut: false, isOld: false, lie: null, send: null, ...manners },
      store: new Map<string, SignedValue>(),
      asked: [],
    }
    this.nodes.push(node)
    return node
  }

  addNodes(count: number): NetNode[] {
    return Array.from({ length: count }, () => this.addNode())
  }

  client(options: Partial<DhtOptions> = {}): DhtClient {
    const client: DhtClient = new DhtClient({
      send: (packet, to) => {
        this.packets.push(packet)
        this.sentTo.push(formatAddress(to))
        this.#receive(client, packet, to)
      },
      randomBytes: (length) => sha1(Uint8Array.of(this.#random >> 8, this.#random++ & 0xff)).subarray(0, length),
      nowMs: () => this.nowMs,
      startTimer: (delayMs, run) => this.startTimer(delayMs, run),
      verify: (signature, message, publicKey) => engine.verify(signature, message, publicKey),
      bootstrap: this.nodes.slice(0, 1),
      judgeNode: () => 'global',
      ...options,
    })
    return client
  }

  startTimer(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Moves the clock from timer to timer until the promise has settled. */
  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let isOver = false
    const end = (): void => void (isOver = true)
    promise.then(end, end)
    for (;;) {
      for (let turns = 0; turns < 20; turns++) await Promise.resolve()
      if (isOver) return await promise
      if (!this.#step()) throw new Error('nothing will happen any more')
    }
  }

  /** Moves the clock until no packet is on its way and no query waits. */
  rest(): void {
    while (this.#step());
  }

  #step(): boolean {
    const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
    if (next === undefined) return false
    this.#timers = this.#timers.filter((other) => other !== next)
    this.nowMs = Math.max(this.nowMs, next.atMs)
    next.run()
    return true
  }

  /** The nodes closest to a place, the closest first. */
  closest(place: ValuePlace): NetNode[] {
    const target = targetOf(place)
    return this.nodes.toSorted((a, b) => compareDistance(target, a.id, b.id))
  }

  #receive(client: DhtClient, packet: Uint8Array, to: NodeAddress): void {
    const node = this.nodes.find((other) => formatAddress(other) === formatAddress(to))
    if (node === undefined || node.manners.answersAfterMs === null) return
    const answer = this.answer(node, packet)
    const sent = node.manners.send?.(answer, node) ?? [[answer, node] as const]
    this.startTimer(node.manners.answersAfterMs, () => {
      for (const [bytes, from] of sent) client.onMessage(bytes, from)
    })
  }

  answer(node: NetNode, packet: Uint8Array): Uint8Array {
    const query = decodeBencode(packet, isValue) as BencodeDictionary
    const kind = String.fromCharCode(...(query.get('q') as Uint8Array))
    const asked = query.get('a') as BencodeDictionary
    node.asked.push(kind)
    const body = new Map<string, Bencode>([['id', node.id]])
    const message = new Map<string, Bencode>([
      ['t', query.get('t')!],
      ['y', Uint8Array.of(0x72)],
    ])
    message.set('r', body)
    if (node.manners.isOld && kind !== 'find_node') return error(message, 204n)
    if (kind === 'put') {
      const code = this.#put(node, asked)
      if (code !== null) return error(message, code)
    } else {
      const target = asked.get('target') as Uint8Array
      const signed = kind === 'get' ? node.store.get(hex(target)) : undefined
      if (kind === 'get') body.set('token', tokenOf(node))
      if (signed !== undefined) {
        for (const [key, value] of [
          ['k', signed.publicKey],
          ['sig', signed.signature],
          ['seq', signed.seq],
          ['v', signed.bencoded],
        ] as const)
          body.set(key, value)
      }
      if (signed === undefined || !node.manners.leavesNodesOut) body.set('nodes', this.#nodesAt(node, target))
    }
    node.manners.lie?.(body, asked.get('id') as Uint8Array)
    return encodeBencode(message, isValue)
  }

  /** Every node knows two of three others, and names the eight closest of them, dead or alive. */
  #nodesAt(node: NetNode, target: Uint8Array): Uint8Array {
    const known = this.nodes.filter((other) => other !== node && sha1(node.id, other.id)[0]! % 3 > 0)
    return formatNodes(known.toSorted((a, b) => compareDistance(target, a.id, b.id)).slice(0, 8))
  }

  #put(node: NetNode, asked: BencodeDictionary): bigint | null {
    const bytes = (key: string): Uint8Array => (asked.get(key) as Uint8Array | undefined) ?? new Uint8Array()
    if (hex(bytes('token')) !== hex(tokenOf(node))) return 203n
    const signed: SignedValue = {
      publicKey: bytes('k'),
      salt: bytes('salt'),
      seq: asked.get('seq') as bigint,
      bencoded: bytes('v'),
      signature: bytes('sig'),
    }
    const target = hex(targetOf(signed))
    const kept = node.store.get(target)
    if (kept !== undefined && kept.seq > signed.seq) return 302n
    // As libtorrent: the same seq is a success, and changes nothing.
    if (kept === undefined || kept.seq < signed.seq) node.store.set(target, signed)
    return null
  }
}

function error(message: Map<string, Bencode>, code: bigint): Uint8Array {
  message.delete('r')
  message.set('y', Uint8Array.of(0x65))
  message.set('e', [code, Uint8Array.from('no', (character) => character.charCodeAt(0))])
  return encodeBencode(message)
}

function tokenOf(node: NetNode): Uint8Array {
  return sha1(node.id).subarray(0, 8)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function sha1(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha1')
  for (const part of parts) hash.update(part)
  return new Uint8Array(hash.digest())
}

export function targetOf({ publicKey, salt }: ValuePlace): Uint8Array {
  return sha1(publicKey, salt)
}

/** Signs a value by the key of this name. */
export function signValue(
  name: string,
  seq: bigint,
  value: Uint8Array | { readonly bencoded: Uint8Array },
  salt: Uint8Array = new Uint8Array(),
): SignedValue {
  const { publicKey, secretKey } = engine.signKeyPair(seedOf(name))
  const bencoded = value instanceof Uint8Array ? bencodeValue(value) : value.bencoded
  return {
    publicKey,
    salt,
    seq,
    bencoded,
    signature: engine.sign(signedValueMessage({ salt, seq, bencoded }), secretKey),
  }
}
