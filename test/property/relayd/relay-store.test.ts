import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { CardPlace } from '../../../src/relay/paths/card-place.ts'
import type { OfferedCard, RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { codeOf } from '../../support/code-of.ts'
import { DAY, HOUR, LIMITS, MINUTE, SEC, START, SUBJECTS } from '../../support/relay-stores.ts'

const digestOf = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())

/** Few boxes, addresses, texts and moments, so that they meet. */
const box = fc.constantFrom('a', 'b', 'c', 'd').map((letter) => letter.repeat(43))
const address = fc.constantFrom('address 1', 'address 2')
const data = fc.constantFrom('x', 'y', 'z', 'long '.repeat(12))
/** An index of a moment that a send was answered with; -1 for none. */
const processed = fc.integer({ min: -1, max: 40 })

/** Offers of two personas for two apps. They meet in seq, epoch and root; the digest of the text orders them. */
const offer = fc
  .record({
    persona: fc.constantFrom('A', 'B').map((digit) => digit.repeat(64)),
    app: fc.constantFrom('mail', 'notes'),
    seq: fc.constantFrom(1, 2, 3, 70_000),
    epoch: fc.constantFrom(0, 0, 0, 1),
    root: fc.constantFrom('root', 'root', 'root', 'stolen'),
    days: fc.constantFrom(1, 25, 40),
    isPublic: fc.boolean(),
    guest: fc.constantFrom(null, 'address 1', 'address 2'),
  })
  .map(({ seq, epoch, root, days, ...card }): Omit<OfferedCard, 'expiresUs'> & { readonly days: number } => {
    const text = `${card.persona} ${card.app} ${seq} ${epoch} ${root}`
    const rank = { chain: { epoch }, seq, hash: digestOf(text), root: digestOf(root) }
    return { ...card, days, at: `${card.persona[0]} ${card.app} ${root}`, rank, text }
  })

type Call =
  | { readonly do: 'put'; readonly card: typeof offer extends fc.Arbitrary<infer Card> ? Card : never }
  | { readonly do: 'get'; readonly place: CardPlace }
  | { readonly do: 'forget cards'; readonly persona: string }
  | { readonly do: 'send'; readonly box: string; readonly data: string; readonly address: string }
  | { readonly do: 'check'; readonly box: string; readonly address: string; readonly processed: number }
  | { readonly do: 'receive'; readonly box: string; readonly processed: number; readonly limit: number }
  | { readonly do: 'retire'; readonly box: string }
  | { readonly do: 'forget'; readonly box: string }

type Step =
  | { readonly do: 'calls'; readonly calls: readonly Call[] }
  // They take effect in the order of the calls here. A read at once with a write may show either.
  | { readonly do: 'sends at once'; readonly calls: readonly Call[] }
  // The calls change nothing, whatever they answer.
  | { readonly do: 'calls on a full disk'; readonly calls: readonly Call[] }
  | { readonly do: 'wait'; readonly us: number }
  | { readonly do: 'expire' }
  | { readonly do: 'reopen' }

const send = fc.record({ do: fc.constant('send' as const), box, data, address })
const limit = fc.integer({ min: 1, max: 4 })
const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 8, arbitrary: send },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('check' as const), box, address, processed }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('receive' as const), box, processed, limit }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retire' as const), box }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), card: offer }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('get' as const),
      place: offer.map(({ isPublic, at, persona, app }) => (isPublic ? { persona, app } : { at })),
    }),
  },
  { weight: 1, arbitrary: offer.map(({ persona }) => ({ do: 'forget cards' as const, persona })) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), box }) },
)
const bounds = { minLength: 1, maxLength: 8 }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('calls' as const), calls: fc.array(call, bounds) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sends at once' as const), calls: fc.array(send, bounds) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('calls on a full disk' as const), calls: fc.array(call, bounds) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      us: fc.constantFrom(0, 1, -1, SEC, -SEC, 20 * MINUTE, 59 * MINUTE, 2 * HOUR, 29 * DAY, 31 * DAY),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
)

const CARD_OUTCOMES = ['kept', 'newer', 'held', 'disputed', 'ended', 'crowded', 'apps', 'full'].map(
  (each) => `put ${each}`,
)

const SMALL = {
  ...LIMITS,
  maxMessages: 5,
  maxBytes: 90,
  maxUnchecked: 3,
  maxUncheckedBoxes: 2,
  maxRetired: 2,
  maxGuestCards: 1,
  maxApps: 1,
  maxDiskBytes: 4000,
}

