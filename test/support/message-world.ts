/** The time that relays and daemons of messages in this process share, and the way of calls between them. */
import type { ObjectFetch } from '../../src/relay/means.ts'
import { HandClock } from './hand-clock.ts'
import type { TestKeeper } from './keeper.ts'
import { MessageRelay } from './message-relay.ts'
import { START_SEC } from './person.ts'

/** A daemon whose time passes with that of the others. */
export interface Member {
  readonly test: TestKeeper
  /** Resolves once nothing that is due is left. */
  idle(): Promise<void>
}

const STEP_SEC = 20 // a stream has a comment every 20 seconds, and is left after 70
export const RETRY_SEC = 40 // some tries, whose pauses grow from 1 and 5 seconds

/** All relays and daemons of a test, with one time. */
export class MessageWorld {
  readonly clock: HandClock = new HandClock()
  readonly relays: Map<string, MessageRelay> = new Map()
  readonly daemons: Set<Member> = new Set()

  get nowSec(): number {
    return START_SEC + Math.floor(this.clock.nowMs() / 1000)
  }

  async relay(name: string): Promise<MessageRelay> {
    const relay = await MessageRelay.start(name, this.nowSec, this.clock)
    this.relays.set(relay.url, relay)
    return relay
  }

  /** Every call goes to the relay of its address. */
  readonly fetch: ObjectFetch = async (url, request) => {
    const relay = this.relays.get(`${new URL(url).origin}/`)
    if (relay === undefined) throw new TypeError('fetch failed')
    return await relay.fetch(url, request, () => this.nowSec)
  }

  /** Resolves once it is so. Whenever nothing is left to do a second passes: what failed is tried again. */
  async until<T>(look: () => T | null | undefined | false | Promise<T | null | undefined | false>): Promise<T> {
    for (;;) {
      const found = await look()
      if (found !== null && found !== undefined && found !== false) return found
      const before = this.#steps()
      await this.#turns(10)
      if (before === this.#steps() && !this.#isCalling) this.turn(1)
    }
  }

  /** Moves the time of all clocks, and rings what is due. */
  turn(sec: number): void {
    for (const daemon of this.daemons) daemon.test.later(sec)
    for (const relay of this.relays.values()) relay.made.nowSec += sec
    this.clock.turn(sec * 1000)
  }

  /** Moves the time in steps that break no stream. */
  async pass(sec: number): Promise<void> {
    for (let passed = 0; passed < sec; passed += STEP_SEC) {
      this.turn(STEP_SEC)
      await this.#turns(10)
    }
    await this.settle()
  }

  /** As {@link turn}, and lets what it began come to an end, with a few tries of what failed. */
  async later(sec: number): Promise<void> {
    this.turn(sec)
    for (let waitedSec = 0; waitedSec < RETRY_SEC; waitedSec += 5) {
      await this.settle()
      this.turn(5)
    }
    await this.settle()
  }

  /** Resolves once no daemon has work that is due, and no call waits for its answer. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      const before = this.#steps()
      await Promise.all([...this.daemons].map(async (daemon) => await daemon.idle()))
      await this.#turns(1)
      if (before !== this.#steps() || this.#isCalling) quiet = 0
    }
  }

  async #turns(count: number): Promise<void> {
    for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  get #isCalling(): boolean {
    return [...this.relays.values()].some(({ running }) => running > 0)
  }

  #steps(): number {
    let steps = 0
    for (const relay of this.relays.values()) steps += relay.calls.length
    for (const { test } of this.daemons) steps += test.store.commits.length
    return steps
  }
}

const QUIET_TURNS = 60 // an entry passes the loopback device in some turns
