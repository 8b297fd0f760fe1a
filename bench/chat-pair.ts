/** `persona chat` open on both sides of two real daemons, for measuring. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { CHAT_APP } from '../src/core/encoding/app-name.ts'
import type { Pair } from './channel-pair.ts'
import type { RunningDaemon } from './daemon.ts'
import { timedMs } from './measure.ts'

const PERSONA = join(import.meta.dirname, '../src/launch/persona.js')

function homeOf({ appSocket }: RunningDaemon): string {
  return join(appSocket, '../..')
}

/** A chat that a script has open. */
export class OpenChat {
  readonly child: ChildProcess
  readonly #lines: AsyncIterator<string>

  constructor(daemon: RunningDaemon, name: string, lines: number) {
    const args = [PERSONA, '--home', homeOf(daemon), 'chat', name, '--json', '--lines', String(lines)]
    this.child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]()
  }

  write(text: string): void {
    this.child.stdin!.write(`${text}\n`)
  }

  /** The text of the next line, own or not; null once the chat has ended. */
  async next(): Promise<string | null> {
    const { value, done } = await this.#lines.next()
    return done === true ? null : (JSON.parse(value) as { text: string }).text
  }

  /** Reads until this text comes. */
  async came(text: string): Promise<void> {
    for (let next: string | null = ''; next !== text; next = await this.next())
      if (next === null) throw new Error(`the chat ended before it showed ${text}`)
  }

  async end(): Promise<void> {
    const ended = once(this.child, 'exit')
    this.child.stdin!.end()
    await ended
  }
}

/** One chat, open on both sides, over one carrier. */
export class ChatPair {
  readonly host: OpenChat
  readonly guest: OpenChat
  #written = 0

  private constructor(host: OpenChat, guest: OpenChat) {
    this.host = host
    this.guest = guest
  }

  /** @param name of the chat, on both sides @param over the carrier */
  static async open(pair: Pair, name: string, over: string): Promise<ChatPair> {
    const wishes = { app: CHAT_APP, name, persona: false, over: [over] }
    const { invite } = await pair.host.admin.call('channel.invite', wishes)
    await pair.guest.admin.call('channel.accept', { app: CHAT_APP, name, persona: false, invite })
    // The host has a chat of this name once the guest has come.
    const guest = new OpenChat(pair.guest, name, 0)
    guest.write('first')
    await guest.came('first')
    const isThere = async (): Promise<boolean> =>
      (await pair.host.admin.call('channel.list', { app: CHAT_APP })).channels.some((each) => each.name === name)
    while (!(await isThere())) await new Promise((resume) => setImmediate(resume))
    const host = new OpenChat(pair.host, name, 1)
    await host.came('first')
    return new ChatPair(host, guest)
  }

  /** Lines one after another, each once the one before was shown. @returns milliseconds from the keyboard of one to the screen of the other */
  async timesMs(count: number): Promise<number[]> {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const text = `line ${++this.#written}`
      times.push(
        await timedMs(async () => {
          this.host.write(text)
          await this.guest.came(text)
        }),
      )
    }
    return times
  }

  /** Lines of both sides in turn. */
  async talk(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const [from, to] = i % 2 === 0 ? [this.host, this.guest] : [this.guest, this.host]
      const text = `answer ${++this.#written}`
      from.write(text)
      await to.came(text)
    }
  }

  async end(): Promise<void> {
    await this.host.end()
    await this.guest.end()
  }
}
