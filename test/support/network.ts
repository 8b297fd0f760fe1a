/** A network namespace of one test, with a loopback interface that it can cut. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'

/** Why there can be none on this machine, or null when there can. */
export function networkAbsence(): string | null {
  const { status } = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** A network of its own, in which only the loopback interface is. */
export class Network {
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
  }

  static async make(): Promise<Network> {
    const holder = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo up; exec sleep 300'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    onTestFinished(() => void holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    return new Network(holder.pid!)
  }

  /** What brings a command into it. */
  get prefix(): string[] {
    return ['nsenter', '-t', String(this.#pid), '-n']
  }

  link(state: 'up' | 'down'): void {
    const [command, ...args] = [...this.prefix, 'ip', 'link', 'set', 'lo', state]
    expect(spawnSync(command, args).status).toBe(0)
  }
}
