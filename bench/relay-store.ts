/** The store of a relay: sends, reads and starts, each beside the least that its kind of work could cost. */
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { openLevelRelayStore } from '../src/relayd/store/level-relay-store.ts'
import type { RelayStore } from '../src/relayd/store/relay-store.ts'
import { encodeUtf8 } from '../src/core/encoding/bytes.ts'
import type { Store } from '../src/store/store.ts'
import { openState } from '../test/support/state-dir.ts'
import { makeHome, removeHome } from './daemon.ts'
import { BareSyncs } from './durable.ts'
import { formatRatio, formatUs, quantile, timedMs, type Row } from './measure.ts'
import { nodeStartMs } from './processes.ts'
import { MINUTE_US, NO_LIMITS } from './relay-limits.ts'

const CALLERS = 64 // at once, as 64 connections would be
const DATA = 'x'.repeat(900) // an offer of WebRTC with its key
const FEW_BOXES = 100
const MANY_BOXES = 100_000
const CHILD = join(import.meta.dirname, 'relay-store-child.ts')

interface Filled {
  readonly home: string
  readonly boxes: number
  readonly store: RelayStore
}

const boxId = (n: number): string => String(n).padStart(43, '0')
const nowUs = (): number => Date.now() * 1000
let number = 0

function open(home: string): Promise<RelayStore> {
  return openLevelRelayStore(join(home, 'relay'), {
    limits: NO_LIMITS,
    answerUs: MINUTE_US,
    nowUs: nowUs() - 2 * MINUTE_US,
  })
}

/** Runs so many calls, some at once. @returns calls a second */
async function rateOf(calls: number, call: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < calls) await call(next++)
  }
  return (calls * 1000) / (await timedMs(() => Promise.all(Array.from({ length: CALLERS }, caller))))
}

/** A store with boxes that were checked; one in ten has a message. */
async function fill(boxes: number): Promise<Filled> {
  const home = makeHome()
  const store = await open(home)
  for (let done = 0; done < boxes; done += 1000) {
    const some = Array.from({ length: Math.min(1000, boxes - done) }, (_, i) => done + i)
    await Promise.all(some.map((n) => store.check(boxId(n), 0, 'owner', nowUs())))
    await Promise.all(some.map((n) => drain(store, n)))
    await Promise.all(some.filter((n) => n % 10 === 0).map((n) => store.send(boxId(n), DATA, 'sender', nowUs())))
  }
  return { home, boxes, store }
}

/** Claims a box, and deletes what is in it. */
async function drain(store: RelayStore, n: number): Promise<void> {
  const answer = { id: `answer ${number++}`, expiresUs: nowUs() + MINUTE_US - 1 }
  if ((await store.receive(boxId(n), answer, nowUs(), 1, nowUs())) === null) throw new Error('the answer is not good')
}

/** One message into a box that is not full. */
function send({ store, boxes }: Filled): Promise<unknown> {
  const n = number++
  return store.send(boxId((n * 7919) % boxes), `${n} ${DATA}`, 'sender', nowUs())
}

async function receive({ store, boxes }: Filled, n: number): Promise<void> {
  const id = boxId((n * 10) % boxes)
  const answer = { id: `answer ${number++}`, expiresUs: nowUs() + MINUTE_US - 1 }
  if ((await store.receive(id, answer, 0, 1, nowUs())) === null) throw new Error('the answer is not good')
}

async function check({ store, boxes }: Filled, n: number): Promise<void> {
  await store.check(boxId((n * 7919) % boxes), 0, 'owner', nowUs())
}

async function read(store: Store, n: number): Promise<void> {
  if (store.get(`bare/${n % FEW_BOXES}`) === undefined) throw new Error('a record is missing')
}

/** Sends and reads beside bare records in the house's store, in turn. */
async function againstBare(few: Filled, calls: number, rounds: number): Promise<Row[]> {
  const home = makeHome()
  const { store, close } = await openState(join(home, 'bare'))
  const value = encodeUtf8(DATA)
  for (let n = 0; n < FEW_BOXES; n++) await store.commit([{ key: `bare/${n}`, value }])
  const rates: Record<'sends' | 'commits' | 'receives' | 'reads' | 'syncs', number[]> = {
    sends: [],
    commits: [],
    receives: [],
    reads: [],
    syncs: [],
  }
  const disk = new BareSyncs()
  for (let round = 0; round < rounds; round++) {
    rates.commits.push(await rateOf(calls, () => store.commit([{ key: `bare/new ${number++}`, value }])))
    rates.sends.push(await rateOf(calls, () => send(few)))
    rates.reads.push(await rateOf(calls, (n) => read(store, n)))
    rates.receives.push(await rateOf(calls, (n) => receive(few, n)))
    const syncs = Math.ceil(calls / 10)
    rates.syncs.push((syncs * 1000) / disk.timeMs(syncs))
    // So that no box is ever full.
    for (let n = 0; n < FEW_BOXES; n++) await drain(few.store, n)
  }
  disk.close()
  await close()
  removeHome(home)
  const median = (name: keyof typeof rates): number => quantile(rates[name], 0.5)
  const row = (what: string, mine: keyof typeof rates, bare: keyof typeof rates): Row => ({
    what: `relay store: ${what}, ${CALLERS} at once`,
    figure: `${Math.round(median(mine))} a second; ${formatRatio(median(mine) / median(bare))} of bare ${bare} (${Math.round(median(bare))} a second)`,
  })
  return [
    row('durable sends', 'sends', 'commits'),
    row('durable sends', 'sends', 'syncs'),
    row('receives', 'receives', 'reads'),
  ]
}

