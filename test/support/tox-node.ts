/**
 * Tox nodes for tests: runs the node's program with chosen options on loopback, and checks whether libtoxcore can run
 * it.
 */
import { existsSync } from 'node:fs'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { checkFrame } from '../../src/process/protocol.ts'
import { encodeFrame, FrameCutter } from '../../src/process/frame.ts'
import { TOX_PROTOCOL, type BootstrapNode, type Order, type Report } from '../../src/toxnode/protocol.ts'
import { TOX_NODE } from './programs.ts'

const LIBTOXCORE = join(import.meta.dirname, '../../src/toxnode/libtoxcore.ts')
/** With this clock two nodes connect within a fifth of a second; in real time it takes ten seconds. */
export const FAST: Readonly<Record<string, string>> = { PERSONAD_LIVE_CLOCK_RATE: '100' }

/** Why this machine cannot run a node; null if it can. */
export function liveAbsence(): string | null {
  if (!existsSync(LIBTOXCORE)) throw new Error(`${LIBTOXCORE} is gone: without it these tests would skip in silence`)
  const probe = `const { version } = await import(${JSON.stringify(LIBTOXCORE)}); process.stdout.write(version)`
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', probe], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
  })
  if (status !== 0) return 'libtoxcore2 or koffi is not usable here'
  return stdout === '0.2.18' ? null : `libtoxcore ${stdout} cannot be kept to loopback, only 0.2.18 can`
}

export interface TestNodeOptions {
  readonly secretKey: Uint8Array
  readonly text?: string
  readonly name?: string
  readonly bootstrap?: readonly BootstrapNode[]
  readonly env?: Readonly<Record<string, string>>
  /** A command that runs the node as its argument. */
  readonly prefix?: readonly string[]
}

export class TestNode {
  readonly child: ChildProcess
  readonly reports: Report[] = []
  #woken: () => void = () => {}

  constructor({ secretKey, text = '', name = '', bootstrap = [], env = FAST, prefix = [] }: TestNodeOptions) {
    const [command, ...rest] = [...prefix, process.execPath]
    const child = spawn(command, [...rest, TOX_NODE], { stdio: ['pipe', 'pipe', 'inherit'], env: { ...env } })
    this.child = child
    onTestFinished(() => void child.kill('SIGKILL'))
    const cutter = new FrameCutter(TOX_PROTOCOL.limits)
    child.stdout.on('data', (piece: Buffer) => {
      this.reports.push(...cutter.push(piece).map((frame) => checkFrame(TOX_PROTOCOL.reports, frame).message))
      this.#woken()
    })
    child.stdin.on('error', () => {})
    child.stdin.write(Buffer.from(secretKey))
    this.send({
      type: 'start',
      options: { nospam: 0, name, text, bootstrap, proxy: null, udp: true, port: null, loopback: true },
    })
  }

  send(order: Order): void {
    this.child.stdin!.write(encodeFrame(order, TOX_PROTOCOL.limits))
  }

  /** Adds a friend whose own list has this node, or will. */
  add(key: string): void {
    this.send({ type: 'add', key, request: null })
  }

  /** Returns the first matching report, past or future. */
  async reported<Type extends Report['type']>(
    type: Type,
    fits: (report: Extract<Report, { type: Type }>) => boolean = () => true,
  ): Promise<Extract<Report, { type: Type }>> {
    for (;;) {
      for (const report of this.reports) {
        if (report.type === type && fits(report as Extract<Report, { type: Type }>)) {
          return report as Extract<Report, { type: Type }>
        }
      }
      await new Promise<void>((wake) => (this.#woken = wake))
    }
  }

  /** The bootstrap entry for other nodes. */
  async address(): Promise<BootstrapNode> {
    const { port, dhtKey } = await this.reported('ready')
    return { host: '127.0.0.1', port: port!, key: dhtKey }
  }

  /** Ends in an orderly way: the node notifies its friends. */
  async end(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.stdin!.end()
    await ended
  }
}
