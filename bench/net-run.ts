/** personad-net as it is installed, and the front of the daemon for it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { MadePackage } from '../bundle/package.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { Net } from '../src/daemon/net/net.ts'
import type { NetSettings } from '../src/netnode/settings.ts'
import { processLink } from '../src/process/link.ts'
import { confinedFlags } from '../src/process/small-program.ts'

const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {}, setLevel: () => {} }

/** One run of the program. */
export class NetRun {
  pid = 0
  readonly net: Net
  readonly #ready: Promise<void>

  constructor(engine: CryptoEngine, { directory }: MadePackage, settings: NetSettings) {
    const { promise, resolve: ready } = Promise.withResolvers<void>()
    this.#ready = promise
    this.net = new Net({
      settings: () => Promise.resolve(settings),
      log: { ...SILENT, info: () => ready() },
      verify: (signature, message, publicKey) => engine.verify(signature, message, publicKey),
      how: 'child',
      open: () => {
        const at = (part: string): string => join(directory, part)
        const args = [...confinedFlags(['dist', 'src', 'package.json'].map(at)), at('dist/netnode/main.js')]
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