/** The cost of one call with few and with many boxes, in turn. */
async function flat(few: Filled, many: Filled, calls: number, rounds: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const [what, call] of [
    ['a send', send],
    ['a check', check],
    ['a receive', receive],
  ] as const) {
    const us: [number[], number[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      for (const [i, filled] of [few, many].entries()) us[i]!.push(1e6 / (await rateOf(calls, (n) => call(filled, n))))
      // Else the boxes of the few would hold more than those of the many.
      if (call === send) for (let n = 0; n < few.boxes; n++) await drain(few.store, n)
    }
    const [a, b] = us.map((times) => quantile(times, 0.5)) as [number, number]
    const figure = `${formatUs(a)}, ${formatUs(b)}: ${formatRatio(b / a)} times`
    rows.push({ what: `relay store: ${what}, ${few.boxes} and ${many.boxes} boxes`, figure })
  }
  return rows
}

interface Child {
  /** From the start of the program to the open store. */
  readonly startMs: number
  readonly openMs: number
  readonly residentMiB: number
  /** After every box was checked. */
  readonly usedMiB: number
}

function startChild(home: string, boxes: number): Child {
  const started = performance.now()
  const { stdout, status, stderr } = spawnSync(process.execPath, [CHILD, join(home, 'relay'), String(boxes)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${CHILD} ended with ${status}: ${stderr}`)
  const { openedAt, ...rest } = JSON.parse(stdout) as Child & { openedAt: number }
  return { ...rest, startMs: openedAt - performance.timeOrigin - started }
}

function starts(homes: readonly (readonly [home: string, boxes: number])[], rounds: number): Row[] {
  const [none, many] = homes.map(() => [] as Child[]) as [Child[], Child[]]
  for (let round = 0; round < rounds; round++)
    for (const [i, [home, boxes]] of homes.entries()) [none, many][i]!.push(startChild(home, boxes))
  const of = (children: readonly Child[], name: keyof Child): number =>
    quantile(
      children.map((child) => child[name]),
      0.5,
    )
  const boxes = homes[1]![1]
  const ratio = formatRatio(of(many, 'startMs') / of(none, 'startMs'))
  const bare = Math.round(nodeStartMs())
  const bytes = ((of(many, 'usedMiB') - of(none, 'usedMiB')) * (1 << 20)) / boxes
  return [
    {
      what: `relay store: start with ${boxes} boxes`,
      figure: `${Math.round(of(many, 'startMs'))} ms; ${ratio} times an empty start (${Math.round(of(none, 'startMs'))} ms; "node -e 0": ${bare} ms)`,
    },
    {
      what: `relay store: opening with ${boxes} boxes`,
      figure: `${Math.round(of(many, 'openMs'))} ms; empty ${Math.round(of(none, 'openMs'))} ms`,
    },
    {
      what: `relay store: memory with ${boxes} boxes`,
      figure: `${Math.round(of(many, 'residentMiB'))} MiB at the start, ${Math.round(of(many, 'usedMiB'))} MiB after each was checked; ${Math.round(bytes)} bytes a box above an empty one`,
    },
  ]
}

export async function benchRelayStore(isQuick: boolean): Promise<Row[]> {
  const calls = isQuick ? 500 : 6000
  const rounds = isQuick ? 1 : 5
  const empty = makeHome()
  await (await open(empty)).close()
  const few = await fill(FEW_BOXES)
  const many = await fill(isQuick ? 2000 : MANY_BOXES)
  try {
    const rows = [
      ...(await againstBare(few, calls, rounds)),
      ...(await flat(few, many, Math.ceil(calls / 6), rounds * 2)),
    ]
    await many.store.close()
    return [
      ...rows,
      ...starts(
        [
          [empty, 0],
          [many.home, many.boxes],
        ],
        rounds,
      ),
    ]
  } finally {
    await few.store.close()
    for (const home of [empty, few.home, many.home]) removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayStore(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
