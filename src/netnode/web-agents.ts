/**
 * The connections of personad-net to servers: a name is resolved once, and the connection goes to an address that it gave and that may be called. With
 * a proxy nothing is resolved here.
 */
import { Agent as HttpAgent, type AgentOptions, type ClientRequestArgs, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { LookupAddress } from 'node:dns'
import { isIPv6, type LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls'
import type { PrivateHosts } from '../core/encoding/private-hosts.ts'
import { maySendTo } from './address.ts'
import type { Resolve } from './dht.ts'
import { NetError } from './errors.ts'
import type { HostPort, NetSettings } from './settings.ts'
import { connectBySocks } from './socks.ts'
import type { CallTarget } from './web-url.ts'

const MAX_IDLE_OF_HOST = 8 // sanity: as many calls of one relay as usually run at once
const IDLE_MS = 30_000 // sanity: longer than pauses within an exchange; servers close after 5 to 75 s

type Made = (error: Error | null, socket: Duplex) => void
type Make = (options: ClientRequestArgs, made?: Made) => Duplex | null | undefined

interface Agents {
  readonly http: HttpAgent
  readonly https: HttpsAgent
}

export class WebAgents {
  /** These keep connections open for later calls of the same host. */
  readonly #keeping: Agents
  /** Each call has a connection of its own. */
  readonly #single: Agents
  /** Resolves names for one port; null with a proxy. */
  readonly #lookupOf: ((port: number) => LookupFunction) | null
  /** Ends connections through the proxy that are not made yet. */
  readonly #closing = new AbortController()

  constructor({ proxy, ca }: NetSettings, exceptions: PrivateHosts, resolve: Resolve) {
    this.#lookupOf = proxy === null ? (port) => guardedLookup(resolve, exceptions, port) : null
    const tls = ca === null ? {} : { secureContext: contextWith(ca) }
    const make = (options: AgentOptions): Agents => {
      const agents = { http: new HttpAgent(options), https: new HttpsAgent({ ...options, ...tls }) }
      if (proxy !== null) for (const agent of Object.values(agents)) this.#sendThrough(proxy, agent)
      return agents
    }
    this.#keeping = make({ keepAlive: true, maxFreeSockets: MAX_IDLE_OF_HOST, timeout: IDLE_MS })
    this.#single = make({ keepAlive: false })
  }

  /**
   * The options of a request that decide how it is connected.
   * @param isSingle for a request that cannot be sent again: a connection that was kept may be closed by now
   */
  of({ url, port }: CallTarget, isSingle: boolean): Pick<RequestOptions, 'agent' | 'lookup'> {
    const { http, https } = isSingle ? this.#single : this.#keeping
    const agent = url.protocol === 'https:' ? https : http
    return { agent, ...(this.#lookupOf === null ? {} : { lookup: this.#lookupOf(port) }) }
  }

  /** Ends every connection. */
  close(): void {
    this.#closing.abort()
    for (const { http, https } of [this.#keeping, this.#single]) {
      http.destroy()
      https.destroy()
    }
  }

  #sendThrough(proxy: HostPort, agent: HttpAgent): void {
    const direct: Make = agent.createConnection.bind(agent)
    const make: Make = (options, made) => {
      const target = { host: String(options.host), port: Number(options.port) }
      connectBySocks(proxy, target, this.#closing.signal).then(
        // TLS begins on the connection that is there; without TLS it is all there is.
        (socket) =>
          made?.(null, agent instanceof HttpsAgent ? direct({ ...options, socket } as ClientRequestArgs)! : socket),
        (error: unknown) => made?.(error as Error, null as unknown as Duplex),
      )
      return undefined
    }
    agent.createConnection = make
  }
}

/** Resolves a name for a connection to one port. @throws {NetError} NET_ADDRESS | NET_NAME to the connection */
function guardedLookup(resolve: Resolve, exceptions: PrivateHosts, port: number): LookupFunction {
  return (host, { all }, found) => {
    resolve(host).then(
      (addresses) => {
        const usable = addresses.filter((address) => maySendTo({ host: address, port }, exceptions, host)).map(familyOf)
        const [first] = usable
        if (first === undefined) return found(refusalOf(host, port, addresses), [])
        if (all === true) found(null, usable)
        else found(null, first.address, first.family)
      },
      (cause: unknown) => found(new NetError('NET_NAME', `the name ${host} cannot be resolved`, { cause }), []),
    )
  }
}

function familyOf(address: string): LookupAddress {
  return { address, family: isIPv6(address) ? 6 : 4 }
}

function refusalOf(host: string, port: number, addresses: readonly string[]): NetError {
  return addresses.length === 0
    ? new NetError('NET_NAME', `the name ${host} has no address`)
    : new NetError(
        'NET_ADDRESS',
        `the name ${host} leads into a private network, and net.private does not name it with port ${port}`,
      )
}

/**
 * The roots of Node and those of the owner, which the daemon has read as certificates. Made once: to read the roots takes some
 * milliseconds.
 */
function contextWith(ca: string): SecureContext {
  return createSecureContext({ ca: [...rootCertificates, ca] })
}