interface Moment {
  readonly nowUs: number
  /** The moments of messages so far, in the order of the answers. */
  readonly atUs: readonly number[]
  readonly answerId: string
}

function run(store: RelayStore, call: Call, { nowUs, atUs, answerId }: Moment): Promise<unknown> {
  const answer = { id: answerId, expiresUs: nowUs + 59 * SEC }
  const cursor = 'processed' in call ? (atUs[call.processed] ?? 0) : 0
  switch (call.do) {
    case 'send':
      return store.send(call.box, call.data, call.address, nowUs)
    case 'check':
      return store.check(call.box, cursor, call.address, nowUs)
    case 'receive':
      return store.receive(call.box, answer, cursor, call.limit, nowUs)
    case 'retire':
      return store.retire(call.box, answer, nowUs)
    case 'forget':
      return store.forget(call.box)
    case 'put':
      return store.putCard({ ...call.card, expiresUs: nowUs + call.card.days * DAY }, nowUs)
    case 'get':
      return store.getCard(call.place, nowUs)
    case 'forget cards':
      return store.forgetCards(call.persona)
  }
}

async function expireAll(store: RelayStore, nowUs: number): Promise<void> {
  while ((await store.expire(nowUs, 3)) === 3);
}

const [plain, records, level] = SUBJECTS

it.each([
  { subject: records!, numRuns: 400 },
  { subject: level!, numRuns: 25 },
])(
  'every answer of $subject.name is that of the plain model, whatever happened before',
  async ({ subject, numRuns }) => {
    const seen: Record<string, number> = {}
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const { store: model } = await plain!.open(SMALL)
        const opened = await subject.open(SMALL)
        let { store } = opened
        let nowUs = START
        const atUs: number[] = []
        let answers = 0
        const compare = async (calls: readonly Call[]): Promise<void> => {
          const moments = calls.map((): Moment => ({ nowUs, atUs: [...atUs], answerId: `answer ${++answers}` }))
          const of = (each: RelayStore): Promise<unknown[]> =>
            Promise.all(calls.map((call, n) => run(each, call, moments[n]!)))
          const found = await of(store)
          expect(found).toEqual(await of(model))
          for (const [n, answer] of found.entries()) {
            const { outcome = '', atUs: moment = 0 } = (answer ?? {}) as { outcome?: string; atUs?: number }
            const name = `${calls[n]!.do} ${outcome}`
            seen[name] = (seen[name] ?? 0) + 1
            if (moment > 0) atUs.push(moment)
          }
        }
        for (const step of [...steps, { do: 'expire' } as const]) {
          switch (step.do) {
            case 'calls':
              for (const call of step.calls) await compare([call])
              break
            case 'sends at once':
              await compare(step.calls)
              break
            case 'calls on a full disk':
              if (opened.setFull === null) break
              opened.setFull(true)
              for (const call of step.calls) {
                const code = await codeOf(run(store, call, { nowUs, atUs, answerId: `answer ${++answers}` }))
                seen[code] = (seen[code] ?? 0) + 1
              }
              opened.setFull(false)
              // It looks for room.
              for (const each of [model, store]) await each.expire(nowUs, 0)
              break
            case 'wait':
              nowUs += step.us
              break
            case 'expire':
              for (const each of [model, store]) await expireAll(each, nowUs)
              expect(await store.stats()).toEqual(await model.stats())
              break
            case 'reopen':
              nowUs += 2 * MINUTE
              store = await opened.reopen(nowUs - 2 * MINUTE)
              break
          }
        }
        // The end of all: nothing is left behind, neither of boxes nor of counts.
        await expireAll(store, nowUs + 40 * DAY)
        expect(await store.stats()).toMatchObject({ boxes: 0, messages: 0, cards: 0, bytes: 0, isFull: false })
        for (const each of ['address 1', 'address 2'])
          for (const n of [1, 2])
            expect((await store.send(`${each} ${n}`, 'x', each, nowUs + 40 * DAY)).outcome).toBe('stored')
        await store.close()
      }),
      { numRuns },
    )
    for (const name of ['send stored', 'send renewed', 'send full', 'send used', 'send crowded', 'receive ', 'forget '])
      expect(seen[name] ?? 0, name).toBeGreaterThan(numRuns / 20)
    // Too few runs of LevelDB for all of these.
    if (numRuns >= 100)
      for (const name of [...CARD_OUTCOMES, 'STORE_DISK_FULL'])
        expect(seen[name] ?? 0, name).toBeGreaterThan(numRuns / 50)
  },
  120_000,
)
