/** Two ends over a carrier that loses, doubles, reorders and delays, and whose daemons crash between "written" and "posted". */
import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { repeatNow, tick } from '../../../src/channel/exchange/repeat.ts'
import { flush, submit } from '../../../src/channel/exchange/send.ts'
import { taken } from '../../../src/channel/exchange/life.ts'
import { receive } from '../../../src/channel/exchange/receive.ts'
import type { Step } from '../../../src/channel/exchange/channel.ts'
import type { ChannelEngine } from '../../../src/channel/ratchet/engine.ts'
import { End, seededEngine, START_MS, startEnds } from '../../support/channel-ends.ts'
import { sodium } from '../../support/made-persona.ts'

type Move =
  | { readonly move: 'send'; readonly by: 0 | 1; readonly bytes: number }
  | { readonly move: 'deliver'; readonly to: 0 | 1; readonly which: number; readonly keep: boolean }
  | { readonly move: 'lose'; readonly to: 0 | 1; readonly which: number }
  | { readonly move: 'flip'; readonly to: 0 | 1; readonly which: number; readonly bit: number }
  | { readonly move: 'wait'; readonly minutes: number }
  | { readonly move: 'crash'; readonly who: 0 | 1 }
  /** The next step of this end is written, or not even that, and then its daemon dies: nothing of it is posted or told. */
  | { readonly move: 'die'; readonly who: 0 | 1; readonly isWritten: boolean }

const end = fc.constantFrom(0 as const, 1 as const)
const anyMove: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ move: fc.constant('send' as const), by: end, bytes: fc.oneof(fc.nat(40), fc.nat(40_000)) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ move: fc.constant('deliver' as const), to: end, which: fc.nat(), keep: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ move: fc.constant('lose' as const), to: end, which: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ move: fc.constant('flip' as const), to: end, which: fc.nat(), bit: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ move: fc.constant('wait' as const), minutes: fc.nat(80) }) },
  { weight: 2, arbitrary: fc.record({ move: fc.constant('crash' as const), who: end }) },
  { weight: 2, arbitrary: fc.record({ move: fc.constant('die' as const), who: end, isWritten: fc.boolean() }) },
)

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`
}

class Model {
  readonly engine: ChannelEngine
  readonly ends: readonly [End, End]
  /** Data on its way to each end. */
  readonly ways: readonly [Uint8Array[], Uint8Array[]] = [[], []]
  readonly sent: readonly [string[], string[]] = [[], []]
  readonly dying: [null | 'written' | 'lost', null | 'written' | 'lost'] = [null, null]
  nowMs = START_MS
  count = 0

  constructor(seed: string) {
    this.engine = seededEngine(sodium, seed)
    const { host, guest } = startEnds(this.engine)
    this.ends = [new End(host), new End(guest)]
    this.ends[0].takePosted()
    this.ways[0].push(...this.ends[1].takePosted())
  }

  /** Takes a step, unless the daemon dies in it. */
  take(who: 0 | 1, step: Step): boolean {
    const one = this.ends[who]
    const fate = this.dying[who]
    this.dying[who] = null
    if (fate !== 'lost') one.take(step)
    if (fate === null) this.ways[who === 0 ? 1 : 0].push(...one.takePosted())
    else {
      one.takePosted()
      one.restart()
    }
    return fate !== 'lost'
  }

  flush(who: 0 | 1): void {
    this.take(who, flush(this.ends[who].channel, this.nowMs, this.engine))
  }

  play(move: Move): void {
    switch (move.move) {
      case 'send': {
        const bytes = new Uint8Array(move.bytes).fill(++this.count)
        if (this.take(move.by, submit(this.ends[move.by].channel, bytes))) this.sent[move.by].push(digest(bytes))
        return this.flush(move.by)
      }
      case 'deliver': {
        const way = this.ways[move.to]
        if (way.length === 0) return
        const at = move.which % way.length
        const data = way[at]!
        if (!move.keep) way.splice(at, 1)
        this.take(move.to, receive(this.ends[move.to].channel, data, false, this.nowMs, this.engine))
        return this.flush(move.to)
      }
      case 'lose':
        if (this.ways[move.to].length > 0) this.ways[move.to].splice(move.which % this.ways[move.to].length, 1)
        return
      case 'flip': {
        const way = this.ways[move.to]
        if (way.length === 0) return
        const data = way[move.which % way.length]!
        const at = 1 + (move.bit % (data.length - 1))
        const flipped = data.with(at, data[at]! ^ 1)
        return void this.take(move.to, receive(this.ends[move.to].channel, flipped, false, this.nowMs, this.engine))
      }
      case 'wait':
        this.nowMs += move.minutes * 60_000
        for (const who of [0, 1] as const) this.take(who, tick(this.ends[who].channel, this.nowMs))
        return
      case 'crash':
        return this.ends[move.who].restart()
      case 'die':
        this.dying[move.who] = move.isWritten ? 'written' : 'lost'
    }
  }

  /** Lets everything arrive, in the end. */
  settle(): void {
    this.dying.fill(null)
    for (let round = 0; round < 40; round++) {
      this.nowMs += 60_000
      for (const who of [0, 1] as const) {
        const { channel } = this.ends[who]
        this.take(who, taken(channel, channel.unreadBytes, this.nowMs, this.engine))
        this.take(who, repeatNow(this.ends[who].channel, this.nowMs, this.engine))
        this.flush(who)
      }
      for (const who of [0, 1] as const) {
        for (const data of this.ways[who].splice(0)) {
          this.take(who, receive(this.ends[who].channel, data, false, this.nowMs, this.engine))
        }
        this.flush(who)
      }
      if (this.ends.every(({ channel }) => channel.window.length === 0 && channel.outbox.length === 0)) return
    }
  }
}

it('everything is read once and in order, whatever the carrier does and whenever a daemon dies', () => {
  let contents = 0
  fc.assert(
    fc.property(fc.array(anyMove, { minLength: 20, maxLength: 150 }), fc.nat(1000), (moves, seed) => {
      const model = new Model(`model ${seed}`)
      for (const move of moves) model.play(move)
      model.settle()
      const [host, guest] = model.ends
      expect([host.channel.phase, guest.channel.phase]).toEqual(['open', 'open'])
      expect(guest.contents().map(digest)).toEqual(model.sent[0])
      expect(host.contents().map(digest)).toEqual(model.sent[1])
      expect([host.disk.frames.size, host.disk.early.size, host.disk.contents.size]).toEqual([0, 0, 0])
      contents += model.sent[0].length + model.sent[1].length
    }),
    { numRuns: 150 },
  )
  expect(contents).toBeGreaterThan(500)
})
