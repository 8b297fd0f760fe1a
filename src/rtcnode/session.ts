/** The connections of one daemon to personad-rtc: carries out its orders, and reports. */
import type { Writable } from 'node:stream'
import { DataConnection, LABEL, MAX_MESSAGE_BYTES } from '../channel/rtc/connection.ts'
import { formatHex } from '../core/encoding/bytes.ts'
import { FrameError, type Framed } from '../process/frame.ts'
import { OrderSession } from '../process/order-session.ts'
import { systemClock } from '../process/pulse.ts'
import { RtcError } from './errors.ts'
import { loadLibrary, type Library } from './library.ts'
import { ORDER_READER } from './orders.ts'
import { MAX_CONNECTIONS, RTC_LIMITS, type Order, type Report } from './protocol.ts'
import type { RtcSettings } from './settings.ts'

export class Session {
  readonly #session: OrderSession<Order, Report>
  readonly #connections = new Map<number, DataConnection>()
  #library: Library | null = null
  #settings: RtcSettings = { ice: [], address: null }

  constructor(output: Writable) {
    this.#session = new OrderSession(output, RTC_LIMITS)
  }

  /** Serves until the input ends or makes no sense. Never throws. */
  async serve(input: AsyncIterable<Buffer>): Promise<void> {
    await this.#session.serve(input, {
      orders: ORDER_READER,
      take: (order) => this.#take(order),
      reasonOf,
      close: () => {
        for (const connection of this.#connections.values()) connection.close()
      },
    })
  }

  async #take({ message: order, body }: Framed<Order>): Promise<void> {
    switch (order.type) {
      case 'configure':
        this.#settings = order
        this.#library = await loadLibrary()
        return
      case 'open':
        return this.#open(order.id, order.sdp)
      case 'answer':
        return this.#connections.get(order.id)?.answer(order.sdp)
      case 'send':
        return this.#connections.get(order.id)?.send(body)
      case 'close':
        return this.#connections.get(order.id)?.close()
    }
  }

  #open(id: number, sdp: string | null): void {
    const closed = (): void => {
      this.#connections.delete(id)
      this.#session.report({ type: 'closed', id })
    }
    if (this.#library === null || this.#connections.size >= MAX_CONNECTIONS) return closed()
    try {
      const { ice, address } = this.#settings
      const made = new this.#library.PeerConnection(LABEL, {
        iceServers: ice,
        maxMessageSize: MAX_MESSAGE_BYTES,
        ...(address === null ? {} : { bindAddress: address }),
      })
      const listener = {
        described: (own: string) => this.#session.report({ type: 'described', id, sdp: own }),
        connected: (shown: Uint8Array) =>
          this.#session.report({ type: 'connected', id, fingerprint: formatHex(shown) }),
        message: (message: Uint8Array) => this.#session.report({ type: 'message', id }, message),
        closed,
      }
      const connection = new DataConnection(made, sdp, listener, systemClock)
      if (!connection.isClosed) this.#connections.set(id, connection)
    } catch {
      closed()
    }
  }
}

function reasonOf(error: unknown): { code: RtcError['code']; message: string } {
  if (error instanceof RtcError) return { code: error.code, message: error.message }
  if (error instanceof FrameError) return { code: 'RTC_FAILED', message: error.message }
  return { code: 'RTC_FAILED', message: 'personad-rtc failed' }
}
