/** Two ends of a channel with a direct way, whose connections are queues that a test cuts. */
import { connected, route, takeMessage } from '../../src/channel/direct/traffic.ts'
import { described, takeAnswer, takeOffer } from '../../src/channel/direct/meet.ts'
import { parseSignal, readAnswer, readOffer, formatSignal } from '../../src/channel/direct/signal.ts'
import {
  closedWay,
  heardPeer,
  lost,
  tickWay,
  type DirectAction,
  type DirectStep,
  type DirectWay,
} from '../../src/channel/direct/way.ts'
import type { Step } from '../../src/channel/exchange/channel.ts'
import { CONTROL } from '../../src/channel/exchange/control.ts'
import { receive } from '../../src/channel/exchange/receive.ts'
import { postAgain, repeatNow } from '../../src/channel/exchange/repeat.ts'
import { flush, submit, submitControl } from '../../src/channel/exchange/send.ts'
import type { ChannelEngine } from '../../src/channel/ratchet/engine.ts'
import { encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { End, START_MS, startEnds } from './channel-ends.ts'

/** A description with the fingerprint SHA-256(name). */
export function sdpOf(engine: ChannelEngine, name: string): string {
  const digits = formatHex(engine.sha256(encodeUtf8(name)))
    .match(/../g)!
    .join(':')
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel']
  return [...lines, `a=fingerprint:sha-256 ${digits}`, ''].join('\r\n')
}

/** A connection of one end. Both have one with the same id once the answer was taken. */
interface Connection {
  readonly id: string
  readonly isOfferer: boolean
  hasBoth: boolean
}

export class Side {
  readonly end: End
  way: DirectWay
  connection: Connection | null = null
  /** On its way to this end, by the carriers and by the connection. */
  readonly carried: Uint8Array[] = []
  readonly messages: Uint8Array[] = []
  opens = 0

  constructor(end: End, way: DirectWay) {
    this.end = end
    this.way = way
  }
}

export class DirectPair {
  readonly host: Side
  readonly guest: Side
  readonly engine: ChannelEngine
  nowMs: number = START_MS

  constructor(engine: ChannelEngine) {
    this.engine = engine
    const { host, guest } = startEnds(engine)
    this.host = new Side(new End(host), closedWay('host'))
    this.guest = new Side(new End(guest), closedWay('guest'))
    this.host.end.takePosted()
    this.host.carried.push(...this.guest.end.takePosted())
    this.carryAll()
  }

  other(side: Side): Side {
    return side === this.host ? this.guest : this.host
  }

  send(side: Side, bytes: Uint8Array): void {
    this.#take(side, submit(side.end.channel, bytes))
    this.#flush(side)
  }

  /** Brings what came by the carriers to an end. */
  carry(side: Side, count: number = Infinity): void {
    for (const data of side.carried.splice(0, count)) {
      side.way = heardPeer(side.way, this.nowMs)
      this.#receive(side, data)
    }
    this.#flush(side)
  }

  /** Brings messages of the connection to an end. */
  bring(side: Side, count: number = Infinity): void {
    for (const message of side.messages.splice(0, count)) {
      const id = side.connection?.id ?? ''
      this.#act(side, takeMessage(side.way, id, message, side.end.channel, this.nowMs, this.engine))
      this.#flush(side)
    }
  }

  /** Brings all that is on its way by the carriers, to and fro. */
  carryAll(): void {
    while (this.host.carried.length + this.guest.carried.length > 0) for (const side of this.#sides) this.carry(side)
  }

  bringAll(): void {
    while (this.host.messages.length + this.guest.messages.length > 0) for (const side of this.#sides) this.bring(side)
  }

  /** Both connections find each other, if both have both descriptions. @returns whether they did */
  connect(): boolean {
    const [own, peer] = [this.host.connection, this.guest.connection]
    if (own === null || own.id !== peer?.id || !own.hasBoth || !peer.hasBoth) return false
    const { id } = own
    for (const side of this.#sides) {
      const reported = this.engine.sha256(encodeUtf8(nameOf(this.other(side), id)))
      this.#act(side, connected(side.way, id, reported, side.end.channel, this.nowMs, this.engine))
    }
    return true
  }

  /** The connection breaks, with all that is on its way. @param told the ends whose library notices */
  cut(told: readonly Side[]): void {
    for (const side of this.#sides) side.messages.length = 0
    for (const side of this.#sides) {
      const id = side.connection?.id
      side.connection = null
      if (id !== undefined && told.includes(side)) this.#act(side, lost(side.way, id, this.nowMs))
    }
  }

  /** Time passes. */
  wait(ms: number): void {
    this.nowMs += ms
    for (const side of this.#sides) {
      this.#act(side, tickWay(side.way, this.nowMs))
      this.#flush(side)
    }
  }

  /** The carriers repeat what is not acknowledged. */
  repeat(): void {
    for (const side of this.#sides) {
      this.#take(side, repeatNow(side.end.channel, this.nowMs, this.engine))
      this.#flush(side)
    }
  }

  get #sides(): readonly [Side, Side] {
    return [this.host, this.guest]
  }

  #receive(side: Side, data: Uint8Array): void {
    this.#take(side, receive(side.end.channel, data, false, this.nowMs, this.engine))
    for (const each of side.end.events.splice(0)) {
      if (each.event !== 'control') continue
      const members = parseSignal(each.bytes)!
      if (each.type === CONTROL.offer) this.#act(side, takeOffer(side.way, readOffer(members)!, this.nowMs))
      if (each.type === CONTROL.answer) this.#act(side, takeAnswer(side.way, readAnswer(members)!, this.nowMs))
    }
  }

  #flush(side: Side): void {
    this.#take(side, flush(side.end.channel, this.nowMs, this.engine))
  }

  /** Writes a step, then sends its posts by the way that is open. */
  #take(side: Side, step: Step): void {
    const posts = side.end.take(step)
    side.end.takePosted()
    this.#act(side, route(side.way, side.end.channel, posts, this.nowMs, this.engine))
  }

  #act(side: Side, { way, actions }: DirectStep): void {
    side.way = way
    for (const action of actions) this.#do(side, action)
  }

  #do(side: Side, action: DirectAction): void {
    const peer = this.other(side)
    switch (action.act) {
      case 'makeOffer':
      case 'makeAnswer':
        side.connection = { id: action.id, isOfferer: action.act === 'makeOffer', hasBoth: action.act === 'makeAnswer' }
        return this.#act(side, described(side.way, action.id, sdpOf(this.engine, nameOf(side, action.id)), this.nowMs))
      case 'takeAnswer':
        side.connection!.hasBoth = true
        return
      case 'tell':
        this.#take(side, submitControl(side.end.channel, action.type, formatSignal(action.members)))
        return this.#flush(side)
      case 'send':
        if (peer.connection?.id === action.id) peer.messages.push(action.message)
        return
      case 'hangUp':
        // The messages on their way are lost, and the library of the peer notices.
        if (side.connection?.id === action.id) this.cut([peer])
        return
      case 'post':
        return void peer.carried.push(action.data)
      case 'receive':
        return this.#receive(side, action.data)
      case 'opened':
        side.opens++
        return this.#take(side, repeatNow(side.end.channel, this.nowMs, this.engine))
      case 'closed':
        return this.#take(side, postAgain(side.end.channel, this.nowMs))
    }
  }
}

function nameOf(side: Side, id: string): string {
  return `${side.way.role} ${id}`
}
