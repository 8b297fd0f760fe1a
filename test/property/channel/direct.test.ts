/** The direct way comes and goes, and loses what is on it: the channel loses and doubles nothing. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MAX_RETRY_MS } from '../../../src/channel/direct/way.ts'
import { seededEngine } from '../../support/channel-ends.ts'
import { DirectPair, type Side } from '../../support/direct-ends.ts'
import { sodium } from '../../support/made-persona.ts'

const ROUNDS = 50
const STORIES = Number(process.env['DIRECT_STORIES'] ?? 4)

/** One time that the way is open. */
const anyRound = fc.record({
  /** Contents of either end, sent while the way is open. */
  sends: fc.array(fc.record({ by: fc.boolean(), bytes: fc.oneof(fc.nat(40), fc.nat(30_000)) }), { maxLength: 4 }),
  /** So many messages arrive before the cut. */
  arrive: fc.nat(6),
  told: fc.constantFrom('both', 'host', 'guest', 'none'),
  carried: fc.nat(3),
})

class Story extends DirectPair {
  readonly sent: Record<'host' | 'guest', Uint8Array[]> = { host: [], guest: [] }
  #count = 0

  say(side: Side, bytes: number): void {
    const content = new Uint8Array(bytes).fill(++this.#count)
    this.sent[side.way.role].push(content)
    this.send(side, content)
  }

  /** Contents go to and fro over the carriers until the way is open at both ends. */
  open(): void {
    const before = this.host.opens
    for (let turn = 0; turn === 0 || this.host.way.phase !== 'open' || this.guest.way.phase !== 'open'; turn++) {
      if (turn > 20) throw new Error(`the way does not open: ${this.host.way.phase} and ${this.guest.way.phase}`)
      // The pause after failures is over, and the peer was heard of.
      this.wait(MAX_RETRY_MS)
      for (const side of [this.host, this.guest]) this.say(side, 1)
      this.carryAll()
      for (const side of [this.host, this.guest]) this.say(side, 2)
      this.carryAll()
      this.connect()
      this.bringAll()
    }
    expect(this.host.opens).toBeGreaterThan(before)
  }
}

it('contents are read once and in order while a lossy direct way comes and goes 50 times', () => {
  let opens = 0
  fc.assert(
    fc.property(fc.array(anyRound, { minLength: ROUNDS, maxLength: ROUNDS }), fc.nat(1000), (rounds, seed) => {
      const story = new Story(seededEngine(sodium, `direct ${seed}`))
      const { host, guest } = story
      for (const { sends, arrive, told, carried } of rounds) {
        story.open()
        for (const { by, bytes } of sends) story.say(by ? host : guest, bytes)
        for (const side of [host, guest]) story.bring(side, arrive)
        story.cut([host, guest].filter(({ way }) => told === 'both' || told === way.role))
        for (const side of [host, guest]) story.carry(side, carried)
        opens++
      }
      for (let turn = 0; turn < 10; turn++) {
        story.wait(20_000)
        story.repeat()
        story.carryAll()
      }
      expect(guest.end.contents().map((each) => Buffer.from(each))).toEqual(
        story.sent.host.map((each) => Buffer.from(each)),
      )
      expect(host.end.contents().map((each) => Buffer.from(each))).toEqual(
        story.sent.guest.map((each) => Buffer.from(each)),
      )
      expect([host.end.channel.window.length, guest.end.channel.window.length]).toEqual([0, 0])
    }),
    { numRuns: STORIES, endOnFailure: true },
  )
  expect(opens).toBe(STORIES * ROUNDS)
})
