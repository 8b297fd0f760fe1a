/** A home with a daemon whose companion runs on loopback. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../src/ipc/client.ts'
import type { DaemonEvent, EventData, EventName } from '../../src/ipc/methods/events.ts'
import type { BootstrapNode } from '../../src/toxnode/protocol.ts'
import { DaemonProcess } from './daemon.ts'
import { tempDir } from './temp-dir.ts'
import { FAST } from './tox-node.ts'

export interface LiveHomeOptions {
  readonly home?: string
  readonly bootstrap: readonly BootstrapNode[]
  /** More lines for the section `tox`. */
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
  readonly prefix?: readonly string[]
}

export class LiveHome {
  readonly home: string
  readonly daemon: DaemonProcess
  readonly admin: Client
  readonly events: DaemonEvent[] = []
  #woken: () => void = () => {}

  private constructor(home: string, daemon: DaemonProcess, admin: Client) {
    this.home = home
    this.daemon = daemon
    this.admin = admin
  }

  static async start(options: LiveHomeOptions): Promise<LiveHome> {
    const { home = tempDir(), bootstrap, config = '', env = FAST, prefix = [] } = options
    mkdirSync(join(home, 'config'), { recursive: true, mode: 0o700 })
    const nodes = bootstrap.map(({ host, port, key }) => `"${host}:${port} ${key}"`).join(', ')
    const lines = `tox:\n  enabled: true\n  loopback: true\n  bootstrap: [${nodes}]\n${config}`
    writeFileSync(join(home, 'config/personad.yaml'), lines, { mode: 0o600 })
    const daemon = await DaemonProcess.start({ home, env, prefix })
    const live = new LiveHome(home, daemon, await daemon.connect())
    const note = (event: unknown): void => {
      live.events.push(event as DaemonEvent)
      live.#woken()
    }
    // An app's view, through an app's permissions, and the alarms, which only the owner sees.
    const app = await daemon.connect('app')
    await app.subscribe(null, note)
    await live.admin.subscribe(['alarm'], note)
    return live
  }

  /** Returns the first matching event, past or future. */
  async told<Name extends EventName>(
    name: Name,
    fits: (data: EventData[Name]) => boolean = () => true,
  ): Promise<EventData[Name]> {
    for (;;) {
      for (const event of this.events) {
        if (event.event === name && fits(event.data as EventData[Name])) return event.data as EventData[Name]
      }
      await new Promise<void>((wake) => (this.#woken = wake))
    }
  }

  /** Discards the events received so far. */
  forget(): void {
    this.events.length = 0
  }

  /** Stops the daemon in an orderly way. */
  async stop(): Promise<void> {
    const status = await this.daemon.kill('SIGTERM')
    if (status !== 0) throw new Error(`the daemon ended with ${status}: ${this.daemon.log.join('\n')}`)
  }
}
