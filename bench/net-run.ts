/** personad-net as it is installed, and the front of the daemon for it. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { Net } from '../src/daemon/net/net.ts'
import type { NetSettings } from '../src/netnode/settings.ts'
import { processLink } from '../src/process/link.ts'

const ROOT = resolve(import.meta.dirname, '..')
const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} }

export interface NetProgram {
  readonly netFlags: () => string[]
  readonly NET_MAIN: string
}

/** The compiled program, as in a package. @returns how to start it */
export async function compileNet(directory: string): Promise<NetProgram> {
  mkdirSync(join(directory, 'src'))
  cpSync(join(ROOT, 'package.json'), join(directory, 'package.json'))
  cpSync(join(ROOT, 'src/launch'), join(directory, 'src/launch'), { recursive: true })
  const args = ['-p', 'tsconfig.build.json', '--outDir', join(directory, 'dist')]
  const { status, stdout } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), args, { cwd: ROOT, encoding: 'utf8' })
  if (status !== 0) throw new Error(`tsc ended with ${status}: ${stdout}`)
  return (await import(pathToFileURL(join(directory, 'dist/netnode/start.js')).href)) as NetProgram
}

/** One run of the program. */
export class NetRun {
  pid = 0
  readonly net: Net
  readonly #ready: Promise<void>

  constructor(engine: CryptoEngine, program: NetProgram, settings: NetSettings) {
    const { promise, resolve: ready } = Promise.withResolvers<void>()
    this.#ready = promise
    this.net = new Net({
      settings: () => Promise.resolve(settings),
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
