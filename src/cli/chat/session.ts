/** `persona chat NAME`: an open chat. Lines come and go while a person types, or while a script writes to stdin. */
import { createInterface } from 'node:readline'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client, DaemonEvent, LaggedEvent } from '../../ipc/client.ts'
import { MAX_LINE_CHARS, type ChatLine } from '../../ipc/methods/chat.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'
import { Serial } from '../../process/serial.ts'
import { withDaemon } from '../io/connect.ts'
import { printText, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { isInteractive } from '../io/prompt.ts'
import { lookAgain } from '../io/look-again.ts'
import { Editor } from './editor.ts'
import { eachPageAfter, figuresOf, lastLines } from './kept-lines.ts'
import { takeIncoming } from './incoming.ts'
import { Outgoing } from './outgoing.ts'
import { chatChannels, findPeer, peerOf, showPeer, type Peer } from './peers.ts'
import { formatLine, MARKS } from './show.ts'
import { escapeText } from '../io/escape.ts'

const SHOWN_LINES = 20 // sanity: fits a screen of 25 rows

export interface ChatOptions {
  /** Lines of the history that are shown first. */
  readonly lines?: number
}

export async function chat(context: Context, name: string, { lines }: ChatOptions): Promise<number> {
  return await withDaemon(context, async (client) => {
    await openChat(context, client, await findPeer(client, name), lines)
    return EXIT_DONE
  })
}

/** Resolves when the person, or the script, ends the chat. @param lines of the history that are shown first */
export async function openChat(
  context: Context,
  client: Client,
  peer: Peer,
  lines: number = SHOWN_LINES,
): Promise<void> {
  await new Session(context, client, peer, await ownPersona(client)).run(lines)
}

async function ownPersona(client: Client): Promise<string | null> {
  const { persona } = await client.call('status')
  if (persona === null) return null
  try {
    await client.call('message.open', { app: CHAT_APP })
  } catch (error) {
    // Without a relay, lines go by channels alone.
    if (!(error instanceof RpcError)) throw error
  }
  return persona.personaId
}

class Session {
  readonly #context: Context
  readonly #client: Client
  readonly #ownId: string | null
  readonly #outgoing: Outgoing
  /** Lines that are typed or read go out one after another, in between of what comes. */
  readonly #serial = new Serial()
  #peer: Peer
  /** The number of the last line that was shown. */
  #shown = 0
  /** The number of the last line that was typed here. */
  #lastSent: number | null = null
  #editor: Editor | null = null
  /** Numbers of contents that were delivered, by channel, and of messages that were received. */
  readonly #delivered = new Map<string, number>()
  readonly #received = new Set<number>()
  #end = (): void => {}
  #failure: unknown = null
  /** Whatever was typed after /quit stays unsent. */
  #isOver = false

  constructor(context: Context, client: Client, peer: Peer, ownId: string | null) {
    this.#context = context
    this.#client = client
    this.#peer = peer
    this.#ownId = ownId
    this.#outgoing = new Outgoing(client, () => this.#peer)
  }

  /** Resolves at /quit, Ctrl-D, or the end of stdin. */
  async run(shownLines: number): Promise<void> {
    const ended = new Promise<null>((resolve) => (this.#end = () => resolve(null)))
    await this.#begin(shownLines)
    this.#listen()
    try {
      await lookAgain<null>(this.#client, {
        events: [
          'channel.content',
          'channel.delivered',
          'channel.changed',
          'message.arrived',
          'message.changed',
          'contact.changed',
        ],
        see: (event) => this.#see(event),
        look: async () => {
          await this.#serial.run(() => this.#look())
          return null
        },
        ended,
      })
      await this.#serial.idle()
    } finally {
      this.#editor?.close()
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** Begins with the last lines, and with all that nobody has read yet. */
  async #begin(shownLines: number): Promise<void> {
    await takeIncoming(this.#client, this.#ownId)
    const { chat } = this.#peer
    const { lines } = await this.#client.call('chat.lines', { chat, limit: MAX_PAGE })
    this.#outgoing.follow(lines)
    await this.#outgoing.askAll()
    const { lines: last = 0, unread = 0 } = (await figuresOf(this.#client, chat)) ?? {}
    const [firstUnread] = await lastLines(this.#client, chat, unread, isUnread)
    this.#shown = Math.min(last - shownLines, (firstUnread?.number ?? last + 1) - 1)
  }

  #listen(): void {
    if (this.#context.json || !isInteractive()) {
      const reader = createInterface({ input: process.stdin, crlfDelay: Infinity })
      reader.on('line', (line) => this.#type(line))
      reader.once('close', () => this.#end())
      return
    }
    remark(this.#context, `chat with ${showPeer(this.#peer)}; /help shows the commands, /quit ends`)
    this.#editor = new Editor({ onLine: (line) => this.#type(line), onEnd: () => this.#end() })
  }

  #see(event: DaemonEvent | LaggedEvent): boolean {
    if (event.event === 'channel.delivered') this.#delivered.set(event.data.id, event.data.upTo)
    else if (event.event === 'message.changed' && event.data.state === 'received') this.#received.add(event.data.number)
    else if (event.event === 'channel.changed' || event.event === 'contact.changed') this.#outgoing.tryAgain()
    return !('app' in event.data) || event.data.app === CHAT_APP
  }

  /** Takes what has come, sends what waits, and shows both. */
  async #look(): Promise<void> {
    await takeIncoming(this.#client, this.#ownId)
    await this.#refreshPeer()
    await this.#noteArrivals()
    await this.#sendKept()
    await this.#showNew()
    await this.#showPrompt()
  }

  async #refreshPeer(): Promise<void> {
    const channels = await chatChannels(this.#client)
    const { chat } = this.#peer
    const channel = channels.find((each) => peerOf(each, channels).chat === chat)
    if (channel !== undefined) this.#peer = { ...peerOf(channel, channels), name: this.#peer.name }
  }

  async #noteArrivals(): Promise<void> {
    for (const [id, upTo] of this.#delivered) await this.#outgoing.delivered(id, upTo)
    for (const number of this.#received) await this.#outgoing.received(number)
    this.#delivered.clear()
    this.#received.clear()
  }

  /** Sends lines that no way has taken before, in their order. */
  async #sendKept(): Promise<void> {
    const { chat } = this.#peer
    const unsent = (await figuresOf(this.#client, chat))?.unsent ?? 0
    const kept = await lastLines(this.#client, chat, unsent, ({ mine, state }) => mine && state === 'kept')
    for (const line of kept) if (!(await this.#outgoing.send(line))) return
  }

  async #showNew(): Promise<void> {
    const { chat } = this.#peer
    let lastTheirs: ChatLine | null = null
    await eachPageAfter(this.#client, chat, Math.max(0, this.#shown), (lines) => {
      this.#print(lines)
      this.#shown = lines.at(-1)?.number ?? this.#shown
      lastTheirs = lines.findLast(isUnread) ?? lastTheirs
    })
    if (lastTheirs === null) return
    const { id } = lastTheirs as ChatLine
    await this.#client.call('chat.mark', { chat, ids: [id], state: 'read', earlier: true })
    await this.#outgoing.post({ kind: 'read', id })
  }

  #print(lines: readonly ChatLine[]): void {
    const nowSec = Math.floor(Date.now() / 1000)
    for (const line of lines) {
      if (this.#context.json) printText(this.#context, { chat: this.#peer.chat, name: this.#peer.name, ...line }, '')
      // A script knows what it has written.
      else if (this.#editor === null && line.mine) continue
      else this.#printText(formatLine(line, escapeText(this.#peer.name), nowSec, line.state !== 'kept'))
    }
  }

  #printText(lines: readonly string[]): void {
    if (this.#editor === null) process.stdout.write(lines.map((line) => `${line}\n`).join(''))
    else this.#editor.print(lines)
  }

  async #showPrompt(): Promise<void> {
    if (this.#editor === null) return
    const mark = await this.#lastState()
    this.#editor.ask(`${escapeText(this.#peer.name)}${mark === null ? '' : ` [${mark}]`}> `)
  }

  async #lastState(): Promise<string | null> {
    if (this.#lastSent === null) return null
    const wishes = { chat: this.#peer.chat, before: this.#lastSent + 1, limit: 1 }
    const [last] = (await this.#client.call('chat.lines', wishes)).lines
    return last === undefined ? null : MARKS[last.state]
  }

  /** A line that a person has typed, or a script has written. */
  #type(typed: string): void {
    const run = async (): Promise<void> => {
      if (this.#isOver || typed.trim() === '') return
      if (typed.trim() === '/quit') return this.#quit()
      // A script may send any text.
      if (this.#editor === null) await this.#write(typed)
      else if (typed.startsWith('/') && !typed.startsWith('//')) await this.#command(typed.trim())
      else await this.#write(typed.replace(/^\/\//, '/'))
      await this.#showPrompt()
    }
    this.#serial.run(run).catch((error: unknown) => this.#fail(error))
  }

  #quit(): void {
    this.#isOver = true
    this.#end()
  }

  #fail(error: unknown): void {
    if (this.#editor !== null && (error instanceof RpcError || error instanceof CliError))
      return this.#editor.print([`${escapeText(error.message)} (${error.code})`])
    this.#failure = error
    this.#quit()
  }

  async #write(text: string): Promise<void> {
    if (text.length > MAX_LINE_CHARS)
      return this.#printText([
        `this line has ${text.length} characters, and may have ${MAX_LINE_CHARS}; it was not sent`,
      ])
    const line = { id: crypto.randomUUID(), text, sentSec: Math.floor(Date.now() / 1000) }
    // It is on disk before anything is sent: after a crash it leaves at the next start.
    const wishes = { chat: this.#peer.chat, mine: true, state: 'kept', ...line } as const
    const { number } = await this.#client.call('chat.keep', wishes)
    const isFirst = this.#lastSent === null
    this.#lastSent = number
    await this.#sendKept()
    await this.#showNew()
    if (isFirst && this.#outgoing.obstacle !== null)
      this.#printText([`(your lines wait here: ${escapeText(this.#outgoing.obstacle)})`])
  }

  async #command(typed: string): Promise<void> {
    const [command, ...words] = typed.split(/\s+/)
    if (command === '/to' && words.length > 0) await this.#goTo(words.join(' '))
    else if (command === '/history') await this.#showHistory(Number(words[0] ?? SHOWN_LINES))
    else
      this.#printText([
        '/history [NUMBER] shows the last lines; /to NAME goes to another chat; /quit ends; // begins a line with /',
      ])
  }

  async #goTo(name: string): Promise<void> {
    this.#peer = await findPeer(this.#client, name)
    this.#lastSent = null
    this.#outgoing.tryAgain()
    await this.#begin(SHOWN_LINES)
    await this.#showNew()
  }

  async #showHistory(count: number): Promise<void> {
    const limit = Number.isInteger(count) && count > 0 && count <= MAX_PAGE ? count : SHOWN_LINES
    const { lines } = await this.#client.call('chat.lines', { chat: this.#peer.chat, limit })
    const nowSec = Math.floor(Date.now() / 1000)
    for (const line of lines) this.#printText(formatLine(line, escapeText(this.#peer.name), nowSec, true))
  }
}

function isUnread({ mine, state }: ChatLine): boolean {
  return !mine && state !== 'read'
}
