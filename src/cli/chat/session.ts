/** `persona chat NAME`: an open chat. Lines come and go while a person types, or while a script writes to stdin. */
import { MAX_LINE_CHARS } from '../../core/encoding/chat-content.ts'
import type { Client } from '../../ipc/client.ts'
import type { ChannelView } from '../../ipc/methods/channel-values.ts'
import { RpcError } from '../../ipc/wire/rpc.ts'
import { systemClock } from '../../process/pulse.ts'
import { Serial } from '../../process/serial.ts'
import { withDaemon } from '../io/connect.ts'
import type { Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { lookAgain } from '../io/look-again.ts'
import { eachPageAfter, figuresOf, isUnread, lastLines, unsentIn } from './kept-lines.ts'
import { takeIncoming } from './incoming.ts'
import { News, NEWS_EVENTS, type Told } from './news.ts'
import { ownPersona } from './own-persona.ts'
import { findPeer, peerOf, showPeer, type Peer } from './peers.ts'
import { ReadMarks } from './read-marks.ts'
import { Screen } from './screen.ts'
import { formatTooLong, formatUnsent, MARKS } from './show.ts'
import { readScripted, readTyped, type Typed } from './typed.ts'
import { Underway } from './underway.ts'
import { escapeText } from '../io/escape.ts'

const SHOWN_LINES = 20 // sanity: fits a screen of 25 rows

export interface ChatOptions {
  /** Lines of the history that are shown first. */
  readonly lines?: number
  /** false: the other side does not hear what was read here. */
  readonly marks?: boolean
}

export async function chat(context: Context, name: string, options: ChatOptions): Promise<number> {
  return await withDaemon(context, async (client) => {
    await openChat(context, client, await findPeer(client, name), options)
    return EXIT_DONE
  })
}

/** Resolves when the person, or the script, ends the chat. */
export async function openChat(
  context: Context,
  client: Client,
  peer: Peer,
  { lines = SHOWN_LINES, marks = true }: ChatOptions = {},
): Promise<void> {
  await new Session(context, client, peer, await ownPersona(client), marks).run(lines)
}

class Session {
  readonly #screen: Screen
  readonly #client: Client
  readonly #ownId: string | null
  readonly #tellsRead: boolean
  #underway: Underway
  readonly #news = new News()
  readonly #marks = new ReadMarks(systemClock, () => this.#soon(async () => await this.#sendMark()))
  /** Lines that are typed or read go out one after another, in between of what comes. */
  readonly #serial = new Serial()
  #peer: Peer
  /** The number of the last line that was shown. */
  #shown = 0
  /** The last line of the peer that was shown, until it counts as read. */
  #shownUnread: string | null = null
  /** The number of the last line that was typed here. */
  #lastSent: number | null = null
  #end = (): void => {}
  #failure: unknown = null
  /** Whatever was typed after /quit stays unsent. */
  #isOver = false

  constructor(context: Context, client: Client, peer: Peer, ownId: string | null, tellsRead: boolean) {
    this.#screen = new Screen(context)
    this.#client = client
    this.#peer = peer
    this.#ownId = ownId
    this.#tellsRead = tellsRead
    this.#underway = new Underway(client, peer.chat)
  }

  /** Resolves at /quit, Ctrl-D, or the end of stdin. */
  async run(shownLines: number): Promise<void> {
    const ended = new Promise<null>((resolve) => (this.#end = () => resolve(null)))
    await this.#begin(shownLines)
    this.#screen.listen(this.#peer, { onLine: (line) => this.#type(line), onEnd: () => this.#end() })
    try {
      await lookAgain<null>(this.#client, {
        events: [...NEWS_EVENTS],
        see: (event) => this.#news.see(event, this.#peer.chat),
        look: async () => {
          await this.#serial.run(() => this.#look())
          return null
        },
        ended,
      })
      await this.#serial.idle()
      await this.#leaveMark()
      if (this.#failure === null) this.#screen.say(formatUnsent(await unsentIn(this.#client, this.#peer.chat)))
    } finally {
      this.#screen.close()
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** Begins with the last lines, and with all that nobody has read yet. */
  async #begin(shownLines: number): Promise<void> {
    await takeIncoming(this.#client, this.#ownId)
    const { chat, channels } = this.#peer
    this.#underway = new Underway(this.#client, chat)
    await this.#underway.resume(channels)
    const { lines: last = 0, unread = 0 } = (await figuresOf(this.#client, chat)) ?? {}
    const [firstUnread] = await lastLines(this.#client, chat, unread, isUnread)
    this.#shown = Math.min(last - shownLines, (firstUnread?.number ?? last + 1) - 1)
  }

  /** Takes what has come, and shows it and how far the own lines are. */
  async #look(): Promise<void> {
    const onKept = async (chat: string): Promise<void> => {
      if (chat === this.#peer.chat) await this.#print()
    }
    const told = this.#news.take()
    // The daemon has kept a line that an event tells of. It is shown before anything else is asked.
    if (this.#peer.channels.some(({ id }) => told.channels.has(id))) await this.#print()
    this.#refreshPeer(await takeIncoming(this.#client, this.#ownId, onKept))
    await this.#noteArrivals(told)
    await this.#showNew()
    await this.#showPrompt()
  }

  #refreshPeer(channels: readonly ChannelView[]): void {
    const { chat } = this.#peer
    const channel = channels.find((each) => peerOf(each, channels).chat === chat)
    if (channel !== undefined) this.#peer = { ...peerOf(channel, channels), name: this.#peer.name }
  }

  /** Follows lines that waited and have left, and notes those that have come to the peer. */
  async #noteArrivals({ left, delivered, received }: Told): Promise<void> {
    const { chat, channels } = this.#peer
    if (left > 0) {
      this.#underway.follow(await lastLines(this.#client, chat, left, ({ mine }) => mine))
      await this.#underway.ask(channels)
    }
    for (const [id, upTo] of delivered) await this.#underway.delivered(id, upTo)
    for (const number of received) await this.#underway.received(number)
  }

  /** Sends the mark that is due alone. */
  async #sendMark(): Promise<void> {
    const { due } = this.#marks
    if (due !== null && (await this.#tell(due))) this.#marks.sent(due, true)
  }

  /** Sends the mark that waits: nobody is here to send it later. */
  async #leaveMark(): Promise<void> {
    const { waiting } = this.#marks
    if (waiting !== null) await this.#tell(waiting)
    this.#marks.forget()
  }

  async #tell(read: string): Promise<boolean> {
    return (await this.#client.call('chat.tell', { chat: this.#peer.chat, read })).told
  }

  /** Shows lines that are new, and marks the last one of the peer as read. */
  async #showNew(): Promise<void> {
    await this.#print()
    const [chat, id] = [this.#peer.chat, this.#shownUnread]
    if (id === null) return
    this.#shownUnread = null
    await this.#client.call('chat.mark', { chat, ids: [id], state: 'read', earlier: true })
    if (!this.#tellsRead) return
    this.#marks.note(id)
    await this.#sendMark()
  }

  async #print(): Promise<void> {
    await eachPageAfter(this.#client, this.#peer.chat, Math.max(0, this.#shown), (lines) => {
      this.#screen.showNew(lines, this.#peer)
      this.#shown = lines.at(-1)?.number ?? this.#shown
      this.#shownUnread = lines.findLast(isUnread)?.id ?? this.#shownUnread
    })
  }

  async #showPrompt(): Promise<void> {
    if (this.#screen.isTerminal) this.#screen.ask(this.#peer, await this.#lastState())
  }

  async #lastState(): Promise<string | null> {
    if (this.#lastSent === null) return null
    const wishes = { chat: this.#peer.chat, before: this.#lastSent + 1, limit: 1 }
    const [last] = (await this.#client.call('chat.lines', wishes)).lines
    return last === undefined ? null : MARKS[last.state]
  }

  /** A line that a person has typed, or a script has written. */
  #type(typed: string): void {
    this.#soon(async () => {
      const read = this.#screen.isTerminal ? readTyped(typed) : readScripted(typed)
      if (this.#isOver || read.is === 'nothing') return
      if (read.is === 'quit') return this.#quit()
      await this.#obey(read)
      await this.#showPrompt()
    })
  }

  /** Does something once nothing else is done. */
  #soon(work: () => Promise<void>): void {
    this.#serial.run(work).catch((error: unknown) => this.#fail(error))
  }

  #quit(): void {
    this.#isOver = true
    this.#end()
  }

  #fail(error: unknown): void {
    if (this.#screen.isTerminal && (error instanceof RpcError || error instanceof CliError))
      return this.#screen.say([`${escapeText(error.message)} (${error.code})`])
    this.#failure = error
    this.#quit()
  }

  async #write(text: string): Promise<void> {
    if (text.length > MAX_LINE_CHARS) return this.#screen.say([formatTooLong(text)])
    const id = crypto.randomUUID()
    const read = this.#marks.waiting
    const wishes = { chat: this.#peer.chat, id, text, sentSec: Math.floor(Date.now() / 1000) }
    const { number, ways, waits } = await this.#client.call('chat.send', read === null ? wishes : { ...wishes, read })
    const isFirst = this.#lastSent === null
    this.#lastSent = number
    if (waits === null) this.#underway.follow([{ id, mine: true, state: 'sent', ways }])
    if (waits === null && read !== null) this.#marks.sent(read, false)
    await this.#showNew()
    if (isFirst && waits !== null) this.#screen.say([`(your lines wait here: ${escapeText(waits)})`])
  }

  async #obey(typed: Exclude<Typed, { is: 'nothing' | 'quit' }>): Promise<void> {
    if (typed.is === 'line') await this.#write(typed.text)
    else if (typed.is === 'to') await this.#goTo(typed.name)
    else if (typed.is === 'history') await this.#showHistory(typed.count ?? SHOWN_LINES)
    else this.#screen.say([typed.text])
  }

  async #goTo(name: string): Promise<void> {
    const peer = await findPeer(this.#client, name)
    await this.#leaveMark()
    this.#peer = peer
    this.#lastSent = null
    // The look that begins the other chat asks for everything.
    this.#news.take()
    this.#screen.say([`chat with ${showPeer(peer)}`])
    await this.#begin(SHOWN_LINES)
    await this.#showNew()
  }

  async #showHistory(count: number): Promise<void> {
    const lines = await lastLines(this.#client, this.#peer.chat, count, () => true)
    if (lines.length === 0) this.#screen.say(['no lines yet'])
    this.#screen.showAgain(lines.slice(-count), this.#peer)
  }
}
