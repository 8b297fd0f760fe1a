/** One real daemon in a temporary home, shared by all tests of a file. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { launcherOf } from './programs.ts'
import { removeTree } from './remove-tree.ts'

export class SharedDaemon {
  readonly #home: string
  #child: ChildProcess

  private constructor(home: string, child: ChildProcess) {
    this.#home = home
    this.#child = child
  }

  static async start(): Promise<SharedDaemon> {
    const home = mkdtempSync(join(tmpdir(), 'personad-shared-'))
    return new SharedDaemon(home, await run(home))
  }

  get adminSocket(): string {
    return join(this.#home, 'run/admin/admin.sock')
  }

  get appSocket(): string {
    return join(this.#home, 'run/app.sock')
  }

  /** Restarts the daemon as after a crash. */
  async restart(): Promise<void> {
    await this.#end('SIGKILL')
    this.#child = await run(this.#home)
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    removeTree(this.#home)
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
  }
}

async function run(home: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [launcherOf('personad'), '--home', home], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const log: string[] = []
  for await (const line of createInterface({ input: child.stderr })) {
    log.push(line)
    if (line.includes('"daemon.ready"')) return child
  }
  throw new Error(`the daemon did not start: ${log.join('\n')}`)
}
