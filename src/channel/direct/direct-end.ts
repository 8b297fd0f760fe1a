/** The direct way of one end: gives its steps to connections and to turns of the end (docs/channel.md, section 14). */
import { CONTROL } from '../exchange/control.ts'
import { draftOf, type Channel, type ChannelEvent, type Step } from '../exchange/channel.ts'
import { postAgain, repeatNow } from '../exchange/repeat.ts'
import { submitControl } from '../exchange/send.ts'
import { described, takeAnswer, takeOffer } from './meet.ts'
import { formatSignal, parseSignal, readAnswer, readOffer } from './signal.ts'
import { connected, noteTaken, route, takeMessage, type Taken } from './traffic.ts'
import {
  closedWay,
  heardPeer,
  lost,
  nextWayMs,
  tickWay,
  type DirectAction,
  type DirectPhase,
  type DirectStep,
  type DirectWay,
} from './way.ts'
import type { ChannelEngine, Role } from '../ratchet/engine.ts'
import type { JsonObject } from '../../core/encoding/canonical-json.ts'
import type { LaterClock } from '../rtc/connection.ts'
import type { Connection, Connections } from '../rtc/connections.ts'

const MAX_UNTAKEN = 256 // sanity: four windows; a peer who sends faster than the disk is cut off

export interface DirectMeans {
  readonly connections: Connections
  readonly engine: ChannelEngine
  /** In unix milliseconds, since offers have a time. */
  readonly clock: LaterClock & { nowMs(): number }
}

export interface DirectHooks {
  /** The channel as it is on disk. @throws where its keys are closed */
  channel(): Channel
  /** Takes a frame of the peer in the next turn. Never rejects. */
  take(frame: Uint8Array): Promise<Taken>
  /** Does a step of the channel in the next turn. Never rejects. */
  later(work: (channel: Channel, nowMs: number) => Step): Promise<void>
  /** The way is open, or was open and is closed. */
  changed(): void
}

/** The part of a turn of an end that the direct way looks at. */
export interface DirectTurn {
  readonly channel: Channel
  readonly posts: readonly Uint8Array[]
  readonly events: readonly ChannelEvent[]
  /** Something of the peer came by one of its carriers. */
  readonly isHeard: boolean
}

export class DirectEnd {
  readonly #means: DirectMeans
  readonly #hooks: DirectHooks
  #way: DirectWay
  #connection: Connection | null = null
  /** Messages that wait for their turn. */
  #untaken = 0
  #isClosed = false
  #cancel: () => void = () => {}

  constructor(role: Role, means: DirectMeans, hooks: DirectHooks) {
    this.#way = closedWay(role)
    this.#means = means
    this.#hooks = hooks
  }

  get phase(): DirectPhase {
    return this.#way.phase
  }

  /** Once a turn is on disk. @returns the posts that go by the other carriers */
  afterTurn({ channel, posts, events, isHeard }: DirectTurn): Uint8Array[] {
    if (isHeard) this.#way = heardPeer(this.#way, this.#means.clock.nowMs())
    const rest = this.route(channel, posts)
    // The channel may be held since this very turn, and a peer who is held learns no address.
    if (!channel.isHeld) for (const each of events) this.#takeSignal(each)
    return rest
  }

  /** @returns the posts that go by the other carriers */
  route(channel: Channel, posts: readonly Uint8Array[]): Uint8Array[] {
    const step = route(this.#way, channel, posts, this.#means.clock.nowMs(), this.#means.engine)
    this.#act(step)
    return step.actions.flatMap((action) => (action.act === 'post' ? [action.data] : []))
  }

  /** The offer in M1. */
  takeFirstOffer(members: JsonObject): void {
    const offer = readOffer(members)
    if (offer !== null) this.#act(takeOffer(this.#way, offer, this.#means.clock.nowMs()))
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    this.#connection?.close()
    this.#connection = null
  }

  #takeSignal(each: ChannelEvent): void {
    if (each.event !== 'control' || (each.type !== CONTROL.offer && each.type !== CONTROL.answer)) return
    const members = parseSignal(each.bytes)
    if (members === null) return
    if (each.type === CONTROL.offer) return this.takeFirstOffer(members)
    const answer = readAnswer(members)
    if (answer !== null) this.#act(takeAnswer(this.#way, answer, this.#means.clock.nowMs()))
  }

