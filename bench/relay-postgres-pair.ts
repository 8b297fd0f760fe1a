/** Two processes with a store on one database, and what they and the database take for their work. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { TestPostgres } from '../test/support/postgres/server.ts'
import { cpuSec } from './daemon.ts'
import type { Done, Order, Work } from './relay-postgres-child.ts'

const CHILD = join(import.meta.dirname, 'relay-postgres-child.ts')
// Nothing but the work itself shall write while it is measured. A million boxes with their index take 560 MB here, which an operator gives them.
const SETTINGS = { shared_buffers: '1GB', max_wal_size: '4GB', checkpoint_timeout: '1h', autovacuum_naptime: '10s' }

/** Each for one call, but for the rate. */
export interface Measured {
  /** Calls a second. */
  readonly rate: number
  readonly nodeUs: number
  readonly databaseUs: number
  /** Bytes that the database wrote to its log. */
  readonly logBytes: number
  readonly transactions: number
}

export class Pair {
  readonly server: TestPostgres
  readonly #children: readonly ChildProcess[]

  private constructor(server: TestPostgres, children: readonly ChildProcess[]) {
    this.server = server
    this.#children = children
  }

  static async start(): Promise<Pair> {
    const server = await TestPostgres.start(SETTINGS)
    const children = [0, 1].map((place) => fork(CHILD, [server.url(), String(place)]))
    for (const child of children) await once(child, 'message')
    return new Pair(server, children)
  }

  async order(which: 0 | 1, order: Order): Promise<Done> {
    const child = this.#children[which]!
    const answer = once(child, 'message')
    child.send(order)
    return ((await answer) as [Done])[0]
  }

  /** Both do a half of the calls. */
  async both(work: Work, calls: number, boxes: number): Promise<Measured> {
    const before = await this.#state()
    const started = performance.now()
    const done = await Promise.all(([0, 1] as const).map((n) => this.order(n, { work, calls: calls / 2, boxes })))
    const ms = performance.now() - started
    const after = await this.#state()
    return {
      rate: (calls * 1000) / ms,
      nodeUs: done.reduce((sum, { cpuUs }) => sum + cpuUs, 0) / calls,
      databaseUs: ((after.cpuSec - before.cpuSec) * 1e6) / calls,
      logBytes: (after.logBytes - before.logBytes) / calls,
      transactions: (after.transactions - before.transactions) / calls,
    }
  }

  async stop(): Promise<void> {
    for (const child of this.#children) child.disconnect()
    await this.server.remove()
  }

  async #state(): Promise<{ cpuSec: number; logBytes: number; transactions: number }> {
    const [row] = await this.server.sql(
      "SELECT pg_current_wal_insert_lsn() - '0/0', pg_snapshot_xmax(pg_current_snapshot())",
    )
    const [logBytes, transactions] = row!.map(Number)
    return { cpuSec: await this.#cpuSec(), logBytes: logBytes!, transactions: transactions! }
  }

  /** Of all that the server runs, but for vacuums, which come and go. */
  async #cpuSec(): Promise<number> {
    const pids = await this.server.sql("SELECT pid FROM pg_stat_activity WHERE backend_type <> 'autovacuum worker'")
    return pids.reduce((sum, [pid]) => sum + cpuSec(Number(pid)), 0)
  }
}
