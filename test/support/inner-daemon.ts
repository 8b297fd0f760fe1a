/** The whole daemon in this process, with wings of the test's choice. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { configSections, readConfig } from '../../src/daemon/config.ts'
import { startDaemon, stopDaemon, type Daemon } from '../../src/daemon/daemon.ts'
import { reloadDaemon } from '../../src/daemon/reload.ts'
import type { Wing } from '../../src/daemon/wing/wing.ts'
import { WINGS } from '../../src/daemon/wings.ts'
import { connect, type Client } from '../../src/ipc/client.ts'
import type { DaemonEvent } from '../../src/ipc/methods/events.ts'
import type { MethodTable } from '../../src/ipc/methods/method.ts'
import type { Methods } from '../../src/ipc/methods/all-methods.ts'
import { resolvePaths, type Paths } from '../../src/ipc/paths.ts'
import type { Log } from '../../src/process/log.ts'

export class InnerDaemon {
  readonly daemon: Daemon
  readonly paths: Paths
  readonly logged: Readonly<Record<string, unknown>>[]
  readonly #log: Log
  #isOpen = true

  private constructor(daemon: Daemon, paths: Paths, log: Log, logged: Readonly<Record<string, unknown>>[]) {
    this.daemon = daemon
    this.paths = paths
    this.#log = log
    this.logged = logged
  }

  /** @param config text of its configuration file */
  static async start(home: string, config: string = '', wings: readonly Wing[] = WINGS): Promise<InnerDaemon> {
    const paths = resolvePaths({ home, env: {} })
    writeConfig(paths, config)
    const logged: Readonly<Record<string, unknown>>[] = []
    const note = (event: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      void logged.push({ event, ...fields })
    const log: Log = { error: note, warn: note, info: note, debug: () => {}, setLevel: () => {} }
    const daemon = await startDaemon({
      paths,
      configFile: paths.configFile,
      config: await readConfig(paths.configFile, false, configSections(wings)),
      log,
      supervisor: { stop: (event) => note('stop', { event }) },
      wings,
    })
    const inner = new InnerDaemon(daemon, paths, log, logged)
    onTestFinished(() => inner.stop())
    return inner
  }

  /** With these methods and events beside the daemon's. */
  async connect<More extends MethodTable<More> = Methods, E extends { readonly event: string } = DaemonEvent>(
    role: 'app' | 'admin' = 'admin',
  ): Promise<Client<Methods & More, E | DaemonEvent>> {
    const socketPath = role === 'admin' ? this.paths.adminSocket : this.paths.appSocket
    const client = await connect<Methods & More, E | DaemonEvent>({ socketPath })
    onTestFinished(() => client.close())
    return client
  }

  async reload(config: string): Promise<void> {
    writeConfig(this.paths, config)
    await reloadDaemon(this.daemon, this.paths, this.paths.configFile, false, this.#log)
  }

  async stop(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    await stopDaemon(this.daemon, this.paths)
  }
}

function writeConfig({ configFile }: Paths, text: string): void {
  mkdirSync(dirname(configFile), { recursive: true })
  writeFileSync(join(configFile), text, { mode: 0o600 })
}
