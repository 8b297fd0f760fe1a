/** A terminal of tmux: a program in it is typed at and looked at as a person does. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, vi } from 'vitest'

const WAIT = { timeout: 15_000, interval: 100 }

export function hasTmux(): boolean {
  return spawnSync('sh', ['-c', 'command -v tmux']).status === 0
}

export class Terminal {
  readonly #socket: string
  readonly #directory: string

  /**
   * @param directory for the socket, and as the home
   * @param command of a shell
   */
  constructor(directory: string, command: string, columns: number, rows = 50) {
    this.#directory = directory
    this.#socket = join(directory, 'tmux')
    mkdirSync(join(directory, 'cfg'), { recursive: true })
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows), command)
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

  async shows(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.screen()).toMatch(text), WAIT)
  }

  /** Types characters, without Enter. */
  put(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  type(line: string): void {
    this.put(line)
    this.press('Enter')
  }

  /** Sends a key, such as C-p. */
  press(key: string): void {
    this.#tmux('send-keys', key)
  }

  /** Resolves once the program has ended. */
  async ended(): Promise<void> {
    await vi.waitFor(() => expect(this.#tmux('has-session').status).not.toBe(0), WAIT)
  }
}
