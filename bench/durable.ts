/** Observations that change a head, each on disk before its answer: one after the other, and many at a time. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { makeHome, observeAll, removeHome, type RunningDaemon } from './daemon.ts'
import { formatRatio, timedMs, type Row } from './measure.ts'
import { friend } from './people.ts'

/** Bare appends of 4 KiB and fdatasyncs on the daemons' disk: the lower bound for durable writes. */
export class BareSyncs {
  readonly #home = makeHome()
  readonly #file = openSync(join(this.#home, 'sync'), 'w')
  readonly #page = new Uint8Array(4096)

  /** Time for so many syncs in a row, in milliseconds. */
  timeMs(count: number): number {
    const started = performance.now()
    for (let i = 0; i < count; i++) {
      writeSync(this.#file, this.#page)
      fdatasyncSync(this.#file)
    }
    return performance.now() - started
  }

  close(): void {
    closeSync(this.#file)
    removeHome(this.#home)
  }
}

async function timed(count: number, run: () => Promise<unknown>): Promise<number> {
  return (count * 1000) / (await timedMs(run))
}

export async function benchDurable(daemon: RunningDaemon, engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const count = isQuick ? 256 : 5120
  const friends = (from: number): ReturnType<typeof friend>[] =>
    Array.from({ length: count }, (_, i) => friend(engine, from + i))
  const serial = friends(1_000_000)
  const together = friends(2_000_000)
  const batched = friends(3_000_000)
  const { admin } = daemon
  const serialRate = await timed(count, async () => {
    for (const params of serial) await admin.call('observe', params)
  })
  const togetherRate = await timed(count, () => Promise.all(together.map((params) => admin.call('observe', params))))
  const batchRate = await timed(count, () => observeAll(admin, batched))
  const disk = new BareSyncs()
  const syncRate = (count * 1000) / disk.timeMs(count)
  disk.close()
  const row = (what: string, rate: number): Row => ({
    what: `durable observations, ${what}`,
    figure: `${Math.round(rate)} a second; ${formatRatio(rate / syncRate)} of bare fdatasyncs (${Math.round(syncRate)} a second)`,
  })
  return [row('one at a time', serialRate), row('pipelined', togetherRate), row('in batches of 256', batchRate)]
}
