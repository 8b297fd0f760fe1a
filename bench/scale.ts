/**
 * The cost of operations with few and with many contacts of three devices each: two daemons, measured in turn.
 * Records of a recently used contact are cached; others are read and decoded. The two cases are measured apart,
 * because a small store is almost entirely cached and a large one hardly.
 */
import { connect, type Client } from '../src/ipc/client.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import type { ObservationParams } from '../src/ipc/shapes/judged.ts'
import { MAX_KEPT } from '../src/store/record-cache.ts'
import { makeHome, observeAll, removeHome, startDaemon, type RunningDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'
import { friend } from './people.ts'

const DEVICES = 3
const SUBSCRIBERS = 50
const FILL_AT_A_TIME = 5120
const PAGE = 100
const PAGES = 3 // pages a round; those of the small store do not overlap
const WARM_UP = 3000 // calls, until the optimising compiler has seen everything
const KEY_DIGITS = 64

/** A daemon with many contacts, and some of their keys and names to query. */
interface Filled {
  readonly home: string
  readonly daemon: RunningDaemon
  readonly keys: readonly string[]
  readonly names: readonly string[]
  readonly subscribers: readonly Client[]
}

async function fill(engine: CryptoEngine, contacts: number): Promise<Filled> {
  const home = makeHome()
  const daemon = await startDaemon(home)
  const [keys, names]: [string[], string[]] = [[], []]
  for (let done = 0; done < contacts; done += FILL_AT_A_TIME) {
    const count = Math.min(FILL_AT_A_TIME, contacts - done)
    const some = Array.from({ length: count }, (_, i) => friend(engine, done + i, DEVICES))
    await observeAll(daemon.admin, some)
    for (const { from, name } of some) {
      keys.push(from)
      names.push(name!)
    }
  }
  const subscribers = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, async () => await connect({ socketPath: daemon.appSocket })),
  )
  return { home, daemon, keys, names, subscribers }
}

async function close({ home, daemon, subscribers }: Filled): Promise<void> {
  for (const client of subscribers) await client.close()
  await daemon.stop()
  removeHome(home)
}

/** Lists every contact once, so that the files are mapped and the code is compiled. */
async function warmUp({ daemon, keys, names }: Filled): Promise<void> {
  for (let after: string | null = ''; after !== null;) {
    const page: { next: string | null } = await daemon.admin.call('contact.list', { after, limit: PAGE })
    after = page.next
  }
  for (let i = 0; i < WARM_UP; i++) {
    await daemon.admin.call('lookup', { query: keys[i % keys.length]! })
    await daemon.admin.call('contact.show', { contact: names[i % names.length]! })
  }
}

/** Looks up enough unknown keys and names to push every contact out of the cache. */
async function emptyCache({ daemon }: Filled): Promise<void> {
  const strangers = (name: (digits: string) => string): Promise<unknown> =>
    Promise.all(
      Array.from({ length: MAX_KEPT }, (_, i) =>
        daemon.admin.call('lookup', { query: name(i.toString(16).padStart(KEY_DIGITS, '0')) }),
      ),
    )
  await strangers((digits) => digits)
  await strangers((digits) => `nobody ${digits}`)
}

/** Time from the report of a new contact until the last subscriber has its event. */
async function fanOut({ daemon, subscribers }: Filled, observation: ObservationParams): Promise<void> {
  const events: Promise<void>[] = []
  for (const client of subscribers) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const subscription = await client.subscribe(['contact.changed'], () => resolve())
    events.push(promise.then(() => subscription.close()))
  }
  await daemon.admin.call('observe', observation)
  await Promise.all(events)
}

/** Times of each operation, in microseconds, with few and with many contacts. */
class Times {
  readonly #of = new Map<string, readonly [few: number[], many: number[]]>()

  async note(what: string, i: number, work: () => Promise<unknown>): Promise<void> {
    const us = (await timedMs(work)) * 1000
    const times = this.#of.get(what) ?? [[], []]
    this.#of.set(what, times)
    times[i]!.push(us)
  }

  rows(few: number, many: number): Row[] {
    return [...this.#of].map(([what, [little, much]]) => {
      const [a, b] = [quantile(little, 0.5), quantile(much, 0.5)]
      const figure = `${formatUs(b)} with ${many} contacts; ${formatRatio(b / a)} times that with ${few} (${formatUs(a)})`
      return { what, figure }
    })
  }
}

/** @returns the cost of each operation with few and with many contacts */
export async function benchScale(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const [few, many] = isQuick ? [100, 400] : [1000, 100_000]
  const [rounds, calls] = isQuick ? [2, 50] : [9, 400]
  const filled = [await fill(engine, few), await fill(engine, many)] as const
  const times = new Times()
  try {
    for (const one of filled) await warmUp(one)
    for (let round = 0; round < rounds; round++)
      for (const [i, one] of filled.entries()) await measure(one, i, calls, times, engine)
  } finally {
    for (const one of filled) await close(one)
  }
  return times.rows(few, many)
}

/** One round with one daemon: a spread of distinct contacts, each operation twice. */
async function measure(one: Filled, i: number, calls: number, times: Times, engine: CryptoEngine): Promise<void> {
  const { admin } = one.daemon
  const step = Math.floor(one.keys.length / calls)
  const first = Math.floor(Math.random() * step)
  const some = Array.from({ length: calls }, (_, n) => first + n * step)
  const pages = Array.from(
    { length: PAGES },
    (_, n) => one.names[Math.floor(((n + Math.random()) * one.names.length) / PAGES)]!,
  )
  const operations = [
    ['contact by key', some.map((n) => () => admin.call('lookup', { query: one.keys[n]! }))],
    ['contact by name', some.map((n) => () => admin.call('contact.show', { contact: one.names[n]! }))],
    [`a page of ${PAGE}`, pages.map((after) => () => admin.call('contact.list', { after, limit: PAGE }))],
  ] as const
  for (const [what, works] of operations) {
    await emptyCache(one)
    for (const work of works) await times.note(`${what}, not cached`, i, work)
    for (const work of works) await times.note(`${what}, cached`, i, work)
  }
  await times.note(`a new contact, until ${SUBSCRIBERS} subscribers know`, i, () =>
    fanOut(one, friend(engine, -1, DEVICES)),
  )
}
