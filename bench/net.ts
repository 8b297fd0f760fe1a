/** personad-net as it is installed: its start, its memory, and what a lookup costs, in a DHT of nodes in this process. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { Net } from '../src/daemon/net/net.ts'
import type { NetSettings } from '../src/netnode/settings.ts'
import { processLink } from '../src/process/link.ts'
import { DhtNet } from '../test/support/dht-net.ts'
import { cpuSec, residentMiB } from './daemon.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { nodeStartMs } from './processes.ts'

const ROOT = resolve(import.meta.dirname, '..')
const NODES = 30
const LOOKUPS_AN_HOUR = 1000 // contacts, each once an hour
const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} }

/** The compiled program, as in a package. @returns how to start it */
async function compile(directory: string): Promise<{ netFlags: () => string[]; NET_MAIN: string }> {
  mkdirSync(join(directory, 'src'))
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  cpSync(join(ROOT, 'src/launch'), join(directory, 'src/launch'), { recursive: true })
  const args = ['-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')]
  const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`tsc ended with ${status}: ${stdout}`)
  return (await import(pathToFileURL(join(directory, 'dist/netnode/start.js')).href)) as Awaited<
    ReturnType<typeof compile>
  >
}

async function localNodes(): Promise<{ settings: NetSettings; sockets: Socket[] }> {
  const net = new DhtNet()
  const sockets: Socket[] = []
  for (let i = 0; i < NODES; i++) {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    sockets.push(socket)
    const node = net.addNode({}, { host: '127.0.0.1', port: socket.address().port })
    socket.on('message', (packet, from) => socket.send(net.answer(node, packet), from.port, from.address))
  }
  const [{ host, port }] = [net.nodes[0]!]
  return { settings: { bootstrap: [{ host, port }], proxy: null, private: ['127.0.0.1'] }, sockets }
}

/** One run of the program. */
class Run {
  pid = 0
  readonly net: Net
  readonly #ready: Promise<void>

  constructor(engine: CryptoEngine, program: Awaited<ReturnType<typeof compile>>, config: NetSettings) {
    const { promise, resolve: ready } = Promise.withResolvers<void>()
    this.#ready = promise
    this.net = new Net({
      config,
      log: { ...SILENT, info: () => ready() },
      verify: (signature, message, publicKey) => engine.verify(signature, message, publicKey),
      how: 'child',
      open: () => {
        const args = [...program.netFlags(), program.NET_MAIN]
        const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'], env: {} })
        this.pid = child.pid!
        return processLink(child)
      },
    })
  }

  /** @returns the bytes that the lookup sent and received */
  async lookUp(number: number): Promise<number> {
    const place = { publicKey: new Uint8Array(32).fill(number), salt: Uint8Array.of(number >> 8, number & 0xff) }
    const { sentBytes, receivedBytes } = await this.net.get(place)
    return sentBytes + receivedBytes
  }

  /** Starts it, and waits for its first answer. */
  async start(): Promise<this> {
    this.net.start()
    await this.#ready
    await this.lookUp(0)
    return this
  }
}

export async function benchNet(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'personad-bench-'))
  const { settings, sockets } = await localNodes()
  try {
    const program = await compile(directory)
    const startsMs: number[] = []
    for (let i = 0; i < (isQuick ? 1 : 5); i++) {
      const startedMs = performance.now()
      const run = await new Run(engine, program, settings).start()
      startsMs.push(performance.now() - startedMs)
      await run.net.stop()
    }
    const run = await new Run(engine, program, settings).start()
    const lookups = isQuick ? 20 : 500
    const [cpuBefore, bytes] = [cpuSec(run.pid), [] as number[]]
    for (let i = 1; i <= lookups; i++) bytes.push(await run.lookUp(i))
    const cpuMs = ((cpuSec(run.pid) - cpuBefore) * 1000) / lookups
    const memoryMiB = residentMiB(run.pid)
    await run.net.stop()
    const [startMs, bareMs] = [quantile(startsMs, 0.5), nodeStartMs()]
    const share = (cpuMs * LOOKUPS_AN_HOUR) / 3_600_000
    return [
      {
        what: 'personad-net: start to first answer',
        figure: `${Math.round(startMs)} ms; ${formatRatio(startMs / bareMs)} times "node -e 0" (${Math.round(bareMs)} ms)`,
      },
      { what: `personad-net: resident after ${lookups} lookups`, figure: `${Math.round(memoryMiB)} MiB` },
      {
        what: `personad-net: a lookup among ${NODES} nodes`,
        figure: `${cpuMs.toFixed(1)} ms of CPU, ${Math.round(quantile(bytes, 0.5))} bytes`,
      },
      { what: 'personad-net: 1000 contacts, each once an hour', figure: `${(share * 100).toFixed(2)} % of a core` },
    ]
  } finally {
    for (const socket of sockets) socket.close()
    rmSync(directory, { recursive: true })
  }
}
