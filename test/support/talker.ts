/** A command that prints something, waits for an answer, and continues: read line by line, with an open stdin. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { Home } from './persona.ts'

export class Talker {
  readonly child: ChildProcess
  /** The exit status. */
  readonly ended: Promise<number | null>
  stdout = ''
  stderr = ''
  #read = 0
  #isEnded = false
  #onMore: () => void = () => {}

  constructor(home: Home, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = home.spawn(args, env)
    onTestFinished(() => void this.child.kill('SIGKILL'))
    this.child.stdin!.on('error', () => {})
    this.child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#onMore()
    })
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.ended = once(this.child, 'close').then(([status]) => {
      this.#isEnded = true
      this.#onMore()
      return status as number | null
    })
  }

  /** Returns the next line of its output as JSON. @throws if the command ends first */
  async json<T>(): Promise<T> {
    for (;;) {
      const end = this.stdout.indexOf('\n', this.#read)
      if (end >= 0) {
        const line = this.stdout.slice(this.#read, end)
        this.#read = end + 1
        return JSON.parse(line) as T
      }
      if (this.#isEnded) throw new Error(`it ended: ${this.stderr}`)
      await new Promise<void>((more) => (this.#onMore = more))
    }
  }

  type(line: string): void {
    this.child.stdin!.write(`${line}\n`)
  }
}
