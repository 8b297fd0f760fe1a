/** A network namespace for one test, with a loopback interface that the test can cut, and cables to other ones. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished } from 'vitest'

/** Why this machine cannot create one; null if it can. */
export function networkAbsence(): string | null {
  const { status } = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** A separate network that has only a loopback interface at first. It is gone, with its cables, once no process is left in it. */
export class Network {
  readonly #pid: number

  private constructor(pid: number) {
    this.#pid = pid
  }

  static async make(): Promise<Network> {
    // cat ends with this process, however that ends.
    const holder = spawn('unshare', ['-n', 'sh', '-c', 'ip link set lo up; echo up; exec cat'], {
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    onTestFinished(() => void holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    return new Network(holder.pid!)
  }

  /** The command prefix that enters it. */
  get prefix(): string[] {
    return ['nsenter', '-t', String(this.#pid), '-n']
  }

  /** Runs a command in it to its end, and expects that it succeeds. @returns its output */
  run(args: readonly string[], input = ''): string {
    const [command, ...rest] = [...this.prefix, ...args]
    const { status, stdout, stderr } = spawnSync(command!, rest, { input, encoding: 'utf8' })
    expect(status, `${args.join(' ')}: ${stderr}`).toBe(0)
    return stdout
  }

  link(state: 'up' | 'down'): void {
    this.run(['ip', 'link', 'set', 'lo', state])
  }

  /** Lays a cable to another network. Each end is an interface with a name and an address such as 192.0.2.1/24. */
  cable(
    other: Network,
    own: readonly [name: string, address: string],
    far: readonly [name: string, address: string],
  ): void {
    this.run(['ip', 'link', 'add', own[0], 'type', 'veth', 'peer', 'name', far[0], 'netns', String(other.#pid)])
    for (const [network, [name, address]] of [
      [this, own],
      [other, far],
    ] as const) {
      network.run(['ip', 'address', 'add', address, 'dev', name])
      network.run(['ip', 'link', 'set', 'dev', name, 'up'])
    }
  }

  /** Sends all packets for others to this address. */
  route(gateway: string): void {
    this.run(['ip', 'route', 'add', 'default', 'via', gateway])
  }

  /** Passes on packets between its interfaces, as a router does. */
  forward(): void {
    this.run(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward'])
  }
}
