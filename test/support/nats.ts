/**
 * Two homes, each of them after a NAT of its own, and a world between with a relay and a STUN server. Every place is a network namespace that ends with the
 * test; the network of the machine is not touched.
 *
 *   home A -- NAT A (203.0.113.2) -- world (192.0.2.1: relay, STUN) -- (198.51.100.2) NAT B -- home B
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { Side } from './channel-sides.ts'
import { Network, networkAbsence } from './network.ts'
import { RelayProcess } from './relay-process.ts'
import { tempDir } from './temp-dir.ts'

const STUN_SERVER = join(import.meta.dirname, 'stun-server.ts')
const WORLD = '192.0.2.1'
const RELAY_PORT = 8787
/** The first three bytes of the addresses of each NAT, outside and inside. */
const PLACES = [
  ['203.0.113', '192.168.1'],
  ['198.51.100', '192.168.2'],
] as const
// The rounds of a test come faster than those of people.
const RELAY_CONFIG = 'limits:\n  address_burst: 1000000\n  address_per_second: 1000000\n'

/** Whether a NAT keeps the port of a connection, as most at homes do, or takes a random one for each peer, as many of mobile networks do. */
export type NatPorts = 'kept' | 'random'

/** A datagram from outside that belongs to no connection is refused before conntrack takes its ports for a connection of its own. */
function rules(ports: NatPorts): string {
  return `
table ip nat {
  counter refused {}
  chain leaving {
    type nat hook postrouting priority srcnat
    oifname "out" masquerade${ports === 'random' ? ' fully-random' : ''}
  }
  chain entering {
    type filter hook input priority filter
    iifname "out" counter name refused drop
  }
  chain passing {
    type filter hook forward priority filter
  }
}
`
}

/** Why this machine cannot have them; empty if it can. */
export function natsAbsence(): string {
  if (networkAbsence() !== null) return ' (needs network namespaces, and ip)'
  const { status } = spawnSync('unshare', ['-n', 'nft', '--file', '-'], { input: rules('random') })
  return status === 0 ? '' : ' (needs nft)'
}

export class Nat {
  readonly network: Network

  constructor(network: Network, ports: NatPorts) {
    this.network = network
    network.forward()
    network.run(['nft', '--file', '-'], rules(ports))
  }

  /** The packets from outside that it has refused. */
  get refused(): number {
    return Number(/packets (\d+)/.exec(this.network.run(['nft', 'list', 'counter', 'ip', 'nat', 'refused']))![1])
  }

  /** Drops all datagrams, or lets them pass again. TCP passes always. */
  datagrams(fate: 'drop' | 'pass'): void {
    const command = fate === 'drop' ? 'add rule ip nat passing meta l4proto udp drop' : 'flush chain ip nat passing'
    this.network.run(['nft', command])
  }
}

export interface Nats {
  /** A daemon in each home that runs, may go directly, and receives at the relay. */
  readonly sides: readonly [Side, Side]
  readonly nats: readonly [Nat, Nat]
  /** The places that the STUN server has seen, as `address port`. */
  readonly asked: readonly string[]
}

async function startStunServer(world: Network): Promise<string[]> {
  const [command, ...args] = [...world.prefix, process.execPath, STUN_SERVER, WORLD]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const asked: string[] = []
  const lines = createInterface({ input: child.stdout })
  await once(lines, 'line')
  lines.on('line', (line) => asked.push(line))
  return asked
}

/** Builds all of it, and starts the programs. */
export async function startBehindNats(ports: NatPorts): Promise<Nats> {
  const world = await Network.make()
  world.forward()
  world.run(['ip', 'address', 'add', `${WORLD}/32`, 'dev', 'lo'])
  const place = async ([outside, inside]: readonly [string, string], name: string): Promise<[Network, Nat]> => {
    const [home, nat] = [await Network.make(), await Network.make()]
    nat.cable(world, ['out', `${outside}.2/24`], [name, `${outside}.1/24`])
    nat.route(`${outside}.1`)
    nat.cable(home, ['in', `${inside}.1/24`], ['out', `${inside}.2/24`])
    home.route(`${inside}.1`)
    return [home, new Nat(nat, ports)]
  }
  const [homeA, natA] = await place(PLACES[0], 'a')
  const [homeB, natB] = await place(PLACES[1], 'b')
  const asked = await startStunServer(world)
  const listen = `${WORLD}:${RELAY_PORT}`
  const relay = await RelayProcess.start({ home: tempDir(), listen, config: RELAY_CONFIG, prefix: world.prefix })
  const net = { relays: [relay.url], private: [WORLD], direct: true, ice: [`stun:${WORLD}:3478`] }
  const side = async ({ prefix }: Network): Promise<Side> => await new Side(net, tempDir(), prefix).start()
  return { sides: [await side(homeA), await side(homeB)], nats: [natA, natB], asked }
}
