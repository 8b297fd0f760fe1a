/**
 * Runs the Tox client toxic on a profile, in a terminal of tmux and in a network without any other program of this
 * machine.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'

const WAIT = { timeout: 15_000, interval: 100 }
const OFFLINE = 'unshare -n sh -c'
// Otherwise toxic asks tmux whether anybody is looking and, if not, replaces the status message.
const CONFIG = 'ui = {\n  mplex_away=false;\n};\n'

/** Why this machine cannot run toxic; null if it can. */
export function toxicAbsence(): string | null {
  for (const program of ['toxic', 'tmux', 'ip']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not installed`
  }
  const { status } = spawnSync('sh', ['-c', `${OFFLINE} 'ip link set lo up'`])
  return status === 0 ? null : 'network namespaces are not allowed here'
}

/** toxic on a profile, in a terminal of tmux and in its own network. */
export class Toxic {
  readonly #socket: string
  readonly #directory: string

  /**
   * @param flags of toxic, beyond those that every test needs
   * @param enter the command prefix before `sh -c COMMAND` that enters a network
   */
  constructor(directory: string, profile: string, flags = '-o', enter: string = OFFLINE) {
    this.#directory = directory
    this.#socket = join(directory, 'tmux')
    const config = join(directory, 'toxic.conf')
    writeFileSync(config, CONFIG)
    mkdirSync(join(directory, 'cfg'))
    const toxic = `ip link set lo up; exec toxic ${flags} -L -4 -c ${config} -f ${profile}`
    // Wide enough to keep every interesting line unbroken.
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '220', '-y', '50', `${enter} '${toxic}'`)
    onTestFinished(() => void this.#tmux('kill-server'))
  }

  #tmux(...args: string[]): { status: number | null; stdout: string } {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      HOME: this.#directory,
      XDG_CONFIG_HOME: join(this.#directory, 'cfg'),
    }
    delete env['TMUX']
    return spawnSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8', env })
  }

  screen(): string {
    return this.#tmux('capture-pane', '-p').stdout
  }

  async shows(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.screen()).toContain(text), WAIT)
  }

  type(line: string): void {
    this.#tmux('send-keys', '-l', line)
    this.#tmux('send-keys', 'Enter')
  }

  /** Sends a key, such as C-p for the next window. */
  press(key: string): void {
    this.#tmux('send-keys', key)
  }

  async exit(): Promise<void> {
    this.type('/exit')
    await vi.waitFor(() => expect(this.#tmux('has-session').status).not.toBe(0), WAIT)
  }
}
