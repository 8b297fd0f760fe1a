/** Acts as a person at a terminal. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { Home } from './persona.ts'
import { launcherOf } from './programs.ts'

// From util-linux: runs a command on a new terminal and passes on what is typed and shown.
export const SCRIPT = '/usr/bin/script'

/** A command on a terminal, read and typed at as a person does. */
export class Typist {
  readonly #child: ReturnType<typeof spawn>
  #seen = ''
  #read = 0
  #onMore: () => void = () => {}

  /** @param before a shell command that prepares the terminal */
  constructor(home: Home, args: readonly string[], before = 'true') {
    const persona = [process.execPath, launcherOf('persona'), ...args].map((word) => `'${word}'`).join(' ')
    this.#child = spawn(SCRIPT, ['--quiet', '--return', '--command', `${before}; ${persona}`, '/dev/null'], {
      env: { ...process.env, PERSONAD_HOME: home.directory, XDG_CACHE_HOME: home.directory, TERM: 'xterm' },
    })
    onTestFinished(() => void this.#child.kill('SIGKILL'))
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text
      this.#onMore()
    })
  }

  /** Waits for a text after the last match, and returns everything up to its end. */
  async until(text: string): Promise<string> {
    for (;;) {
      const at = this.#seen.indexOf(text, this.#read)
      if (at >= 0) {
        const before = this.#seen.slice(this.#read, at + text.length)
        this.#read = at + text.length
        return before
      }
      await new Promise<void>((resolve) => (this.#onMore = resolve))
    }
  }

  type(keys: string): void {
    this.#child.stdin!.write(keys)
  }

  async end(): Promise<number | null> {
    const [status] = (await once(this.#child, 'exit')) as [number | null]
    return status
  }

  get all(): string {
    return this.#seen
  }
}
