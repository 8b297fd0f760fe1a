/** A relay's store on PostgreSQL: two processes on one database, beside LevelDB and beside bare inserts of the same rows. */
import { Database } from '../src/relayd/postgres/database.ts'
import { loadDriver } from '../src/relayd/postgres/driver.ts'
import { putRecords } from '../src/relayd/postgres/tables.ts'
import { POSTGRES_ABSENCE } from '../test/support/postgres/server.ts'
import { removeHome } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { drain, fill, rateOf, receive, send, type Filled } from './relay-filled.ts'
import { boxId } from './relay-limits.ts'
import { Pair, type Measured } from './relay-postgres-pair.ts'

const FEW_BOXES = 1000
const MORE_BOXES: readonly number[] = [100_000, 1_000_000]
const [CALLS, ROUNDS, NEWS] = [8000, 7, 50]
const PAGE = 2000

interface Rounds {
  readonly sends: Measured[]
  readonly inserts: Measured[]
  readonly locks: Measured[]
  readonly receives: Measured[]
  readonly levelSends: number[]
  readonly levelReceives: number[]
}

const median = (values: readonly number[]): number => quantile(values, 0.5)
const whole = (measured: readonly Measured[], figure: keyof Measured): number =>
  Math.round(median(measured.map((each) => each[figure])))

/** All in turn, so that a machine with other work is as slow for each. */
async function inTurn(pair: Pair, level: Filled): Promise<Rounds> {
  const rounds: Rounds = { sends: [], inserts: [], locks: [], receives: [], levelSends: [], levelReceives: [] }
  for (let round = 0; round < ROUNDS; round++) {
    rounds.levelSends.push(await rateOf(CALLS, () => send(level)))
    rounds.sends.push(await pair.both('send', CALLS, FEW_BOXES))
    for (const [kind, work] of [
      ['inserts', 'insert'],
      ['locks', 'lock'],
    ] as const) {
      rounds[kind].push(await pair.both(work, CALLS, FEW_BOXES))
      await pair.both('clear', 2, FEW_BOXES)
    }
    rounds.levelReceives.push(await rateOf(CALLS, (n) => receive(level, n)))
    rounds.receives.push(await pair.both('receive', CALLS, FEW_BOXES))
    await pair.both('drain', FEW_BOXES, FEW_BOXES)
    for (let n = 0; n < FEW_BOXES; n++) await drain(level.store, n)
  }
  return rounds
}

function rowsOf({ sends, inserts, locks, receives, levelSends, levelReceives }: Rounds): Row[] {
  // Of each round by itself: the work of others on the machine changes from one to the next.
  const ratio = (measured: readonly Measured[], beside: (round: number) => number): string =>
    formatRatio(median(measured.map(({ rate }, round) => rate / beside(round))))
  const cost = (measured: readonly Measured[]): string => {
    const transactions = median(measured.map((each) => each.transactions)).toFixed(3)
    return `${whole(measured, 'nodeUs')} us of Node, ${whole(measured, 'databaseUs')} us of the database, ${whole(measured, 'logBytes')} bytes of log, ${transactions} transactions`
  }
  return [
    {
      what: 'relay on PostgreSQL: durable sends, 2 processes',
      figure: `${whole(sends, 'rate')} a second; ${ratio(sends, (n) => levelSends[n]!)} of LevelDB (${Math.round(median(levelSends))}; goal: 0.5), ${ratio(sends, (n) => inserts[n]!.rate)} of bare inserts (${whole(inserts, 'rate')}; goal: 0.9), ${ratio(sends, (n) => locks[n]!.rate)} of inserts that lock their boxes first (${whole(locks, 'rate')})`,
    },
    {
      what: 'relay on PostgreSQL: inserts that lock their boxes first',
      figure: `${ratio(locks, (n) => inserts[n]!.rate)} of bare inserts`,
    },
    { what: 'relay on PostgreSQL: one send', figure: cost(sends) },
    { what: 'relay on PostgreSQL: one bare insert', figure: cost(inserts) },
    { what: 'relay on PostgreSQL: one insert that locks its box first', figure: cost(locks) },
    {
      what: 'relay on PostgreSQL: receives, 2 processes',
      figure: `${whole(receives, 'rate')} a second; ${ratio(receives, (n) => levelReceives[n]!)} of LevelDB (${Math.round(median(levelReceives))})`,
    },
    { what: 'relay on PostgreSQL: one receive', figure: cost(receives) },
  ]
}

