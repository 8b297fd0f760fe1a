/** Runs a real daemon in its own home for measuring, and reads its figures from /proc. */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type Client } from '../src/ipc/client.ts'
import { MAX_BATCH } from '../src/ipc/shapes/limits.ts'
import type { ObservationParams } from '../src/ipc/shapes/judged.ts'
import { removeTree } from '../test/support/remove-tree.ts'

export const MAIN: string = join(import.meta.dirname, '../src/daemon/main.ts')
/** Arguments of Node for {@link liveKiB}. The process needs an `ipc` among its streams. */
export const REPORTS_MEMORY: readonly string[] = [
  '--expose-gc',
  '--import',
  join(import.meta.dirname, 'report-memory.ts'),
]
const CLOCK_TICKS_PER_SEC = 100 // getconf CLK_TCK on Linux

export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), 'personad-bench-'))
}

export function removeHome(home: string): void {
  removeTree(home)
}

export interface RunningDaemon {
  readonly process: ChildProcess
  readonly startMs: number
  readonly admin: Client
  readonly appSocket: string
  stop(): Promise<void>
}

/**
 * Starts a daemon and waits until it is ready.
 * @param reportsMemory for {@link liveKiB}; it starts more slowly then
 * @param main the file to run: the sources, unless it is another one
 */
export async function startDaemon(home: string, reportsMemory = false, main: string = MAIN): Promise<RunningDaemon> {
  const started = performance.now()
  const args = reportsMemory ? REPORTS_MEMORY : []
  const stdio: StdioOptions = ['ignore', 'ignore', 'pipe', ...(reportsMemory ? (['ipc'] as const) : [])]
  const child = spawn(process.execPath, [...args, main, '--home', home], { stdio })
  await new Promise<void>((ready, failed) => {
    let log = ''
    child.stderr!.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('"daemon.ready"')) ready()
    })
    child.once('exit', () => failed(new Error(`the daemon ended: ${log}`)))
  })
  const startMs = performance.now() - started
  const admin = await connect({ socketPath: join(home, 'run/admin/admin.sock') })
  const stop = async (): Promise<void> => {
    await admin.close()
    const ended = new Promise((done) => child.once('exit', done))
    child.kill('SIGTERM')
    await ended
  }
  return { process: child, startMs, admin, appSocket: join(home, 'run/app.sock'), stop }
}

/** Resident memory, MiB. */
export function residentMiB(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) / 1024
}

/** Memory in use once all garbage is collected, KiB: the heap, and what hangs on it outside. @param child started with {@link REPORTS_MEMORY} */
export async function liveKiB(child: ChildProcess): Promise<number> {
  const reported = once(child, 'message')
  child.kill('SIGUSR2')
  const [bytes] = (await reported) as [number]
  return bytes / 1024
}

/** CPU time used so far, user and system, in seconds. */
export function cpuSec(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SEC
}

/** Reports many observations in consecutive batches. */
export async function observeAll(admin: Client, observations: readonly ObservationParams[]): Promise<void> {
  for (let i = 0; i < observations.length; i += MAX_BATCH) {
    await admin.call('observe.batch', { source: 'bench', observations: observations.slice(i, i + MAX_BATCH) })
  }
}
