/** The direct way of one end: gives its steps to connections and to turns of the end (docs/channel.md, section 14). */
import { CONTROL } from '../../../channel/exchange/control.ts'
import type { Channel, ChannelEvent } from '../../../channel/exchange/channel.ts'
import { receive } from '../../../channel/exchange/receive.ts'
import { postAgain, repeatNow } from '../../../channel/exchange/repeat.ts'
import { submitControl } from '../../../channel/exchange/send.ts'
import { described, takeAnswer, takeOffer } from '../../../channel/direct/meet.ts'
import { formatSignal, parseSignal, readAnswer, readOffer } from '../../../channel/direct/signal.ts'
import { connected, route, takeMessage } from '../../../channel/direct/traffic.ts'
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
} from '../../../channel/direct/way.ts'
import type { Role } from '../../../channel/ratchet/engine.ts'
import type { JsonObject } from '../../../core/encoding/canonical-json.ts'
import type { Connection, Connections } from '../carriers/connections.ts'
import type { Means } from './means.ts'
import type { Turn } from './turn.ts'

const MAX_UNTAKEN = 256 // sanity: four windows; a peer who sends faster than the disk is cut off

export interface DirectHooks {
  /** The channel as it is on disk. @throws as loadEnd */
  channel(): Channel
  /** Does something in the next turn, without an answer. */
  later(work: (turn: Turn) => unknown): Promise<void>
}

export class DirectEnd {
  readonly #means: Means
  readonly #connections: Connections
  readonly #hooks: DirectHooks
  #way: DirectWay
  #connection: Connection | null = null
  /** Messages that wait for their turn. */
  #untaken = 0
  #isClosed = false
  #cancel: () => void = () => {}

  constructor(role: Role, connections: Connections, means: Means, hooks: DirectHooks) {
    this.#way = closedWay(role)
    this.#connections = connections
    this.#means = means
    this.#hooks = hooks
  }

  get phase(): DirectPhase {
    return this.#way.phase
  }

  /** Once a turn is on disk. @returns the posts that go by the other carriers */
  afterTurn({ channel, posts, events, isHeard }: Turn): Uint8Array[] {
    if (isHeard) this.#way = heardPeer(this.#way, this.#means.nowMs)
    const rest = this.route(channel, posts)
    // The channel may be held since this very turn, and a peer who is held learns no address.
    if (!channel.isHeld) for (const each of events) this.#takeSignal(each)
    return rest
  }

  /** @returns the posts that go by the other carriers */
  route(channel: Channel, posts: readonly Uint8Array[]): Uint8Array[] {
    const step = route(this.#way, channel, posts, this.#means.nowMs, this.#means.keeper.engine)
    this.#act(step)
    return step.actions.flatMap((action) => (action.act === 'post' ? [action.data] : []))
  }

  /** The offer in M1. */
  takeFirstOffer(members: JsonObject): void {
    const offer = readOffer(members)
    if (offer !== null) this.#act(takeOffer(this.#way, offer, this.#means.nowMs))
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
    if (answer !== null) this.#act(takeAnswer(this.#way, answer, this.#means.nowMs))
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
        return this.#later((turn) => turn.step(submitControl(turn.channel, action.type, formatSignal(action.members))))
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
        return this.#later((turn) => turn.step(repeatNow(turn.channel, turn.nowMs, this.#means.keeper.engine)))
      case 'closed':
        return this.#later((turn) => turn.step(postAgain(turn.channel, turn.nowMs)))
    }
  }

  #connect(id: string, sdp: string | null): void {
    const { engine } = this.#means.keeper
    this.#connection = this.#connections.connect(sdp, {
      described: (own) => this.#act(described(this.#way, id, own, this.#means.nowMs)),
      connected: (fingerprint) =>
        this.#withChannel(id, (channel) => connected(this.#way, id, fingerprint, channel, this.#means.nowMs, engine)),
      message: (message) =>
        this.#withChannel(id, (channel) => takeMessage(this.#way, id, message, channel, this.#means.nowMs, engine)),
      closed: () => this.#act(lost(this.#way, id, this.#means.nowMs)),
    })
  }

  /** The key of the direct way lies with the others: where it is closed, so is the way. */
  #withChannel(id: string, step: (channel: Pick<Channel, 'keys'>) => DirectStep): void {
    if (this.#isClosed) return
    let channel: Channel
    try {
      channel = this.#hooks.channel()
    } catch {
      return this.#act(lost(this.#way, id, this.#means.nowMs))
    }
    this.#act(step(channel))
  }

  #receive(data: Uint8Array): void {
    const { engine } = this.#means.keeper
    if (++this.#untaken > MAX_UNTAKEN) {
      this.#untaken--
      return this.#act(lost(this.#way, this.#way.attempt?.id ?? '', this.#means.nowMs))
    }
    const id = this.#way.attempt?.id ?? ''
    const take = (turn: Turn): void => {
      const step = receive(turn.channel, data, false, turn.nowMs, engine)
      // A peer that is honest seals for this state. At the speed of a direct way, others would take all time of the daemon.
      if (step.channel.refused > turn.channel.refused) this.#act(lost(this.#way, id, this.#means.nowMs))
      turn.step(step)
    }
    void this.#hooks.later(take).finally(() => this.#untaken--)
  }

  #later(work: (turn: Turn) => unknown): void {
    void this.#hooks.later(work)
  }

  /** Waits for the end of the try, or of the pause before the next one. */
  #wait(): void {
    this.#cancel()
    const { nowMs } = this.#means
    const wayMs = nextWayMs(this.#way)
    const dueMs = wayMs ?? (this.#way.notBeforeMs > nowMs ? this.#way.notBeforeMs : null)
    if (dueMs === null) return
    this.#cancel = this.#means.clock.after(Math.max(0, dueMs - nowMs), () => {
      if (wayMs === null) this.#later(() => {})
      else this.#act(tickWay(this.#way, this.#means.nowMs))
    })
  }
}