  #act({ way, actions }: DirectStep): void {
    if (this.#isClosed) return
    this.#way = way
    for (const action of actions) this.#do(action)
    this.#wait()
  }

  #do(action: DirectAction): void {
    switch (action.act) {
      case 'makeOffer':
        return this.#connect(action.id, null)
      case 'makeAnswer':
        return this.#connect(action.id, action.sdp)
      case 'takeAnswer':
        return this.#connection?.answer(action.sdp)
      case 'tell':
        return this.#later((channel) => submitControl(channel, action.type, formatSignal(action.members)))
      case 'send':
        return this.#connection?.send(action.message)
      case 'hangUp':
        this.#connection?.close()
        this.#connection = null
        return
      case 'post':
        return
      case 'receive':
        return this.#receive(action.data)
      case 'opened':
        this.#hooks.changed()
        return this.#later((channel, nowMs) => repeatNow(channel, nowMs, this.#means.engine))
      case 'closed':
        this.#hooks.changed()
        return this.#later((channel, nowMs) => postAgain(channel, nowMs))
    }
  }

  #connect(id: string, sdp: string | null): void {
    const { engine } = this.#means
    this.#connection = this.#means.connections.connect(sdp, {
      described: (own) => this.#act(described(this.#way, id, own, this.#means.clock.nowMs())),
      connected: (fingerprint) =>
        this.#withChannel(id, (channel) =>
          connected(this.#way, id, fingerprint, channel, this.#means.clock.nowMs(), engine),
        ),
      message: (message) =>
        this.#withChannel(id, (channel) =>
          takeMessage(this.#way, id, message, channel, this.#means.clock.nowMs(), engine),
        ),
      closed: () => this.#act(lost(this.#way, id, this.#means.clock.nowMs())),
    })
  }

  /** The key of the direct way lies with the others: where it is closed, so is the way. */
  #withChannel(id: string, step: (channel: Pick<Channel, 'keys'>) => DirectStep): void {
    if (this.#isClosed) return
    let channel: Channel
    try {
      channel = this.#hooks.channel()
    } catch {
      return this.#act(lost(this.#way, id, this.#means.clock.nowMs()))
    }
    this.#act(step(channel))
  }

  #receive(data: Uint8Array): void {
    if (++this.#untaken > MAX_UNTAKEN) {
      this.#untaken--
      return this.#act(lost(this.#way, this.#way.attempt?.id ?? '', this.#means.clock.nowMs()))
    }
    const id = this.#way.attempt?.id ?? ''
    void this.#hooks.take(data).then((taken) => {
      this.#untaken--
      this.#act(noteTaken(this.#way, id, taken, this.#means.clock.nowMs()))
    })
  }

  #later(work: (channel: Channel, nowMs: number) => Step): void {
    void this.#hooks.later(work)
  }

  /** Waits for the end of the try, or of the pause before the next one. */
  #wait(): void {
    this.#cancel()
    const nowMs = this.#means.clock.nowMs()
    const wayMs = nextWayMs(this.#way)
    const dueMs = wayMs ?? (this.#way.notBeforeMs > nowMs ? this.#way.notBeforeMs : null)
    if (dueMs === null) return
    this.#cancel = this.#means.clock.after(Math.max(0, dueMs - nowMs), () => {
      if (wayMs === null) this.#later(draftOf)
      else this.#act(tickWay(this.#way, this.#means.clock.nowMs()))
    })
  }
}
