/** The headers of all rings are damaged while both daemons are off, or all is lost while both are on, over a network that is as slow as it likes at each call. */
import { setImmediate } from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { RecordCarrier } from '../../../src/channel/carriers/records/record-carrier.ts'
import { LOOK_MS } from '../../../src/channel/carriers/records/lookout.ts'
import { RECORD_SLOTS } from '../../../src/channel/carriers/records/ring-header.ts'
import type { Ways } from '../../../src/daemon/channels/ends/means.ts'
import type { RecordLimits } from '../../../src/record/record-engine.ts'
import { ChannelDaemon } from '../../support/channel-daemon.ts'
import { HandClock } from '../../support/hand-clock.ts'
import { MemoryRecordEngine, MemoryRecords } from '../../support/memory-records.ts'
import { engine } from '../../support/person.ts'
import { waysBy } from '../../support/record-ways.ts'
import { flipped } from '../../support/record-networks.ts'

const RUNS = Number(process.env['DAMAGED_RINGS'] ?? 5)
const TIMEOUT_MS: number = 60_000 + RUNS * 1000 // sanity: a story takes a tenth of a second on an idle machine
const SENDER_RETRY_MS = 11_000
const READER_RETRY_MS = 500
const MAX_ROUNDS = 400 // sanity: a story takes some 20; less than an hour of the daemon's clock, after which everything is sent again

const pauses = fc.array(fc.nat(5), { minLength: 50, maxLength: 50 })
const sends = fc.record({ off: fc.boolean(), after: fc.tuple(fc.boolean(), fc.boolean()) })

/** Two daemons with a channel over records in memory. */
class Story {
  readonly #records = new MemoryRecords()
  readonly #clock = new HandClock()
  #daemons: ChannelDaemon[] = []
  #ids: string[] = []
  /** By sender, in order. */
  readonly #texts: [string[], string[]] = [[], []]
  readonly #latency: RecordLimits['latency']

