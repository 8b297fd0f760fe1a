/** The open calls of one daemon to servers, and their limits. It needs neither bootstrap nodes nor the DHT. */
import { PrivateHosts } from '../core/encoding/private-hosts.ts'
import type { Clock } from '../process/pulse.ts'
import type { Resolve } from './dht.ts'
import { NetError } from './errors.ts'
import { MAX_CALLS, type CallForm, type Report } from './protocol.ts'
import type { NetSettings } from './settings.ts'
import { WebAgents } from './web-agents.ts'
import { otherBody, WebCall } from './web-call.ts'
import { checkUrl } from './web-url.ts'

const MAX_STREAMS = 32 // sanity: half of the calls, so that streams never shut out all others
const MAX_BODIES_BYTES = 4_194_304 // sanity: the requests of 64 calls at the size of a relay's largest

export class WebCalls {
  readonly #exceptions: PrivateHosts
  readonly #agents: WebAgents
  readonly #clock: Clock
  readonly #report: (report: Report, body?: Uint8Array) => void
  readonly #calls = new Map<number, WebCall>()
  #bodiesBytes = 0

  constructor(
    settings: NetSettings,
    resolve: Resolve,
    clock: Clock,
    report: (report: Report, body?: Uint8Array) => void,
  ) {
    this.#exceptions = new PrivateHosts(settings.private)
    this.#agents = new WebAgents(settings, this.#exceptions, resolve)
    this.#clock = clock
    this.#report = report
  }

  /**
   * @param body the first part of the body, or all of it
   * @throws {NetError} NET_ADDRESS | NET_BUSY | NET_FAILED
   */
  open(order: CallForm & { readonly id: number }, body: Uint8Array): void {
    const target = checkUrl(order.url, this.#exceptions)
    if (body.length > order.bodyBytes || (body.length === 0 && order.bodyBytes > 0)) throw otherBody()
    if (this.#calls.has(order.id)) throw new NetError('NET_BUSY', 'a call with this number is open')
    if (this.#calls.size >= MAX_CALLS || this.#bodiesBytes + body.length > MAX_BODIES_BYTES)
      throw new NetError('NET_BUSY', `${this.#calls.size} calls are open already`)
    this.#bodiesBytes += body.length
    const call = new WebCall({
      order,
      target,
      body,
      agents: this.#agents,
      clock: this.#clock,
      report: this.#report,
      mayStream: () => this.#streams() < MAX_STREAMS,
      onEnd: () => {
        this.#calls.delete(order.id)
        this.#bodiesBytes -= body.length
      },
    })
    this.#calls.set(order.id, call)
  }

  /** A further part of the body of a request. */
  add(id: number, part: Uint8Array): void {
    this.#calls.get(id)?.add(part)
  }

  took(id: number, bytes: number): void {
    this.#calls.get(id)?.took(bytes)
  }

  cancel(id: number): void {
    this.#calls.get(id)?.cancel()
  }

  close(): void {
    for (const call of this.#calls.values()) call.cancel()
    this.#agents.close()
  }

  #streams(): number {
    return [...this.#calls.values()].filter(({ isStream }) => isStream).length
  }
}
