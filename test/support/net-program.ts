/** The real program personad-net as a child, and the front of the daemon for it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { Net, type NetOptions } from '../../src/daemon/net/net.ts'
import type { NetSettings } from '../../src/netnode/settings.ts'
import { netFlags, NET_MAIN } from '../../src/netnode/start.ts'
import { processLink } from '../../src/process/link.ts'
import type { LogFields } from '../../src/process/log.ts'
import { engine } from './person.ts'

export class NetStory {
  readonly children: ChildProcess[] = []
  readonly warnings: LogFields[] = []
  readonly net: Net
  #woken: () => void = () => {}

  /** @param atEnd takes what ends the program; by default the end of the test does */
  constructor(
    { bootstrap = [], ...settings }: Partial<NetSettings>,
    more: Partial<NetOptions> = {},
    atEnd: (end: () => Promise<void>) => void = onTestFinished,
  ) {
    const wake = (): void => this.#woken()
    this.net = new Net({
      settings: () =>
        Promise.resolve({
          bootstrap: bootstrap.map(({ host, port }) => ({ host, port })),
          proxy: null,
          private: ['127.0.0.1'],
          ca: null,
          ...settings,
        }),
      log: {
        error: () => {},
        warn: (_, fields) => {
          this.warnings.push(fields ?? {})
          wake()
        },
        info: wake,
        debug: () => {},
        setLevel: () => {},
      },
      verify: (signature, message, publicKey) => engine.verify(signature, message, publicKey),
      how: 'child',
      open: () => {
        const child = spawn(process.execPath, [...netFlags(), NET_MAIN], {
          stdio: ['pipe', 'pipe', 'inherit'],
          env: {},
        })
        this.children.push(child)
        return processLink(child)
      },
      ...more,
    })
    atEnd(async () => {
      await this.net.stop()
      for (const child of this.children) child.kill('SIGKILL')
    })
  }

  /** Starts it, and waits until it runs. */
  async run(): Promise<this> {
    this.net.start()
    await this.until(() => this.net.status().state === 'running')
    return this
  }

  /** Looks again after each line of the log. */
  async until(fits: () => boolean): Promise<void> {
    while (!fits()) await new Promise<void>((done) => (this.#woken = done))
  }
}
