/** The DHT client at work: its UDP socket, the names of its bootstrap nodes, and the limit of orders at a time. */
import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { PrivateHosts } from '../core/encoding/private-hosts.ts'
import { formatAddress, type NodeAddress } from '../dht/address.ts'
import { DhtClient } from '../dht/client.ts'
import type { DhtCounters } from '../dht/counters.ts'
import type { NodeVerdict } from '../dht/lookup.ts'
import { systemClock, type Clock } from '../process/pulse.ts'
import { isRoutable, maySendTo } from './address.ts'
import { NetError } from './errors.ts'
import { verifyByOpenssl } from './verify.ts'
import { MAX_AT_ONCE } from './protocol.ts'
import type { NetSettings } from './settings.ts'

const MAX_WAITING = 256 // sanity: the daemon looks up 1000 contacts an hour, 32 at a time
const MAX_HOSTS = 1024 // sanity: some 100 bytes each; a lookup meets at most a few hundred hosts
const RESOLVE_MS = 10_000 // sanity: a resolver asks its first server twice, 5 s each; an order does not wait for more

/** @returns the IPv4 addresses of a name, or of a numeric address */
export type Resolve = (host: string) => Promise<string[]>

export class Dht {
  readonly #client: DhtClient
  readonly #socket: Socket
  readonly #settings: NetSettings
  readonly #resolve: Resolve
  readonly #clock: Clock
  readonly #exceptions: PrivateHosts
  /** Nodes of `bootstrap` whose names are in `private`, by address and port. */
  readonly #namedPrivate = new Set<string>()
  /** Whether hosts that were met are globally routable, by IPv4 address. */
  readonly #routable = new Map<string, boolean>()
  /** The client reads this list at each order. */
  readonly #bootstrap: NodeAddress[] = []
  /** Hosts of `bootstrap` without an address so far. */
  readonly #unresolved: Set<string>
  /** Questions to the resolver that have no answer yet. */
  readonly #resolving = new Map<string, Promise<void>>()
  #atOnce = MAX_AT_ONCE
  #running = 0
  readonly #waiting: (() => void)[] = []

  private constructor(settings: NetSettings, socket: Socket, resolve: Resolve, clock: Clock) {
    this.#settings = settings
    this.#socket = socket
    this.#resolve = resolve
    this.#clock = clock
    this.#exceptions = new PrivateHosts(settings.private)
    this.#unresolved = new Set(settings.bootstrap.map(({ host }) => host))
    this.#client = new DhtClient({
      // A packet that the system does not send counts as lost, so no call waits for it.
      send: (packet, to) => socket.send(packet, to.port, to.host),
      randomBytes: (length) => randomBytes(length),
      nowMs: () => systemClock.nowMs(),
      startTimer: (delayMs, run) => systemClock.after(delayMs, run),
      verify: verifyByOpenssl,
      bootstrap: this.#bootstrap,
      judgeNode: (node) => this.#judgeNode(node),
    })
    socket.on('message', (packet, from) => {
      this.#client.onMessage(packet, { host: from.address, port: from.port })
    })
    // Such as "host unreachable" for an earlier packet: that node does not answer.
    socket.on('error', () => {})
  }

  /** Opens the UDP socket, for IPv4 only. @throws {NetError} NET_UDP */
  static async open(settings: NetSettings, resolve: Resolve, clock: Clock = systemClock): Promise<Dht> {
    // Each address is a number already. The lookup of Node takes a turn of the event loop for each packet.
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, found) => found(null, host, 4) })
    try {
      // Asked for before it binds, since nothing takes a turn of the event loop here.
      const listening = once(socket, 'listening')
      socket.bind(0)
      await listening
    } catch (cause) {
      throw new NetError('NET_UDP', 'the system gives no UDP socket', { cause })
    }
    return new Dht(settings, socket, resolve, clock)
  }

  get counters(): DhtCounters {
    return this.#client.counters
  }

  limit(atOnce: number): void {
    this.#atOnce = atOnce
    this.#startWaiting()
  }

  /**
   * Does the work when it is its turn.
   * @throws {NetError} NET_BUSY @throws {DhtError} what the work throws
   */
  async run<T>(work: (client: DhtClient) => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) {
      if (this.#waiting.length >= MAX_WAITING)
        throw new NetError('NET_BUSY', `${MAX_WAITING} orders to the DHT wait already`)
      // Its turn counts as running from the moment it is given.
      await new Promise<void>((begin) => this.#waiting.push(begin))
    } else this.#running++
    try {
      await this.#resolveNames()
      return await work(this.#client)
    } finally {
      this.#running--
      this.#startWaiting()
    }
  }

  close(): void {
    this.#client.close()
    this.#socket.close()
  }

  #judgeNode(node: NodeAddress): NodeVerdict {
    if (this.#isRoutable(node.host)) return 'global'
    const isNamed = this.#exceptions.has(node.host, node.port) || this.#namedPrivate.has(formatAddress(node))
    return isNamed ? 'open' : 'refused'
  }

  /** Nodes name the same hosts again and again, and a look into the list of special networks costs ten times a look into a map. */
  #isRoutable(host: string): boolean {
    let routable = this.#routable.get(host)
    if (routable === undefined) {
      routable = isRoutable(host)
      if (this.#routable.size >= MAX_HOSTS) this.#routable.clear()
      this.#routable.set(host, routable)
    }
    return routable
  }

  #startWaiting(): void {
    while (this.#running < this.#atOnce) {
      const begin = this.#waiting.shift()
      if (begin === undefined) return
      this.#running++
      begin()
    }
  }

  /**
   * Resolves the names that have no address yet. One that fails is tried again at the next order. An order waits for this only while it
   * would have no node to begin with.
   */
  async #resolveNames(): Promise<void> {
    const answers = [...this.#unresolved].map((host) => {
      const known = this.#resolving.get(host) ?? this.#resolveName(host)
      this.#resolving.set(host, known)
      return known
    })
    if (answers.length === 0 || this.#bootstrap.length > 0) return
    const { promise: late, resolve: end } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(RESOLVE_MS, end)
    await Promise.race([Promise.all(answers), late])
    cancel()
  }

  async #resolveName(host: string): Promise<void> {
    const addresses = await this.#resolve(host).catch(() => [])
    this.#resolving.delete(host)
    if (addresses.length === 0) return
    this.#unresolved.delete(host)
    for (const address of addresses) this.#addBootstrap(host, address)
  }

  #addBootstrap(host: string, address: string): void {
    for (const { port } of this.#settings.bootstrap.filter((node) => node.host === host)) {
      const node = { host: address, port }
      // A name must not lead into the network of the owner.
      if (!maySendTo(node, this.#exceptions, host)) continue
      if (!isRoutable(address)) this.#namedPrivate.add(formatAddress(node))
      this.#bootstrap.push(node)
    }
  }
}