  constructor(waits: readonly number[], latency: RecordLimits['latency'] = 'instant') {
    this.#latency = latency
    let calls = 0
    this.#records.pause = async () => {
      for (let n = waits[calls++ % waits.length]!; n > 0; n--) await setImmediate()
    }
  }

  async open(): Promise<void> {
    this.#daemons = [await ChannelDaemon.open(this.#ways()), await ChannelDaemon.open(this.#ways())]
    const [host, guest] = this.#daemons as [ChannelDaemon, ChannelDaemon]
    const { invite } = await host.call('channel.invite', { name: 'Bob', over: [] })
    const { id } = await guest.call('channel.accept', { invite, name: 'Alice', over: [] })
    await this.#until(async () => (await guest.call('channel.show', { id })).state === 'open')
    this.#ids = [(await host.call('channel.list', {})).channels[0]!.id, id]
  }

  async send(from: 0 | 1): Promise<void> {
    const text = `${from} ${this.#texts[from].length}`
    this.#texts[from].push(text)
    await this.#daemons[from]!.call('channel.send', { id: this.#ids[from]!, text })
  }

  /** Each side reads all that the other has sent, once and in order. */
  async allRead(): Promise<void> {
    for (const [i, sent] of [this.#texts[1], this.#texts[0]].entries()) {
      const [daemon, id] = [this.#daemons[i]!, this.#ids[i]!]
      await this.#until(async () => (await daemon.call('channel.show', { id })).unread >= sent.length)
      expect(await daemon.texts(id)).toEqual(sent)
    }
  }

  /** The network has lost everything, as one whose nodes were all killed. */
  lose(): void {
    this.#records.slots.clear()
  }

  away(isAway: boolean): void {
    this.#records.isAway = isAway
  }

  async rounds(count: number): Promise<void> {
    for (let round = 1; round <= count; round++) await this.#round(round)
  }

  async damagedWhileOff(): Promise<void> {
    await this.close()
    for (const [key, signed] of this.#headers()) this.#records.slots.set(key, flipped(signed))
    this.#daemons = await Promise.all(this.#daemons.map(async (daemon) => await this.#opened(daemon)))
  }

  /** Puts both headers back as they were before some work, while one daemon is off. */
  async putBackWhileOff(off: 0 | 1, work: () => Promise<void>): Promise<void> {
    const older = this.#headers()
    await work()
    await this.#daemons[off]!.runner.close()
    for (const [key, signed] of older) this.#records.slots.set(key, signed)
    this.#daemons = this.#daemons.with(off, await this.#opened(this.#daemons[off]!))
  }

  #headers(): [string, Uint8Array][] {
    return [...this.#records.slots].filter(([key]) => key.endsWith(`.${RECORD_SLOTS} 0`))
  }

  async #opened({ test }: ChannelDaemon): Promise<ChannelDaemon> {
    return await ChannelDaemon.over(await test.reopened(), this.#ways())
  }

  async close(): Promise<void> {
    for (const { runner } of this.#daemons) await runner.close()
  }

  #ways(): Ways {
    const records = new MemoryRecordEngine(this.#records, engine, this.#latency)
    const carrier = new RecordCarrier({ records, engine, clock: this.#clock })
    return waysBy(carrier)
  }

  async #until(isDone: () => Promise<boolean>): Promise<void> {
    for (let round = 1; round <= MAX_ROUNDS; round++) {
      if (await isDone()) return
      await this.#round(round)
    }
    throw new Error(`nothing more came after ${MAX_ROUNDS} rounds`)
  }

  async #round(round: number): Promise<void> {
    await setImmediate()
    for (const daemon of this.#daemons) await daemon.idle()
    if (round % 5 === 0) this.#clock.turn(this.#latency === 'minutes' ? LOOK_MS : READER_RETRY_MS)
    if (round % 10 === 0) for (const { clock } of this.#daemons) clock.turn(SENDER_RETRY_MS)
  }
}

it(
  'a channel whose headers were all damaged goes on, with each content once and in order',
  async () => {
    const property = fc.asyncProperty(pauses, sends, async (waits, { off, after }) => {
      const story = new Story(waits)
      await story.open()
      await story.send(0)
      await story.send(1)
      await story.allRead()
      if (off) for (const side of [0, 1] as const) await story.send(side)
      await story.damagedWhileOff()
      for (const side of [0, 1] as const) if (after[side]) await story.send(side)
      await story.allRead()
      for (const side of [0, 1, 0, 1, 0, 1] as const) await story.send(side)
      await story.allRead()
      await story.close()
    })
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
  },
  TIMEOUT_MS,
)

it(
  'a channel whose headers were all put back while one daemon was off goes on, with each content once and in order, and no hour passes',
  async () => {
    const who = fc.constantFrom<(0 | 1)[]>(0, 1)
    const property = fc.asyncProperty(
      pauses,
      who,
      who,
      fc.integer({ min: 1, max: 4 }),
      async (waits, off, first, count) => {
        const story = new Story(waits)
        await story.open()
        for (const side of [0, 1] as const) await story.send(side)
        await story.allRead()
        await story.putBackWhileOff(off, async () => {
          for (let n = 0; n < count; n++) for (const side of [0, 1] as const) await story.send(side)
          await story.allRead()
        })
        for (const side of first === 0 ? ([0, 1, 0] as const) : ([1, 0, 1] as const)) {
          await story.send(side)
          await story.allRead()
        }
        await story.close()
      },
    )
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
  },
  TIMEOUT_MS,
)

it(
  'a channel over a network that is away, or loses everything, while both daemons are on goes on, with each content once and in order, and no hour passes',
  async () => {
    const rests = fc.array(fc.nat(20), { minLength: 8, maxLength: 8 })
    const deeds = fc.array(fc.constantFrom('send 0', 'send 1', 'lose', 'away', 'back'), { minLength: 2, maxLength: 8 })
    const property = fc.asyncProperty(pauses, deeds, rests, async (waits, done, rounds) => {
      const story = new Story(waits, 'minutes')
      await story.open()
      for (const side of [0, 1] as const) await story.send(side)
      await story.allRead()
      for (const [i, deed] of done.entries()) {
        if (deed === 'lose') story.lose()
        else if (deed === 'away' || deed === 'back') story.away(deed === 'away')
        else await story.send(deed === 'send 0' ? 0 : 1)
        await story.rounds(rounds[i]!)
      }
      story.away(false)
      await story.allRead()
      await story.close()
    })
    // Everything is lost after it was sent, and before anybody has looked.
    const known: [number[], string[], number[]] = [Array(50).fill(0), ['send 0', 'send 1', 'lose'], [3, 3, 0]]
    await fc.assert(property, { numRuns: RUNS, endOnFailure: true, examples: [known] })
  },
  TIMEOUT_MS,
)
