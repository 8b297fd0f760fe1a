/** Loads a relay over HTTP, or the least that could serve as one, with requests over connections that stay open. */
import { spawn, type ChildProcess } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { concatBytes, formatBase64url, u64be } from '../src/core/encoding/bytes.ts'

export const BOXES = 2000 // so that no box is full within a round
const DATA = 'x'.repeat(889) // an offer of WebRTC with its key; each gets a number of 7 digits
export const RELAY: string = join(import.meta.dirname, '../src/launch/persona-relay.js')
/** A configuration without a limit that a load could reach. */
export const OPEN_CONFIG = `listen: 127.0.0.1:0
disk_max: 100 GiB
limits:
  unchecked_boxes: 1000000000
  box_burst: 1000000000
  box_per_second: 1000000000
  address_burst: 1000000000
  address_per_second: 1000000000
  connections_of_address: 1000
`

export interface Running {
  readonly child: ChildProcess
  readonly port: number
}

/** A program that prints its port, or its URL, once it answers. */
export async function start(program: string, args: readonly string[]): Promise<Running> {
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

export async function stop({ child }: Running): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

export interface Load {
  readonly rate: number
  readonly latenciesMs: readonly number[]
  /** Time of the CPU for a request, in microseconds, of all threads of the server. */
  readonly cpuUs: number
}

/** Time of the CPU that the running threads of a process have had. A server at work ends none of its threads. */
function cpuUs({ child }: Running): number {
  const tasks = `/proc/${child.pid}/task`
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0]),
  )
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000
}

/** A POST with a token. */
export interface Posted {
  readonly path: string
  readonly bearer: string
  readonly body: string
}

function textOf(request: string | Posted): string {
  const { path, body, token } =
    typeof request === 'string'
      ? { path: '/', body: request, token: '' }
      : { ...request, token: `Authorization: Bearer ${request.bearer}\r\n` }
  return `POST ${path} HTTP/1.1\r\nHost: relay\r\n${token}Content-Length: ${body.length}\r\n\r\n${body}`
}

/**
 * Makes so many requests, as many at once as there are connections. Each must be answered `ok: true`.
 * @param request gives the next one: the body of a request to a box, or another request
 */
export async function load(
  to: Running,
  requests: number,
  request: () => string | Posted,
  connections: number,
): Promise<Load> {
  const latenciesMs: number[] = []
  let left = requests
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(to.port, '127.0.0.1').setNoDelay().setEncoding('latin1')
      let sentAt = 0
      let received = ''
      const next = (): void => {
        if (left-- <= 0) {
          socket.destroy()
          return resolve()
        }
        const text = textOf(request())
        sentAt = performance.now()
        socket.write(text)
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
  const [started, cpuBefore] = [performance.now(), cpuUs(to)]
  await Promise.all(Array.from({ length: connections }, one))
  const rate = (requests * 1000) / (performance.now() - started)
  return { rate, latenciesMs, cpuUs: (cpuUs(to) - cpuBefore) / requests }
}

/** Requests to boxes one after the other. */
export class Bodies {
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
