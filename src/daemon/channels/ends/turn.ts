/** One turn of an end: steps of its channel that go to disk together, before anything of them is posted or told. */
import type { Channel, ChannelEvent, Step } from '../../../channel/exchange/channel.ts'
import type { Part } from '../../../channel/exchange/parts.ts'
import type { EndState } from './end-state.ts'

export class Turn {
  readonly nowMs: number
  /** For every intake of the peer, in order. */
  readonly posts: Uint8Array[] = []
  readonly events: ChannelEvent[] = []
  /** Runs once the turn is on disk. */
  readonly afterwards: (() => void)[] = []
  /** Runs inside of the change, after the end was written. */
  readonly alongside: (() => void)[] = []
  /** Something of the peer came by one of its carriers. */
  isHeard = false
  #state: EndState
  #parts: readonly Part[] = []

  constructor(state: EndState, nowMs: number) {
    this.#state = state
    this.nowMs = nowMs
  }

  get state(): EndState {
    return this.#state
  }

  /** Parts of contents that wait for a client of their app. */
  get parts(): readonly Part[] {
    return this.#parts
  }

  get channel(): Channel {
    return this.#state.channel
  }

  get nowSec(): number {
    return Math.floor(this.nowMs / 1000)
  }

  /** Takes a step of the channel. Its records follow from the difference of the states; only parts are named. */
  step({ channel, writes, posts, events }: Step): void {
    this.#state = { ...this.#state, channel }
    this.#parts = [...this.#parts, ...writes.filter((write) => write.write === 'part')]
    this.posts.push(...posts)
    this.events.push(...events)
  }

  /** No other parts wait for a client. */
  leave(parts: readonly Part[]): void {
    this.#parts = parts
  }

  /** Changes what lies beside the channel. */
  set(more: Partial<Omit<EndState, 'channel'>>): void {
    this.#state = { ...this.#state, ...more }
  }

  setCursor(intake: string, cursor: string): void {
    this.set({ cursors: new Map(this.#state.cursors).set(intake, cursor) })
  }
}
