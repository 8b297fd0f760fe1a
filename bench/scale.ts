/** What an operation costs with few and with many contacts, of three devices each: two daemons, measured in turn. */
import { connect, type Client } from '../src/ipc/client.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import type { ObservationParams } from '../src/ipc/shapes.ts'
import { makeHome, observeAll, removeHome, startDaemon, type RunningDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { friend } from './people.ts'

const DEVICES = 3
const SUBSCRIBERS = 50
const FILL_AT_A_TIME = 5120
const PAGE = 100

/** A daemon that knows many, and some of their keys and names to ask for. */
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
    // So many that hardly one is asked for twice.
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

function pick(list: readonly string[]): string {
  return list[Math.floor(Math.random() * list.length)]!
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) * 1000
}

/** From the report of a new contact until the last of the subscribers was told of it. */
async function fanOut({ daemon, subscribers }: Filled, observation: ObservationParams): Promise<void> {
  const told: Promise<void>[] = []
  for (const client of subscribers) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const subscription = await client.subscribe(['contact.changed'], () => resolve())
    told.push(promise.then(() => subscription.close()))
  }
  await daemon.admin.call('observe', observation)
  await Promise.all(told)
}

/** @returns each operation's cost with few contacts and with many */
export async function benchScale(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const [few, many] = isQuick ? [500, 2000] : [1000, 100_000]
  const [rounds, calls] = isQuick ? [2, 50] : [9, 400]
  const filled = [await fill(engine, few), await fill(engine, many)] as const
  const times = new Map<string, [number[], number[]]>()
  const note = (what: string, i: number, us: number): void => {
    if (!times.has(what)) times.set(what, [[], []])
    times.get(what)![i]!.push(us)
  }
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const [i, one] of filled.entries()) {
        const { admin } = one.daemon
        for (let call = 0; call < calls; call++) {
          const lookup = await timed(() => admin.call('lookup', { query: pick(one.keys) }))
          const show = await timed(() => admin.call('contact.show', { contact: pick(one.names) }))
          // The first round warms both up.
          if (round > 0) note('lookup of a random key', i, lookup)
          if (round > 0) note('contact by a random name', i, show)
        }
        const page = await timed(() => admin.call('contact.list', { after: pick(one.names), limit: PAGE }))
        const told = await timed(() => fanOut(one, friend(engine, -1, DEVICES)))
        if (round > 0) note(`a page of ${PAGE} contacts`, i, page)
        if (round > 0) note(`a new contact, told to ${SUBSCRIBERS} subscribers`, i, told)
      }
    }
  } finally {
    for (const one of filled) await close(one)
  }
  return [...times].map(([what, [little, much]]) => {
    const [a, b] = [quantile(little, 0.5), quantile(much, 0.5)]
    return {
      what,
      figure: `${formatUs(b)} with ${many} contacts; ${formatRatio(b / a)} times that with ${few} (${formatUs(a)})`,
    }
  })
}
