/** An event to 1000 subscribers, in turn with a bare server that writes the same bytes to as many connections. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatRequest } from '../src/ipc/wire/rpc.ts'
import { cpuSec, makeHome, removeHome, startDaemon } from './daemon.ts'
import { formatRatio, formatUs, quantile, type Row } from './measure.ts'
import { friend } from './people.ts'

const FORM_FEED = 12
const SUBSCRIBERS = 1000
const CONNECTIONS_AT_A_TIME = 100 // below the queue of a socket that listens
const DEVICES = 3

/** Many connections that count the messages which came to them. */
class Crowd {
  readonly #sockets: Socket[] = []
  #awaited = 0
  #firstAt: number | null = null
  #done: (spreadUs: number) => void = () => {}

  static async open(path: string, hello: string | null): Promise<Crowd> {
    const crowd = new Crowd()
    for (let i = 0; i < SUBSCRIBERS; i += CONNECTIONS_AT_A_TIME)
      await Promise.all(Array.from({ length: CONNECTIONS_AT_A_TIME }, async () => await crowd.#add(path, hello)))
    return crowd
  }

  async #add(path: string, hello: string | null): Promise<void> {
    const socket = createConnection(path)
    await once(socket, 'connect')
    if (hello !== null) {
      socket.write(hello)
      await once(socket, 'data')
    }
    socket.on('data', (chunk: Buffer) => {
      this.#firstAt ??= performance.now()
      if (chunk.at(-1) === FORM_FEED && --this.#awaited === 0) this.#done((performance.now() - this.#firstAt) * 1000)
    })
    this.#sockets.push(socket)
  }

  /** @returns the time from the first message to the last, in microseconds */
  next(): Promise<number> {
    this.#awaited = this.#sockets.length
    this.#firstAt = null
    return new Promise((done) => (this.#done = done))
  }

  /** Sends a byte on one connection. */
  poke(): void {
    this.#sockets[0]!.write('x')
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** CPU of a process for one event, and the times from the first subscriber to the last. */
interface Turn {
  readonly cpuUs: number
  readonly spreadsUs: readonly number[]
}

async function turnOf(pid: number, events: number, crowd: Crowd | null, send: () => Promise<void>): Promise<Turn> {
  const before = cpuSec(pid)
  const spreadsUs: number[] = []
  for (let i = 0; i < events; i++) {
    const spread = crowd?.next()
    await send()
    if (spread !== undefined) spreadsUs.push(await spread)
  }
  return { cpuUs: ((cpuSec(pid) - before) * 1e6) / events, spreadsUs }
}

export async function benchBroadcast(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const [rounds, events] = isQuick ? [2, 20] : [7, 100]
  const home = makeHome()
  mkdirSync(join(home, 'config'))
  const config = `socket:\n  max_connections: ${SUBSCRIBERS + 10}\n`
  writeFileSync(join(home, 'config/personad.yaml'), config, { mode: 0o600 })
  const daemon = await startDaemon(home)
  let count = 0
  const observe = async (): Promise<void> => void (await daemon.admin.call('observe', friend(engine, count++, DEVICES)))
  const event = new Promise<unknown>((done) => void daemon.admin.subscribe(['contact.changed'], done))
  await daemon.admin.call('status')
  await observe()
  const path = join(home, 'bare.sock')
  const server = join(import.meta.dirname, 'reply-server.ts')
  const child = spawn(process.execPath, [server, path, JSON.stringify(await event), 'broadcast'])
  try {
    await once(child.stdout, 'data')
    const bare = await Crowd.open(path, null)
    const turns: Record<'alone' | 'ours' | 'bare', Turn[]> = { alone: [], ours: [], bare: [] }
    const subscribe = formatRequest(1, 'subscribe', { events: ['contact.changed'] })
    // The first round warms all up.
    for (let round = 0; round <= rounds; round++) {
      const pid = daemon.process.pid!
      const alone = await turnOf(pid, events, null, observe)
      const crowd = await Crowd.open(daemon.appSocket, subscribe)
      const ours = await turnOf(pid, events, crowd, observe)
      crowd.close()
      const theirs = await turnOf(child.pid!, events, bare, async () => bare.poke())
      if (round === 0) continue
      turns.alone.push(alone)
      turns.ours.push(ours)
      turns.bare.push(theirs)
    }
    bare.close()
    return rowsOf(turns)
  } finally {
    child.kill('SIGKILL')
    await daemon.stop()
    removeHome(home)
  }
}

/** The CPU of the observation itself is taken off. */
function rowsOf({ alone, ours, bare }: Record<'alone' | 'ours' | 'bare', readonly Turn[]>): Row[] {
  const cpu = (turns: readonly Turn[]): number =>
    quantile(
      turns.map(({ cpuUs }) => cpuUs),
      0.5,
    )
  const spread = (turns: readonly Turn[]): number =>
    quantile(
      turns.flatMap(({ spreadsUs }) => spreadsUs),
      0.5,
    )
  const row = (what: string, a: number, b: number): Row => ({
    what: `event to ${SUBSCRIBERS} subscribers, ${what}`,
    figure: `${formatUs(a)}; ${formatRatio(a / b)} times a bare broadcast (${formatUs(b)})`,
  })
  return [row('CPU', cpu(ours) - cpu(alone), cpu(bare)), row('first to last', spread(ours), spread(bare))]
}
