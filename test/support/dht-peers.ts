/** DHT nodes that others wrote, on loopback: bittorrent-dht, and libtorrent where Debian's package is installed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { ValuePlace } from '../../src/core/announce/signed-value.ts'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { DhtClient, type DhtOptions } from '../../src/dht/client.ts'
import { engine } from './person.ts'

const PYTHON = '/usr/bin/python3' // the one for which Debian builds python3-libtorrent

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Why this machine cannot run nodes of libtorrent; null if it can. */
export function libtorrentAbsence(): string | null {
  return spawnSync(PYTHON, ['-c', 'import libtorrent']).status === 0 ? null : 'python3-libtorrent is not installed'
}

export interface PeerOptions {
  /** Takes what ends the nodes. By default they end with the test. */
  readonly atEnd?: (end: () => void) => void
  /** Nodes of bittorrent-dht then list no read-only client (BEP 43). A client that has ended then costs later lookups nothing. */
  readonly heedReadOnly?: boolean
  /** Nodes of bittorrent-dht then answer so late. */
  readonly answerDelayMs?: number
  /** Nodes of libtorrent begin at the given ports alone, and find the others there. libtorrent keeps no node in its table that it begins at. */
  readonly hasRouters?: boolean
  /** Ports of the nodes, such as those of nodes that were killed. By default the system chooses them. */
  readonly at?: readonly number[]
}

/** Several nodes in a process of their own. */
export class DhtPeers {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly ports: readonly number[]

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, ports: readonly number[]) {
    this.child = child
    this.#lines = lines
    this.ports = ports
  }

  /** Starts so many nodes, which know each other and the nodes at these ports. */
  static async start(
    kind: 'bittorrent-dht' | 'libtorrent',
    count: number,
    ports: readonly number[] = [],
    { atEnd = onTestFinished, heedReadOnly = false, hasRouters = false, answerDelayMs = 0, at = [] }: PeerOptions = {},
  ): Promise<DhtPeers> {
    const common = { ...process.env, LISTEN_AT: at.join(' ') }
    const args = [String(count), ...(hasRouters ? ['--routers'] : []), ...ports.map(String)]
    const child =
      kind === 'libtorrent'
        ? spawn(PYTHON, [pathOf('dht_nodes.py'), ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: common })
        : spawn(process.execPath, [pathOf('dht-nodes.mjs'), ...args], {
            stdio: ['pipe', 'pipe', 'pipe'],
            env: { ...common, HEED_READ_ONLY: heedReadOnly ? '1' : '0', ANSWER_DELAY_MS: String(answerDelayMs) },
          })
    atEnd(() => void child.kill('SIGKILL'))
    const reader: Interface = createInterface({ input: child.stdout })
    const lines = reader[Symbol.asyncIterator]()
    const first = await lines.next()
    if (first.done === true) throw new Error(`the nodes of ${kind} did not start: ${String(child.stderr.read())}`)
    const started = JSON.parse(first.value) as { readonly ports: readonly number[] }
    return new DhtPeers(child, lines, started.ports)
  }

  /** Kills the nodes, with all that they hold. */
  async kill(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }

  /** Gives one order and waits for its answer. */
  async order(order: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> {
    this.child.stdin!.write(`${JSON.stringify(order)}\n`)
    const line = await this.#lines.next()
    if (line.done === true) throw new Error('the nodes ended')
    return JSON.parse(line.value) as Readonly<Record<string, unknown>>
  }
}

/** An order to libtorrent, which takes the expanded secret key: the clamped SHA-512 of the seed. */
export function libtorrentPut(
  seed: Uint8Array,
  { publicKey, salt }: ValuePlace,
  value: Uint8Array,
): Readonly<Record<string, unknown>> {
  const secret = createHash('sha512').update(seed).digest()
  secret[0]! &= 248
  secret[31] = (secret[31]! & 127) | 64
  return {
    do: 'put',
    secret: secret.toString('hex'),
    key: formatHex(publicKey),
    salt: formatHex(salt),
    value: formatHex(value),
  }
}

export const libtorrentGet = ({ publicKey, salt }: ValuePlace, node = 0): Readonly<Record<string, unknown>> => ({
  do: 'get',
  node,
  key: formatHex(publicKey),
  salt: formatHex(salt),
})

/** Our client on a real socket of loopback. It begins at these ports, and ends with the test. */
export async function loopbackClient(
  ports: readonly number[],
  options: Partial<DhtOptions> = {},
): Promise<{ client: DhtClient; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const client = new DhtClient({
    send: (packet, { host, port }) => socket.send(packet, port, host),
    randomBytes: (length) => engine.randomBytes(length),
    nowMs: () => performance.now(),
    startTimer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
    verify: (signature, message, publicKey) => engine.verify(signature, message, publicKey),
    bootstrap: ports.map((port) => ({ host: '127.0.0.1', port })),
    judgeNode: ({ host }) => (host === '127.0.0.1' ? 'open' : 'refused'),
    ...options,
  })
  socket.on('message', (packet, from) => client.onMessage(packet, { host: from.address, port: from.port }))
  onTestFinished(() => {
    client.close()
    socket.close()
  })
  return { client, port: socket.address().port }
}
