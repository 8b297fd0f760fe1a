/** The store of a relay: sends, reads and starts, each beside the least that its kind of work could cost. */
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { encodeUtf8 } from '../src/core/encoding/bytes.ts'
import type { Store } from '../src/store/store.ts'
import { openState } from '../test/support/state-dir.ts'
import { makeHome, removeHome } from './daemon.ts'
import { BareSyncs } from './durable.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { nodeStartMs } from './processes.ts'
import { CALLERS, DATA, drain, fill, open, rateOf, receive, send, type Filled } from './relay-filled.ts'
import { flatCalls, flatRequests } from './relay-flat.ts'

const FEW_BOXES = 100
const MANY_BOXES = 100_000
const CHILD = join(import.meta.dirname, 'relay-store-child.ts')

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
  let number = 0
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
      ...(await flatCalls(few, many, Math.ceil(calls / 6), rounds * 2)),
    ]
    for (const filled of [few, many]) await filled.close()
    return [
      ...rows,
      await flatRequests(few, many, isQuick ? 200 : 2000, rounds * 2),
      ...starts(
        [
          [empty, 0],
          [many.home, many.boxes],
        ],
        rounds,
      ),
    ]
  } finally {
    for (const filled of [few, many]) await filled.close()
    for (const home of [empty, few.home, many.home]) removeHome(home)
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayStore(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
