/** A network namespace for one test, with a loopback interface that the test can cut. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'

/** Why this machine cannot create one; null if it can. */
export function networkAbsence(): string | null {
  const { status } = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** A separate network that has only a loopback interface. */
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

  /** The command prefix that enters it. */
  get prefix(): string[] {
    return ['nsenter', '-t', String(this.#pid), '-n']
  }

  link(state: 'up' | 'down'): void {
    const [command, ...args] = [...this.prefix, 'ip', 'link', 'set', 'lo', state]
    expect(spawnSync(command, args).status).toBe(0)
  }
}
