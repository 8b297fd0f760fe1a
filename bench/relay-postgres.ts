/** A relay's store on PostgreSQL: two processes on one database, beside LevelDB and beside bare inserts of the same rows. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Database } from '../src/relayd/postgres/database.ts'
import { loadDriver } from '../src/relayd/postgres/driver.ts'
import { putRecords } from '../src/relayd/postgres/tables.ts'
import { POSTGRES_ABSENCE, TestPostgres } from '../test/support/postgres/server.ts'
import { removeHome } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { drain, fill, rateOf, receive, send, type Filled } from './relay-filled.ts'
import { boxId } from './relay-limits.ts'
import type { Order, Work } from './relay-postgres-child.ts'

const CHILD = join(import.meta.dirname, 'relay-postgres-child.ts')
const FEW_BOXES = 1000
const MANY_BOXES = Number(process.env['POSTGRES_BOXES'] ?? 1_000_000)
const [CALLS, ROUNDS, NEWS] = [2000, 5, 50]
const PAGE = 2000

type Rates = Record<'sends' | 'inserts' | 'receives' | 'level sends' | 'level receives', number[]>

async function order(child: ChildProcess, what: Order): Promise<number> {
  const answer = once(child, 'message')
  child.send(what)
  return ((await answer) as [number])[0]
}

/** The work of both together, a second. */
async function both(children: readonly ChildProcess[], work: Work, calls: number, boxes: number): Promise<number> {
  const started = performance.now()
  await Promise.all(children.map((child) => order(child, { work, calls, boxes })))
  return (calls * children.length * 1000) / (performance.now() - started)
}

/** All in turn, so that a machine with other work is as slow for each. */
async function inTurn(children: readonly ChildProcess[], level: Filled): Promise<Rates> {
  const rates: Rates = { sends: [], inserts: [], receives: [], 'level sends': [], 'level receives': [] }
  for (let round = 0; round < ROUNDS; round++) {
    rates['level sends'].push(await rateOf(CALLS, () => send(level)))
    rates.sends.push(await both(children, 'send', CALLS, FEW_BOXES))
    rates.inserts.push(await both(children, 'insert', CALLS, FEW_BOXES))
    rates['level receives'].push(await rateOf(CALLS, (n) => receive(level, n)))
    rates.receives.push(await both(children, 'receive', CALLS, FEW_BOXES))
    await both(children, 'drain', FEW_BOXES, FEW_BOXES)
    for (let n = 0; n < FEW_BOXES; n++) await drain(level.store, n)
  }
  return rates
}

/** Milliseconds from a message at one process to the news of it at the other. */
async function newsMs([one, other]: readonly ChildProcess[]): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < NEWS; n++) {
    const heard = order(other!, { work: 'wait', calls: 1, boxes: 1 })
    await new Promise((resolve) => void setTimeout(resolve, 20))
    await order(one!, { work: 'send', calls: 1, boxes: FEW_BOXES })
    const sentAt = Date.now()
    times.push(Math.max(0, (await heard) - sentAt))
  }
  return times
}

/** Copies of one box, as if each had been checked. */
async function addBoxes(database: Database, from: number, to: number): Promise<void> {
  const { rows } = await database.query({ text: `SELECT value FROM record WHERE key = 'box/${boxId(0)}'` })
  const value = new Uint8Array(rows[0]![0] as Uint8Array)
  for (let n = from; n < to; n += PAGE) {
    const some = Array.from({ length: Math.min(PAGE, to - n) }, (_, i) => [`box/${boxId(n + i)}`, value] as const)
    await database.query(putRecords('record', some))
  }
  await database.query({ text: `UPDATE total SET boxes = boxes + ${to - from} WHERE slot = 0` })
}

async function flat(children: readonly ChildProcess[], database: Database): Promise<Row> {
  const rates: number[][] = [[], [], [], []]
  await addBoxes(database, FEW_BOXES, MANY_BOXES)
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, [work, boxes]] of (
      [
        ['send', FEW_BOXES],
        ['send', MANY_BOXES],
        ['receive', FEW_BOXES],
        ['receive', MANY_BOXES],
      ] as const
    ).entries()) {
      rates[i]!.push(await both(children, work, CALLS, boxes))
      if (work === 'send') await both(children, 'drain', FEW_BOXES, FEW_BOXES)
    }
  const [fewSends, manySends, fewReceives, manyReceives] = rates.map((list) => quantile(list, 0.5))
  const figure = `sends ${formatRatio(manySends! / fewSends!)}, receives ${formatRatio(manyReceives! / fewReceives!)} of those with ${FEW_BOXES}`
  return { what: `relay on PostgreSQL: with ${MANY_BOXES} boxes`, figure }
}

export async function benchRelayPostgres(): Promise<Row[]> {
  if (POSTGRES_ABSENCE !== '') return [{ what: 'relay on PostgreSQL', figure: POSTGRES_ABSENCE.trim() }]
  const server = await TestPostgres.start({ shared_buffers: '256MB', max_wal_size: '4GB' })
  const database = new Database(await loadDriver(), server.url())
  const children = [1, 2].map((n) => fork(CHILD, [server.url(), String(n * 1e9)]))
  const level = await fill(FEW_BOXES)
  try {
    for (const child of children) await once(child, 'message')
    // Makes the boxes, and their owners claim them.
    for (const work of ['send', 'drain'] as const) await both(children, work, FEW_BOXES, FEW_BOXES)
    const rates = await inTurn(children, level)
    const of = (name: keyof Rates): number => quantile(rates[name], 0.5)
    const ratio = (name: keyof Rates, beside: keyof Rates): string => formatRatio(of(name) / of(beside))
    const rows: Row[] = [
      {
        what: 'relay on PostgreSQL: durable sends, 2 processes',
        figure: `${Math.round(of('sends'))} a second; ${ratio('sends', 'level sends')} of LevelDB (${Math.round(of('level sends'))}; goal: 0.5), ${ratio('sends', 'inserts')} of bare inserts (${Math.round(of('inserts'))}; goal: 0.9)`,
      },
      {
        what: 'relay on PostgreSQL: receives, 2 processes',
        figure: `${Math.round(of('receives'))} a second; ${ratio('receives', 'level receives')} of LevelDB (${Math.round(of('level receives'))})`,
      },
    ]
    const times = await newsMs(children)
    rows.push({
      what: 'relay on PostgreSQL: news at the other process',
      figure: `${quantile(times, 0.5)} ms, the slowest of ${NEWS} ${quantile(times, 1)} ms (goal: 100 ms)`,
    })
    rows.push(await flat(children, database))
    return rows
  } finally {
    for (const child of children) child.disconnect()
    await level.close()
    removeHome(level.home)
    await database.close()
    await server.remove()
  }
}
