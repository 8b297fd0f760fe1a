/**
 * A whole relay beside the least that could keep the same promise: a bare node:http handler with the same group commit, in turn. Sends and
 * reads over connections that stay open.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { concatBytes, formatBase64url, u64be } from '../src/core/encoding/bytes.ts'
import { readSecretsFile } from '../src/store/secrets-file.ts'
import { makeHome, removeHome } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'

const CONNECTIONS = 64
const BOXES = 2000 // so that no box is full within a round
const DATA = 'x'.repeat(889) // an offer of WebRTC with its key; each gets a number of 7 digits
const BARE = join(import.meta.dirname, 'relay-bare.ts')
const RELAY = join(import.meta.dirname, '../src/launch/persona-relay.js')
const CONFIG = `listen: 127.0.0.1:0
disk_max: 100 GiB
limits:
  unchecked_boxes: 1000000000
  box_burst: 1000000000
  box_per_second: 1000000000
  address_burst: 1000000000
  address_per_second: 1000000000
  connections_of_address: 1000
`

interface Running {
  readonly child: ChildProcess
  readonly port: number
}

/** A program that prints its port, or its URL, once it answers. */
async function start(program: string, args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  let printed = ''
  for await (const chunk of child.stdout) {
    printed += String(chunk)
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(printed) ?? []
    if (port !== undefined) {
      child.stdout.resume()
      return { child, port: Number(port) }
    }
  }
  throw new Error(`${program} ended without a port`)
}

async function stop({ child }: Running): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

interface Load {
  readonly rate: number
  readonly latenciesMs: readonly number[]
}

/** Makes so many requests, as many at once as there are connections. Each must be answered `ok: true`. */
async function load({ port }: Running, requests: number, body: () => string): Promise<Load> {
  const latenciesMs: number[] = []
  let left = requests
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay().setEncoding('latin1')
      let sentAt = 0
      let received = ''
      const next = (): void => {
        if (left-- <= 0) {
          socket.destroy()
          return resolve()
        }
        const text = body()
        sentAt = performance.now()
        socket.write(`POST / HTTP/1.1\r\nHost: relay\r\nContent-Length: ${text.length}\r\n\r\n${text}`)
      }
      socket.on('data', (chunk: string) => {
        received += chunk
        const end = received.indexOf('\r\n\r\n') + 4
        const [, length] = /content-length: (\d+)/i.exec(received) ?? []
        if (end < 4 || received.length < end + Number(length)) return
        if (!received.includes('"ok":true')) return reject(new Error(received))
        latenciesMs.push(performance.now() - sentAt)
        received = ''
        next()
      })
      socket.on('connect', next).on('error', reject)
    })
  const started = performance.now()
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
  return { rate: (requests * 1000) / (performance.now() - started), latenciesMs }
}

/** Requests to boxes one after the other. */
class Bodies {
  readonly #keys = Array.from({ length: BOXES }, () => {
    const key = randomBytes(32)
    // The canonical form of X25519 has 255 bits.
    key[31]! &= 0x7f
    return key
  })
  readonly #relayKey: Uint8Array
  #number = 0

  constructor(relayKey: Uint8Array) {
    this.#relayKey = relayKey
  }

  readonly send = (): string => {
    const number = this.#number++
    const data = DATA + String(number).padStart(7, '0')
    return JSON.stringify({ pub: formatBase64url(this.#keys[number % BOXES]!), ext: null, action: 'send', data })
  }

  readonly receive = (): string => this.#receive(0)

  /** Names all messages as processed. */
  readonly drain = (): string => this.#receive(Date.now() * 1000)

  /** The answer is made as the relay makes it: opening its question would cost the client more than all else. */
  #receive(at: number): string {
    const key = this.#keys[this.#number++ % BOXES]!
    const nowMs = Date.now()
    const nonce = concatBytes(u64be(nowMs * 1000), randomBytes(8))
    const exp = Math.floor(nowMs / 1000) + 60
    const mac = createHmac('sha256', this.#relayKey)
      .update(concatBytes(key, u64be(exp), nonce))
      .digest()
    const answer = `${formatBase64url(nonce)}.${exp}.${formatBase64url(mac)}`
    return JSON.stringify({ pub: formatBase64url(key), ext: null, action: 'receive', answer, at, limit: 1 })
  }
}

const KINDS = ['bare sends', 'sends', 'bare reads', 'receives'] as const
type Kind = (typeof KINDS)[number]

export async function benchRelayHttp(isQuick: boolean): Promise<Row[]> {
  const requests = isQuick ? BOXES : 4000
  const home = makeHome()
  const config = join(home, 'relay.yaml')
  writeFileSync(config, CONFIG)
  const bare = await start(BARE, [join(home, 'bare')])
  const relay = await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
  const loads: Record<Kind, Load[]> = { 'bare sends': [], sends: [], 'bare reads': [], receives: [] }
  try {
    const bodies = new Bodies((await readSecretsFile(join(home, 'relay', 'relay.key')))!)
    // Answers to questions from before its start are refused, and a question is asked at a full second.
    await delay(1000)
    // The first claim of each box is a write; later ones are not.
    await load(relay, BOXES, bodies.drain)
    for (let round = 0; round < (isQuick ? 1 : 9); round++) {
      loads['bare sends'].push(await load(bare, requests, bodies.send))
      loads.sends.push(await load(relay, requests, bodies.send))
      loads['bare reads'].push(await load(bare, requests, bodies.receive))
      loads.receives.push(await load(relay, requests, bodies.receive))
      await load(relay, BOXES, bodies.drain)
    }
  } finally {
    await stop(relay)
    await stop(bare)
    removeHome(home)
  }
  const rate = (kind: Kind): number =>
    quantile(
      loads[kind].map((each) => each.rate),
      0.5,
    )
  const p99 = (kind: Kind): number =>
    quantile(
      loads[kind].map((each) => quantile(each.latenciesMs, 0.99)),
      0.5,
    )
  const row = (kind: Kind, to: Kind): Row => ({
    what: `relay: ${kind} over ${CONNECTIONS} connections`,
    figure: `${Math.round(rate(kind))} a second, p99 ${p99(kind).toFixed(1)} ms; ${formatRatio(rate(kind) / rate(to))} of ${to} (${Math.round(rate(to))} a second), p99 ${formatRatio(p99(kind) / p99(to))} times theirs`,
  })
  return [row('sends', 'bare sends'), row('receives', 'bare reads')]
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayHttp(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
