/** People who chat by hand: they type `persona chat` at daemons that reach each other. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import type { ChatLine } from '../../src/ipc/methods/chat.ts'
import type { Side } from './channel-sides.ts'
import { Home } from './persona.ts'
import { launcherOf } from './programs.ts'
import { Terminal } from './tmux.ts'

/** The command line at the daemon of a side. */
export function homeOf({ home }: Side): Home {
  return new Home(home)
}

/** Alice invites Bob, who accepts. Only the line of the invite goes from one to the other. @param over options that name the carriers */
export async function meetInChat(alice: Side, bob: Side, over: readonly string[] = []): Promise<void> {
  const invite = await homeOf(alice).done(['chat', 'invite', 'Bob', '--as', 'Alice', ...over])
  await homeOf(bob).done(['chat', 'accept', '-', '--name', 'Alice'], { stdin: invite })
}

/** `persona chat NAME --json` of a script, until the test ends. */
export class ChatScript {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(side: Side, name: string, ...options: readonly string[]) {
    this.#child = homeOf(side).spawn(['chat', name, '--json', ...options])
    onTestFinished(() => void this.#child.kill('SIGKILL'))
    this.#child.stderr!.pipe(process.stderr)
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  write(line: string): void {
    this.#child.stdin!.write(`${line}\n`)
  }

  async next(): Promise<ChatLine> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the chat has ended')
    return JSON.parse(value) as ChatLine
  }

  /** The texts of so many lines. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = []
    while (texts.length < count) texts.push((await this.next()).text)
    return texts
  }
}

/** `persona chat ...` on a terminal. */
export function chatTerminal(side: Side, columns: number, ...args: readonly string[]): Terminal {
  const words = [process.execPath, launcherOf('persona'), '--home', side.home, 'chat', ...args]
  return new Terminal(side.home, words.map((word) => `'${word}'`).join(' '), columns)
}
