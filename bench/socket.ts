/** Lookups through the socket, against a bare node-ipc echo. Both servers are separate processes, measured in turn. */
import { spawn, spawnSync } from 'node:child_process'
import { createConnection, type Socket } from 'node:net'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { formatRequest } from '../src/ipc/wire/rpc.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { makeHome, removeHome, type RunningDaemon } from './daemon.ts'

const FORM_FEED = 12

/** A raw client that only counts frames, so it costs the same with both servers. */
class RawClient {
  readonly #socket: Socket
  #awaited = 0
  #done: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      // indexOf is native: a loop over the bytes would cost more than the server.
      for (let at = chunk.indexOf(FORM_FEED); at >= 0; at = chunk.indexOf(FORM_FEED, at + 1)) this.#awaited--
      if (this.#awaited <= 0) this.#done()
    })
  }

  static async open(path: string): Promise<RawClient> {
    const socket = createConnection(path)
    await new Promise((done, failed) => {
      socket.once('connect', done)
      socket.once('error', failed)
    })
    return new RawClient(socket)
  }

  /** Sends a frame so many times and waits for as many answers. */
  send(frame: string, times: number): Promise<void> {
    return new Promise((done) => {
      this.#awaited = times
      this.#done = done
      this.#socket.write(frame.repeat(times))
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/**
 * Pins processes to one processor. On an idle machine with several, a round trip is mostly the time to wake a
 * sleeping processor: 15 or 55 us for the same echo, depending on where the scheduler puts it.
 * @returns a function that undoes this; null without taskset
 */
export function shareProcessor(pids: readonly number[]): (() => void) | null {
  const place = (processors: string): boolean =>
    pids.every((pid) => spawnSync('taskset', ['-a', '-p', '-c', processors, String(pid)]).status === 0)
  if (!place('0')) return null
  return () => void place(`0-${cpus().length - 1}`)
}

async function withEcho<T>(measure: (path: string, pid: number) => Promise<T>): Promise<T> {
  const home = makeHome()
  const path = join(home, 'echo.sock')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'echo-server.ts'), path])
  await new Promise((ready) => child.stdout.once('data', ready))
  try {
    return await measure(path, child.pid!)
  } finally {
    child.kill('SIGKILL')
    removeHome(home)
  }
}

async function serialUs(client: RawClient, frame: string, calls: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < calls; i++) {
    const started = performance.now()
    await client.send(frame, 1)
    times.push((performance.now() - started) * 1000)
  }
  return times
}

async function perSec(client: RawClient, frame: string, calls: number): Promise<number> {
  const started = performance.now()
  await client.send(frame, calls)
  return (calls * 1000) / (performance.now() - started)
}

/** @param query the key of a known device */
export async function benchSocket(daemon: RunningDaemon, query: string, isQuick: boolean): Promise<Row[]> {
  const lookup = formatRequest(1, 'lookup', { query })
  const [rounds, calls] = isQuick ? [3, 300] : [11, 2000]
  return await withEcho(async (echoPath, echoPid) => {
    const release = shareProcessor([process.pid, daemon.process.pid!, echoPid])
    const [ours, bare] = [await RawClient.open(daemon.appSocket), await RawClient.open(echoPath)]
    const figures = {
      ours: [] as number[][],
      bare: [] as number[][],
      oursRate: [] as number[],
      bareRate: [] as number[],
    }
    for (let round = 0; round <= rounds; round++) {
      const turn = {
        ours: await serialUs(ours, lookup, calls),
        bare: await serialUs(bare, lookup, calls),
        oursRate: await perSec(ours, lookup, calls),
        bareRate: await perSec(bare, lookup, calls),
      }
      // The first round warms both up.
      if (round === 0) continue
      figures.ours.push(turn.ours)
      figures.bare.push(turn.bare)
      figures.oursRate.push(turn.oursRate)
      figures.bareRate.push(turn.bareRate)
    }
    ours.close()
    bare.close()
    release?.()
    return rowsOf(figures, release === null ? 'on any processor' : 'on one processor')
  })
}

/** The median, over all turns, of a quantile of each. */
function median(turns: readonly number[][], q: number): number {
  return quantile(
    turns.map((times) => quantile(times, q)),
    0.5,
  )
}

function rowsOf(
  figures: { ours: number[][]; bare: number[][]; oursRate: number[]; bareRate: number[] },
  where: string,
): Row[] {
  const ratio = (q: number): string => formatRatio(median(figures.ours, q) / median(figures.bare, q))
  const [ours, bare] = [quantile(figures.oursRate, 0.5), quantile(figures.bareRate, 0.5)]
  return [0.5, 0.99]
    .map((q) => ({
      what: `lookup, serial, ${where}, p${q * 100}`,
      figure: `${formatUs(median(figures.ours, q))}; ${ratio(q)} times a bare node-ipc echo (${formatUs(median(figures.bare, q))})`,
    }))
    .concat([
      {
        what: `lookup, pipelined, ${where}`,
        figure: `${Math.round(ours / 1000)} 000 a second; ${formatRatio(ours / bare)} of a bare node-ipc echo (${Math.round(bare / 1000)} 000)`,
      },
    ])
}
