/** The screen of an open chat, and where its lines are typed: on a terminal, or by a script. */
import { createInterface } from 'node:readline'
import type { ChatLine } from '../../ipc/methods/chat.ts'
import { printText, remark, type Context } from '../io/context.ts'
import { escapeText } from '../io/escape.ts'
import { isInteractive } from '../io/prompt.ts'
import { Editor, type EditorOptions } from './editor.ts'
import { showPeer, type Peer } from './peers.ts'
import { formatLine } from './show.ts'

export class Screen {
  readonly #context: Context
  #editor: Editor | null = null

  constructor(context: Context) {
    this.#context = context
  }

  /** A person types and reads. */
  get isTerminal(): boolean {
    return this.#editor !== null
  }

  /** Takes lines from now on. */
  listen(peer: Peer, options: EditorOptions): void {
    if (this.#context.json || !isInteractive()) {
      const reader = createInterface({ input: process.stdin, crlfDelay: Infinity })
      reader.on('line', options.onLine)
      reader.once('close', options.onEnd)
      return
    }
    remark(this.#context, `chat with ${showPeer(peer)}; /help shows the commands, /quit ends`)
    this.#editor = new Editor(options)
  }

  /** Shows lines that are new. */
  showNew(lines: readonly ChatLine[], { chat, name }: Peer): void {
    for (const line of lines) {
      if (this.#context.json) printText(this.#context, { chat, name, ...line }, '')
      // A script knows what it has written.
      else if (this.#editor !== null || !line.mine) this.#format(line, name, line.state !== 'kept')
    }
  }

  /** Shows lines of the history, with their marks. */
  showAgain(lines: readonly ChatLine[], { name }: Peer): void {
    for (const line of lines) this.#format(line, name, true)
  }

  /** Says something about the chat. A script reads lines alone. @param texts escaped */
  say(texts: readonly string[]): void {
    if (this.#editor === null) process.stderr.write(texts.map((text) => `${text}\n`).join(''))
    else this.#editor.print(texts)
  }

  /** Shows whom the typed line goes to. @param mark how far the last own line has come, or null */
  ask({ name }: Peer, mark: string | null): void {
    this.#editor?.ask(`${escapeText(name)}${mark === null ? '' : ` [${mark}]`}> `)
  }

  close(): void {
    this.#editor?.close()
  }

  #format(line: ChatLine, name: string, withMark: boolean): void {
    const columns = this.#editor === null ? null : (process.stdout.columns ?? null)
    const nowSec = Math.floor(Date.now() / 1000)
    const rows = formatLine(line, { who: escapeText(name), nowSec, withMark, columns })
    if (this.#editor === null) process.stdout.write(rows.map((row) => `${row}\n`).join(''))
    else this.#editor.print(rows)
  }
}
