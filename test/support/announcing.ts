/** Daemons that announce on one DHT. It keeps values as libtorrent's nodes do: 64-bit seq, and of equal ones the first. */
import { isGoodSignedValue, type SignedValue, type ValuePlace } from '../../src/core/announce/signed-value.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { Announcer } from '../../src/daemon/announce/announcer.ts'
import type { Dht } from '../../src/daemon/announce/dht.ts'
import type { GetReport, PutReport } from '../../src/dht/order.ts'
import type { Clock } from '../../src/process/pulse.ts'
import type { TestKeeper } from './keeper.ts'
import { engine } from './person.ts'

const EFFORT = { nodesAsked: 8, nodesAnswered: 8, sentBytes: 800, receivedBytes: 4000, tookMs: 5 }

export class SharedDht implements Dht {
  readonly values: Map<string, SignedValue> = new Map()
  /** Places that were asked for, in order. */
  readonly asked: string[] = []
  /** Every order fails with this. */
  failure: Error | null = null
  #held: Promise<void> = Promise.resolve()

  async get(place: ValuePlace): Promise<GetReport> {
    if (this.failure !== null) throw this.failure
    this.asked.push(placeText(place))
    const found = this.values.get(placeText(place))
    await this.#held
    return { ...EFFORT, values: found === undefined ? [] : [{ signed: found, nodes: 8 }] }
  }

  /** No order is answered until the release. */
  hold(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#held = promise
    this.release = resolve
  }

  release: () => void = () => {}

  /** Every node has this value from now on, whatever it had before. */
  set(signed: SignedValue): void {
    this.values.set(placeText(signed), signed)
  }

  async put(signed: SignedValue): Promise<PutReport> {
    const before = await this.get(signed)
    if (!isGoodSignedValue(signed, (signature, message, key) => engine.verify(signature, message, key)))
      throw new Error('a node refuses a bad signature')
    const known = before.values[0]?.signed
    if (known === undefined || signed.seq > known.seq) this.values.set(placeText(signed), signed)
    const isHeld = formatHex(this.values.get(placeText(signed))!.bencoded) === formatHex(signed.bencoded)
    return { ...before, nodesTook: 8, nodesHold: isHeld ? 8 : 0 }
  }
}

function placeText({ publicKey, salt }: ValuePlace): string {
  return `${formatHex(publicKey)} ${formatHex(salt)}`
}

/** A clock that fires only when the test moves it. */
export class ManualClock implements Clock {
  #nowMs = 0
  #timers: { readonly atMs: number; readonly run: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** Fires what is due up to then, in order, and lets the work of each end. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      const next = this.#timers.filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      next.run()
      await settled()
    }
    this.#nowMs = endMs
  }
}

/** Everything in this process that waits for no timer has run. The store of these tests is in memory; secrets are files. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

export interface Announcing {
  readonly announcer: Announcer
  readonly clock: ManualClock
}

/** Opens the wing on a keeper, as the daemon does. */
export async function announcing(test: TestKeeper, dht: Dht | null, lookups = true): Promise<Announcing> {
  const clock = new ManualClock()
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as never
  const announcer = new Announcer({ keeper: test.keeper, dht, lookups, clock, log, random: () => 0.5 })
  test.onEvent = (event) => announcer.onEvent(event)
  await announcer.start()
  return { announcer, clock }
}
