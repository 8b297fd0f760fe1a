/** Two processes under load on one database, while one is killed, the database crashes, and a synchronous standby stops. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '../../../src/relayd/postgres/errors.ts'
import { openPostgres } from '../../../src/relayd/postgres/postgres.ts'
import type { RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { freshAnswer, MINUTE } from '../relay-stores.ts'
import { FAULT_BOXES, FAULT_LIMITS } from './fault-boxes.ts'
import type { TestPostgres } from './server.ts'

const CHILD = fileURLToPath(new URL('sender-child.ts', import.meta.url))
const RETRY_MS = 50
const MAX_LOOKS = 100 // sanity: senders commit each few milliseconds
const AWAY_MS = 500 // sanity: some hundred sends of a database that does not wait
const nowUs = (): number => Date.now() * 1000

/** All that was heard of the messages, by their numbers. */
export interface FaultReport {
  readonly acknowledged: Set<number>
  /** Sent again: they may have been stored twice. */
  readonly again: Set<number>
  /** How often a reader who follows the moments got each. */
  readonly read: Map<number, number>
  /** Moments that did not rise in their box. */
  readonly backwards: number[]
  readonly faults: string[]
  /** Acknowledged while the standby that has to have them was away. */
  early: number
}

export interface Faulted {
  readonly server: TestPostgres
  /** Follows the server, which waits for it at each commit. */
  readonly standby?: TestPostgres
  readonly schema: string
  readonly count: number
  /** Faults of each kind in turn, while the messages come. */
  readonly rounds: number
}

class Sender {
  readonly child: ChildProcess
  readonly ended: Promise<unknown>

  constructor(url: string, first: number, count: number, report: FaultReport, noted: () => void) {
    this.child = spawn(process.execPath, [CHILD, url, String(first), String(count)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.ended = once(this.child, 'exit')
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      const [what, n] = line.split(' ')
      if (what === 'sent') report.acknowledged.add(Number(n))
      if (what === 'again') report.again.add(Number(n))
      noted()
    })
  }
}

/** Reads a box as its owner does, and names as processed what it got, until it is told to end and nothing is left. */
async function follow(store: RelayStore, box: string, report: FaultReport, isOver: () => boolean): Promise<void> {
  for (let at = 0; ;) {
    const wasOver = isOver()
    try {
      const messages = await store.receive(box, freshAnswer(nowUs()), at, 100, nowUs())
      // Null: the database has lost which answers were used, and asks anew.
      if (messages !== null) {
        for (const { atUs, data } of messages) {
          const n = Number.parseInt(data, 10)
          if (atUs <= at) report.backwards.push(n)
          at = Math.max(at, atUs)
          report.read.set(n, (report.read.get(n) ?? 0) + 1)
        }
        if (messages.length === 0 && wasOver) return
        if (messages.length > 0) continue
      }
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
    }
    await sleep(RETRY_MS)
  }
}

/** The standby is away for a moment. A commit waits for it, so nothing is acknowledged meanwhile. */
async function leave(server: TestPostgres, standby: TestPostgres, report: FaultReport): Promise<void> {
  report.faults.push('standby')
  await standby.stop()
  const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
  for (let looks = 0; Number((await server.sql(waiting))[0]![0]) === 0; looks++) {
    if (looks === MAX_LOOKS) throw new Error('no commit waits for the standby')
    await sleep(RETRY_MS)
  }
  // What was committed before is still on its way here.
  await sleep(AWAY_MS)
  const before = report.acknowledged.size
  await sleep(AWAY_MS)
  report.early += report.acknowledged.size - before
  await standby.run()
}

/** Sends messages while faults happen, and reads all of them. */
export async function runFaults({ server, standby, schema, count, rounds }: Faulted): Promise<FaultReport> {
  await server.sql(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  const url = server.url(schema)
  const report: FaultReport = {
    acknowledged: new Set(),
    again: new Set(),
    read: new Map(),
    backwards: [],
    faults: [],
    early: 0,
  }
  const { store } = await openPostgres(url, { limits: FAULT_LIMITS, answerUs: MINUTE, nowUs: nowUs() }, (bytes) =>
    Buffer.alloc(bytes),
  )
  const kinds = [kill, crash, ...(standby === undefined ? [] : [() => leave(server, standby, report)])]
  const failures: unknown[] = []
  let isFaulting = false
  let round = 0
  const noted = (): void => {
    if (isFaulting || round === rounds || report.acknowledged.size < ((round + 1) * count) / (rounds + 1)) return
    isFaulting = true
    const fault = kinds[round++ % kinds.length]!
    void fault()
      .catch((error: unknown) => void failures.push(error))
      .finally(() => (isFaulting = false))
  }
  const half = Math.ceil(count / 2)
  const senders = [0, 1].map((i) => new Sender(url, i * half, half, report, noted))
  let extra = count
  async function kill(): Promise<void> {
    report.faults.push('kill')
    senders[0]!.child.kill('SIGKILL')
    await senders[0]!.ended
    // The next one sends the rest, under other numbers.
    senders[0] = new Sender(url, extra, half, report, noted)
    extra += half
  }
  async function crash(): Promise<void> {
    report.faults.push('crash')
    await server.stop('SIGQUIT')
    await server.run()
  }
  let isOver = false
  const readers = FAULT_BOXES.map((box) => follow(store, box, report, () => isOver))
  const isRunning = (): boolean => report.acknowledged.size < count || isFaulting || round < rounds
  while (isRunning() && failures.length === 0) await sleep(RETRY_MS)
  for (const { child } of senders) child.kill('SIGTERM')
  await Promise.all(senders.map(({ ended }) => ended))
  isOver = true
  await Promise.all(readers)
  await store.close()
  if (failures.length > 0) throw failures[0]
  return report
}
