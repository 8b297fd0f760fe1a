/** Random histories of inboxes: each store of a relay answers as the plain model does. */
import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { inboxIdOf, type AskingDevice, type OfferedEntry } from '../../../src/relayd/store/inbox-store.ts'
import type { RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { DAY, HOUR, LIMITS, MINUTE, SEC, START, SUBJECTS } from '../../support/relay-stores.ts'

const HISTORIES = Number(process.env['INBOX_HISTORIES'] ?? 150)
const [BOB, CAROL] = ['B0', 'CA'].map((digits) => digits.repeat(32)) as [string, string]
const SENDERS = ['A1', 'D5', 'B0'].map((digits) => digits.repeat(32))
const TAGS = ['laptop', 'phone', 'tablet']

/** Few inboxes, senders, texts and devices, so that they meet. */
const inbox = fc.constantFrom(inboxIdOf(BOB, 'mail'), inboxIdOf(BOB, 'notes'), inboxIdOf(CAROL, 'notes'))
const listed = fc.subarray(TAGS, { minLength: 1 })
const device = listed.chain((all) => fc.constantFrom(...all).map((tag): AskingDevice => ({ tag, listed: all })))
const entry = fc.record({ from: fc.constantFrom(...SENDERS), encId: fc.constantFrom('x', 'y', 'z', 'long'.repeat(9)) })
/** Indexes of the numbers that a list gave so far. */
const some = fc.array(fc.nat({ max: 20 }), { maxLength: 5 })
const rules = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...SENDERS), fc.constantFrom('allow', 'block', 'forget')),
    fc.constantFrom(null, null, 0, 2),
  )
  .map(([words, strangers]) => {
    const of = (word: string): string[] => Object.keys(words).filter((each) => words[each] === word)
    return { allow: of('allow'), block: of('block'), forget: of('forget'), strangers }
  })

const post = fc.record({ do: fc.constant('post' as const), inbox, entry, listed })
const call = fc.oneof(
  { weight: 8, arbitrary: post },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      inbox,
      device,
      after: fc.integer({ min: -1, max: 20 }),
      limit: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('acknowledge' as const), inbox, device, some }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('senders' as const), inbox, device, rules }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('forget' as const, 'end rules' as const),
      persona: fc.constantFrom(BOB, CAROL),
    }),
  },
)
type Call = typeof call extends fc.Arbitrary<infer Each> ? Each : never

type Step =
  | { readonly do: 'calls'; readonly calls: readonly Call[] }
  // They take effect in the order of the calls here.
  | { readonly do: 'posts at once'; readonly calls: readonly Call[] }
  | { readonly do: 'wait'; readonly us: number }
  | { readonly do: 'expire' | 'reopen' }

const bounds = { minLength: 1, maxLength: 8 }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('calls' as const), calls: fc.array(call, bounds) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('posts at once' as const), calls: fc.array(post, bounds) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      us: fc.constantFrom(0, 1, SEC, 59 * MINUTE, 2 * HOUR, 23 * HOUR, DAY, 29 * DAY, 31 * DAY),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'reopen' as const) }) },
)

const SMALL = { ...LIMITS, maxEntries: 5, maxStrangers: 3, maxOfStranger: 2, maxNamed: 2, maxDiskBytes: 16_000 }

const offered = ({ from, encId }: { from: string; encId: string }): OfferedEntry => ({
  from,
  kid: `key of ${from.slice(0, 2)}`,
  at: `card of ${from.slice(0, 2)}`,
  bodyHash: createHash('sha256').update(encId).digest('base64url'),
  encId,
})

/** @param numbers that lists gave so far */
function run({ inboxes }: RelayStore, call: Call, numbers: readonly number[], nowUs: number): Promise<unknown> {
  switch (call.do) {
    case 'post':
      return inboxes.post(call.inbox, offered(call.entry), call.listed, nowUs)
    case 'list':
      return inboxes.list(call.inbox, call.device, numbers[call.after] ?? 0, call.limit, nowUs)
    case 'acknowledge': {
      const named = call.some.flatMap((index) => numbers[index] ?? [])
      return inboxes.acknowledge(call.inbox, call.device, named, nowUs)
    }
    case 'senders':
      return inboxes.setSenders(call.inbox, call.device, call.rules, nowUs)
    case 'forget':
      return inboxes.forget(call.persona)
    case 'end rules':
      return inboxes.endRules(call.persona, nowUs)
  }
}

async function expireAll(store: RelayStore, nowUs: number): Promise<void> {
  while ((await store.expire(nowUs, 3)) === 3);
}

const OUTCOMES = ['stored', 'repeated', 'blocked', 'full', 'no strangers', 'disk'].map((each) => `post ${each}`)
const [plain, records, level] = SUBJECTS

it.each([
  { subject: records!, numRuns: HISTORIES },
  { subject: level!, numRuns: Math.ceil(HISTORIES / 20) },
])(
  'every answer of the inboxes in $subject.name is that of the plain model, whatever happened before',
  async ({ subject, numRuns }) => {
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const { store: model } = await plain!.open(SMALL)
        const opened = await subject.open(SMALL)
        let { store } = opened
        let nowUs = START
        const numbers: number[] = []
        const compare = async (calls: readonly Call[]): Promise<void> => {
          const of = (each: RelayStore): Promise<unknown[]> =>
            Promise.all(calls.map((call) => run(each, call, [...numbers], nowUs)))
          const found = await of(store)
          expect(found).toEqual(await of(model))
          for (const [n, answer] of found.entries()) {
            const name = `${calls[n]!.do} ${typeof answer === 'string' ? answer : ''}`
            seen.set(name, (seen.get(name) ?? 0) + 1)
            const { entries = [] } = (answer ?? {}) as { entries?: readonly { n: number }[] }
            for (const each of entries) if (!numbers.includes(each.n)) numbers.push(each.n)
          }
        }
        for (const step of [...steps, { do: 'expire' } as const]) {
          switch (step.do) {
            case 'calls':
              for (const call of step.calls) await compare([call])
              break
            case 'posts at once':
              await compare(step.calls)
              break
            case 'wait':
              nowUs += step.us
              break
            case 'expire':
              for (const each of [model, store]) await expireAll(each, nowUs)
              expect(await store.stats()).toEqual(await model.stats())
              break
            case 'reopen':
              store = await opened.reopen(nowUs)
              break
          }
        }
        // The end of all: nothing is left behind, neither of entries nor of counts.
        await expireAll(store, nowUs + 100 * DAY)
        await expireAll(store, nowUs + 200 * DAY)
        expect(await store.stats()).toMatchObject({ inboxes: 0, entries: 0, bytes: 0, isFull: false })
        await store.close()
      }),
      { numRuns },
    )
    // Too few runs of LevelDB for all of these.
    if (numRuns >= 100) for (const name of OUTCOMES) expect(seen.get(name) ?? 0, name).toBeGreaterThan(numRuns / 50)
    expect(seen.get('post stored') ?? 0).toBeGreaterThan(numRuns)
  },
  60_000 + HISTORIES * 200,
)
