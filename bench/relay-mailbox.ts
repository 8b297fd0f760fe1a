/**
 * A relay beside the nearest server of others, magic-wormhole-mailbox-server: messages that it keeps in SQLite and hands on. Debian has it as
 * python3-magic-wormhole-mailbox-server. Without it there is nothing to compare.
 */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { Bodies, load, OPEN_CONFIG, RELAY, start, stop, type Running } from './relay-load.ts'

const PYTHON = '/usr/bin/python3' // the interpreter that has Debian's packages
const CLIENTS = 32
const DATA_HEX = randomBytes(667).toString('hex') // as many bytes as a message of the relay has
const SERVER = ['-m', 'twisted', 'wormhole-mailbox', '--channel-db', 'mailbox.sqlite', '--port']

/** A client with a mailbox of its own. A message counts once the server hands it on, which is after it was stored. */
class Client {
  readonly #socket: WebSocket
  #heard: () => void = () => {}

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => {
      if ((JSON.parse(String(data)) as { type: string }).type === 'message') this.#heard()
    })
  }

  static async open(port: number): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`)
    await once(socket, 'open')
    const client = new Client(socket)
    client.#send({ type: 'bind', appid: 'bench', side: randomBytes(5).toString('hex') })
    client.#send({ type: 'open', mailbox: randomBytes(8).toString('hex') })
    return client
  }

  add(): Promise<void> {
    return new Promise((resolve) => {
      this.#heard = resolve
      this.#send({ type: 'add', phase: 'bench', body: DATA_HEX })
    })
  }

  close(): void {
    this.#socket.close()
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify({ ...message, id: randomBytes(4).toString('hex') }))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

async function startMailbox(home: string): Promise<Running> {
  const port = await freePort()
  const args = [...SERVER, `tcp:${port}:interface=127.0.0.1`]
  const child = spawn(PYTHON, args, { cwd: home, stdio: ['ignore', 'pipe', 'ignore'] })
  for await (const line of child.stdout.setEncoding('utf8')) {
    if (!String(line).includes(`starting on ${port}`)) continue
    child.stdout.resume()
    return { child, port }
  }
  throw new Error('the mailbox server ended without a port')
}

/** @returns messages a second */
async function mailboxRate({ port }: Running, messages: number): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => Client.open(port)))
  let left = messages
  const work = async (client: Client): Promise<void> => {
    while (left-- > 0) await client.add()
  }
  const started = performance.now()
  await Promise.all(clients.map(work))
  const tookMs = performance.now() - started
  for (const client of clients) client.close()
  return (messages * 1000) / tookMs
}

export async function benchRelayMailbox(isQuick: boolean): Promise<Row[]> {
  const what = `relay: sends of ${CLIENTS} clients, and those of magic-wormhole-mailbox-server`
  if (spawnSync(PYTHON, ['-c', 'import wormhole_mailbox_server']).status !== 0)
    return [{ what, figure: 'skipped: needs python3-magic-wormhole-mailbox-server of Debian' }]
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const mailbox = await startMailbox(home)
  const [mine, theirs]: [number[], number[]] = [[], []]
  try {
    const bodies = new Bodies(new Uint8Array(32))
    for (let round = 0; round < (isQuick ? 1 : 3); round++) {
      theirs.push(await mailboxRate(mailbox, isQuick ? 64 : 320))
      mine.push((await load(relay, isQuick ? 640 : 3000, bodies.send, CLIENTS)).rate)
    }
  } finally {
    await stop(relay)
    await stop(mailbox)
    removeHome(home)
  }
  const [a, b] = [mine, theirs].map((rates) => quantile(rates, 0.5)) as [number, number]
  const figure = `${Math.round(a)} and ${Math.round(b)} a second: ${formatRatio(a / b)} times (target >= 3)`
  return [{ what, figure }]
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayMailbox(process.argv.includes('--quick')))
    console.log(`${what}  ${figure}`)