/** Milliseconds from a message at one process to the news of it at the other. */
async function newsRow(pair: Pair): Promise<Row> {
  const times: number[] = []
  for (let n = 0; n < NEWS; n++) {
    const heard = pair.order(1, { work: 'wait', calls: 1, boxes: 1 })
    await new Promise((resolve) => void setTimeout(resolve, 20))
    const sent = await pair.order(0, { work: 'send', calls: 1, boxes: FEW_BOXES })
    times.push(Math.max(0, (await heard).atMs - sent.atMs))
  }
  return {
    what: 'relay on PostgreSQL: news at the other process',
    figure: `${median(times)} ms, the slowest of ${NEWS} ${quantile(times, 1)} ms (goal: 100 ms)`,
  }
}

/** Copies of one box, as if each had been checked, and bare ones. */
async function addBoxes(database: Database, from: number, to: number): Promise<void> {
  const { rows } = await database.query({ text: `SELECT value FROM record WHERE key = 'box/${boxId(0)}'` })
  const value = new Uint8Array(rows[0]![0] as Uint8Array)
  for (let n = from; n < to; n += PAGE) {
    const some = Array.from({ length: Math.min(PAGE, to - n) }, (_, i) => boxId(n + i))
    for (const prefix of ['box/', 'box/bare '])
      await database.query(
        putRecords(
          'record',
          some.map((id) => [prefix + id, value] as const),
        ),
      )
  }
  await database.query({ text: `UPDATE total SET boxes = boxes + ${to - from} WHERE slot = 0` })
  // New rows are marked by whoever reads them first, and the server vacuums so many soon. Neither is of the calls that are measured.
  for (const text of ['VACUUM (ANALYZE) record', 'CHECKPOINT']) await database.query({ text })
}

/** The same calls with more boxes, in turn with few. */
async function flatRow(pair: Pair, boxes: number): Promise<Row> {
  const of: Record<'sends' | 'receives' | 'reads' | 'inserts' | 'locks', number[]> = {
    sends: [],
    receives: [],
    reads: [],
    inserts: [],
    locks: [],
  }
  const rates: { sends: number[]; receives: number[]; reads: number[] } = { sends: [], receives: [], reads: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kind, work] of [
      ['sends', 'send'],
      ['receives', 'receive'],
      ['reads', 'read'],
    ] as const) {
      const few = await pair.both(work, CALLS, FEW_BOXES)
      const many = await pair.both(work, CALLS, boxes)
      rates[kind].push(many.rate)
      of[kind].push(many.rate / few.rate)
    }
    // Few of these wait for a box that another transaction holds.
    for (const [kind, work] of [
      ['inserts', 'insert'],
      ['locks', 'lock'],
    ] as const) {
      of[kind].push(rates.sends.at(-1)! / (await pair.both(work, CALLS, boxes)).rate)
      await pair.both('clear', 2, boxes)
    }
    await pair.both('drain', FEW_BOXES, FEW_BOXES)
  }
  const ratio = (kind: keyof typeof of): string => formatRatio(median(of[kind]))
  const figure = (kind: 'sends' | 'receives'): string =>
    `${kind} ${Math.round(median(rates[kind]))} a second, ${ratio(kind)} of those with ${FEW_BOXES}`
  return {
    what: `relay on PostgreSQL: with ${boxes} boxes`,
    figure: `${figure('sends')}, ${ratio('inserts')} of bare inserts, ${ratio('locks')} of inserts that lock their boxes first; ${figure('receives')} (goal: 1), bare reads of the same rows ${ratio('reads')}`,
  }
}

export async function benchRelayPostgres(): Promise<Row[]> {
  if (POSTGRES_ABSENCE !== '') return [{ what: 'relay on PostgreSQL', figure: POSTGRES_ABSENCE.trim() }]
  const pair = await Pair.start()
  const database = new Database(await loadDriver(), pair.server.url())
  const level = await fill(FEW_BOXES)
  try {
    // Makes the boxes, and their owners claim them. The bare ones cannot be locked before they are there.
    for (const work of ['send', 'drain', 'insert'] as const) await pair.both(work, 20 * FEW_BOXES, FEW_BOXES)
    await pair.both('clear', 2, FEW_BOXES)
    const rows = rowsOf(await inTurn(pair, level))
    rows.push(await newsRow(pair))
    let there = FEW_BOXES
    for (const boxes of MORE_BOXES) {
      await addBoxes(database, there, boxes)
      there = boxes
      rows.push(await flatRow(pair, boxes))
    }
    return rows
  } finally {
    await level.close()
    removeHome(level.home)
    await database.close()
    await pair.stop()
  }
}

if (import.meta.main) {
  for (const { what, figure } of await benchRelayPostgres()) console.log(`${what.padEnd(48)} ${figure}`)
  process.exit()
}
