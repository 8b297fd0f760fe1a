/** Streams of `/wait` at a real relay: what an idle one costs, and how soon each of a thousand hears of its message. */
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { madeUpKey } from '../test/support/box-owner.ts'
import { liveKiB, REPORTS_MEMORY, residentMiB } from './daemon.ts'
import { BareSyncs } from './durable.ts'
import { quantile, type Row } from './measure.ts'

const LAUNCHER = join(import.meta.dirname, '../src/launch/persona-relay.js')
const MAX_IDLE_KIB = 25
const MAX_TOLD_MS = 100
const WARM_SENDS = 20 // not counted: a relay compiles its code during the first ones
const CONFIG = `listen: 127.0.0.1:0
limits:
  address_burst: 1000000
  box_burst: 1000000
  checks_burst: 1000000
  unchecked_boxes: 1000000
  streams_of_address: 100000
  connections_of_address: 100000
`

interface RunningRelay {
  readonly child: ChildProcess
  readonly url: string
}

async function startRelay(directory: string): Promise<RunningRelay> {
  const config = join(directory, 'relay.yaml')
  writeFileSync(config, CONFIG, { mode: 0o600 })
  const args = [...REPORTS_MEMORY, LAUNCHER, 'serve', '--dir', join(directory, 'data'), '--config', config]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  for await (const line of createInterface({ input: child.stderr! }))
    if (line.includes('"relay.ready"')) return { child, url: (JSON.parse(line) as { url: string }).url }
  throw new Error('the relay does not start')
}

/** A stream for one box of its own. */
class Stream {
  readonly pub: string = madeUpKey(randomBytes)
  readonly #socket: Socket
  #text = ''
  #wanted: { readonly text: string; readonly done: () => void } | null = null

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (bytes) => {
      this.#text += bytes.toString('latin1')
      if (this.#wanted !== null && this.#text.includes(this.#wanted.text)) this.#wanted.done()
    })
    const body = JSON.stringify({ boxes: [{ pub: this.pub, at: 0 }] })
    this.#socket.write(`POST /wait HTTP/1.1\r\nHost: relay\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
  }

  received(text: string): Promise<void> {
    return new Promise((done) => {
      if (this.#text.includes(text)) done()
      else this.#wanted = { text, done }
    })
  }

  end(): void {
    this.#socket.destroy()
  }
}

async function openStreams(port: number, count: number): Promise<Stream[]> {
  const streams: Stream[] = []
  while (streams.length < count) {
    const batch = Array.from({ length: Math.min(50, count - streams.length) }, () => new Stream(port))
    await Promise.all(batch.map((stream) => stream.received(': still here')))
    streams.push(...batch)
  }
  return streams
}

interface Memory {
  readonly liveKiB: number
  readonly residentKiB: number
}

/** Memory of the relay alone, once all garbage is collected. */
async function memoryOf(child: ChildProcess): Promise<Memory> {
  const live = await liveKiB(child)
  return { liveKiB: live, residentKiB: residentMiB(child.pid!) * 1024 }
}

/** One connection for all sends: a new one, or the first `fetch` of a program, would take most of the time. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

async function send(url: string, pub: string): Promise<void> {
  const body = JSON.stringify({ pub, ext: null, action: 'send', data: 'aGk' })
  const [answer] = (await once(request(url, { method: 'POST', agent }).end(body), 'response')) as [IncomingMessage]
  if (!(JSON.parse(await text(answer)) as { ok: boolean }).ok) throw new Error('the relay refused a send')
}

/** Milliseconds from a send to the event of the stream that waits for it, and from the answer to the send: the relay answers once the disk has it. */
async function toldMs(url: string, stream: Stream): Promise<{ readonly all: number; readonly afterAnswer: number }> {
  const started = performance.now()
  const told = stream.received('data: ').then(() => performance.now())
  await send(url, stream.pub)
  const answeredAt = performance.now()
  const toldAt = await told
  return { all: toldAt - started, afterAnswer: toldAt - answeredAt }
}

export async function benchRelayStreams(isQuick: boolean): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'personad-bench-'))
  const { child, url } = await startRelay(directory)
  const streams: Stream[] = []
  const disk = new BareSyncs()
  try {
    const port = Number(new URL(url).port)
    // The first ones warm the relay up: code that is compiled by then, and tables that have grown, are not what a stream costs.
    const [warm, more] = isQuick ? [500, 1000] : [1000, 3000]
    streams.push(...(await openStreams(port, warm)))
    const before = await memoryOf(child)
    streams.push(...(await openStreams(port, more)))
    const used = await memoryOf(child)
    const [live, resident] = (['liveKiB', 'residentKiB'] as const).map((name) => (used[name] - before[name]) / more)
    for (const stream of streams.slice(-WARM_SENDS)) await toldMs(url, stream)
    const times: Awaited<ReturnType<typeof toldMs>>[] = []
    const syncsMs: number[] = []
    for (const stream of streams.slice(0, isQuick ? 5 : 50)) {
      // In turn with the sends, so that the disk is as busy for both.
      syncsMs.push(disk.timeMs(1))
      times.push(await toldMs(url, stream))
    }
    const [all, after] = (['all', 'afterAnswer'] as const).map((name) => times.map((each) => each[name]))
    const [median, most, worst, late, sync, worstSync] = [
      quantile(all!, 0.5),
      quantile(all!, 0.9),
      Math.max(...all!),
      Math.max(...after!),
      quantile(syncsMs, 0.5),
      Math.max(...syncsMs),
    ].map((ms) => ms.toFixed(0))
    return [
      {
        what: `relay: memory of an idle stream, from ${warm} to ${warm + more}`,
        figure: `${resident!.toFixed(1)} KiB resident after a collection (target <= ${MAX_IDLE_KIB}); ${live!.toFixed(1)} KiB of them in use by JavaScript`,
      },
      {
        what: `relay: a send is told, with ${streams.length} streams`,
        figure: `${median} ms, p90 ${most} ms, at worst ${worst} ms (target < ${MAX_TOLD_MS}); at worst ${late} ms after the answer to the send; a bare fdatasync ${sync} ms, at worst ${worstSync} ms`,
      },
    ]
  } finally {
    agent.destroy()
    disk.close()
    for (const stream of streams) stream.end()
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

if (import.meta.main)
  for (const { what, figure } of await benchRelayStreams(process.argv.includes('--quick')))
    console.log(`${what.padEnd(56)} ${figure}`)
