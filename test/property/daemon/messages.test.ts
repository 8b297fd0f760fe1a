/**
 * Random histories of two people with two devices each, over real relays. Devices stop, are killed, locked and removed, keys rotate, relays go away,
 * people block and forget each other. Once it is quiet they reach each other, each message is once on each device that could get it, its sender knows how
 * it ended, and no relay has anything of it.
 */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { MessageHistory, type Act } from '../../support/message-history.ts'

/** How many random histories. Each takes seconds, so a normal run has none. */
const HISTORIES = Number(process.env['MESSAGE_HISTORIES'] ?? 0)
/** Those of a run that failed, as fast-check tells them. */
const { MESSAGE_SEED: seed, MESSAGE_PATH: path } = process.env
const MAX_ACTS = 24
const TIMEOUT_MS: number = 60_000 + HISTORIES * 10_000 // sanity: a history takes about a second on an idle machine

/**
 * Siblings that rotate while a relay is away, or at once, sign cards without each other. A card of that moment names no inbox, or lacks who waits for a
 * receipt, or the relay gives an entry to one of them alone.
 */
const EXAMPLES: [Act[]][] = [
  [
    [
      { act: 'send', device: 0 },
      { act: 'stop', device: 0 },
      { act: 'rotate', person: 1 },
      { act: 'away', person: 0 },
      { act: 'stop', device: 2 },
      { act: 'later', sec: 60 },
    ],
  ],
  [
    [
      { act: 'send', device: 1 },
      { act: 'crash', person: 0, commits: 1 },
      { act: 'rotate', person: 0 },
      { act: 'send', device: 0 },
    ],
  ],
  [
    [
      { act: 'send', device: 0 },
      { act: 'later', sec: 60 },
      { act: 'lock', device: 0 },
      { act: 'rotate', person: 1 },
      { act: 'crash', person: 0, commits: 2 },
    ],
  ],
]

const device = fc.nat(3)
const person = fc.nat(1)
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ act: fc.constant('send' as const), device }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('crash' as const), person, commits: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 4, arbitrary: fc.record({ act: fc.constant('stop' as const), device }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('away' as const), person }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('ack' as const), device }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('lock' as const), device }) },
  {
    weight: 4,
    arbitrary: fc.record({ act: fc.constant('later' as const), sec: fc.constantFrom(1, 60, 3600, 86_400) }),
  },
  { weight: 3, arbitrary: fc.constant<Act>({ act: 'settle' }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('rotate' as const), person }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('block' as const), person, isKilled: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('forget' as const), person }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('remove' as const), person }) },
)

it.runIf(HISTORIES > 0)(
  'each message ends as its sender is told',
  async () => {
    let sent = 0
    await fc.assert(
      fc.asyncProperty(fc.array(acts, { minLength: 4, maxLength: MAX_ACTS }), async (history) => {
        const people = await MessageHistory.open()
        try {
          for (const act of history) await people.does(act)
          sent += await people.ends()
        } finally {
          await people.close()
        }
      }),
      {
        numRuns: EXAMPLES.length + HISTORIES,
        ...(path === undefined ? { examples: EXAMPLES } : { path }),
        ...(seed === undefined ? {} : { seed: Number(seed) }),
      },
    )
    expect(sent).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)
