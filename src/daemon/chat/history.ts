/** The lines of chats on disk: in the order in which they were kept, each id once. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { ChatContent } from '../../core/encoding/chat-content.ts'
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'
import {
  LINE_STATES,
  type ChatLine,
  type KeepParams,
  type LineState,
  type LineWay,
  type MarkParams,
} from '../../ipc/methods/chat.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { hashed } from '../sealed/hashed.ts'
import { numbered } from '../sealed/numbered.ts'
import type { SealedInChange, SealedRecords } from '../sealed/records.ts'
import { ChatError } from './errors.ts'
import { CHATS, LINE_ID, LINES, type StoredChat, type StoredLine } from './kinds.ts'

const DEFAULT_LIMIT = 100
const SLICE = 200 // sanity: records in one change, while others wait
/** Lines of one chat that nobody has read, beyond which no more are taken. */
export const MAX_TAKEN = 256 // sanity: 3 MB of a peer whose lines nobody reads here; further ones wait in their channel, which has a bound
const SCOPE = 'chat'

export interface LinesWishes {
  readonly chat: string
  readonly after?: number
  readonly before?: number
  readonly limit?: number
}

export class ChatHistory {
  readonly #keeper: Keeper
  readonly #sealed: SealedRecords

  constructor(keeper: Keeper, sealed: SealedRecords) {
    this.#keeper = keeper
    this.#sealed = sealed
  }

  /** Keeps a line. One whose id is known changes nothing. */
  async keep({ chat, ...line }: KeepParams): Promise<{ number: number; isNew: boolean }> {
    return await this.#keeper.change(() => this.#keepNow(chat, line))
  }

  /** Inside of a change. */
  #keepNow(chat: string, line: Omit<KeepParams, 'chat'>): { number: number; isNew: boolean } {
    const key = this.#keyOf(chat)
    const ids = this.#sealed.inChange(LINE_ID)
    const known = ids.get(this.#idOf(key, line.id))
    if (known !== undefined) return { number: known, isNew: false }
    const keptSec = this.#keeper.nowSec
    const before = this.#sealed.inChange(CHATS).get(key) ?? { chat, lines: 0, unread: 0, unsent: 0, lastSec: 0 }
    const number = before.lines + 1
    const stored: StoredLine = { ...line, keptSec, ways: [] }
    ids.put(this.#idOf(key, line.id), number)
    this.#sealed.inChange(LINES).put(numbered(key, number), stored)
    this.#sealed.inChange(CHATS).put(key, counted({ ...before, lines: number, lastSec: keptSec }, null, stored))
    return { number, isNew: true }
  }

  /**
   * Takes a line or a mark of the peer that came by a channel.
   * @returns what writes it, inside of a change; null to leave it to a client
   */
  taking(chat: string, { line, read }: ChatContent): (() => void) | null {
    const key = this.#keyOf(chat)
    if ((this.#sealed.onDisk(CHATS).get(key)?.unread ?? 0) >= MAX_TAKEN) return null
    const upTo = read === null ? undefined : this.#sealed.onDisk(LINE_ID).get(this.#idOf(key, read))
    const seen = upTo === undefined ? [] : this.#unseenUpTo(key, upTo)
    if (seen.length > SLICE) return null
    return () => {
      if (line !== null) this.#keepNow(chat, { ...line, mine: false, state: 'there' })
      for (const number of seen) this.#raise(key, number, 'read', [])
    }
  }

  /** Own lines up to a number that nobody has read for all we know, and at most one more than a change takes. */
  #unseenUpTo(key: string, upTo: number): number[] {
    const numbers: number[] = []
    const lineAt = (number: number): StoredLine | undefined => this.#sealed.onDisk(LINES).get(numbered(key, number))
    // A peer tells of their own lines nothing.
    if (lineAt(upTo)?.mine !== true) return numbers
    for (let number = upTo; number > 0 && numbers.length <= SLICE; number--) {
      const line = lineAt(number)
      if (line?.mine !== true) continue
      // All before it were marked with it.
      if (line.state === 'read') break
      numbers.push(number)
    }
    return numbers
  }

  /** @returns lines in their order; `next` is the number to go on with, as `after` or as `before`, or null */
  lines({ chat, after, before, limit = DEFAULT_LIMIT }: LinesWishes): { lines: ChatLine[]; next: number | null } {
    const key = this.#keyOf(chat)
    const last = this.#sealed.onDisk(CHATS).get(key)?.lines ?? 0
    const isForward = after !== undefined
    const step = isForward ? 1 : -1
    const lines: ChatLine[] = []
    let room = MAX_PIECE_BYTES
    let number = isForward ? after + 1 : Math.min(before ?? last + 1, last + 1) - 1
    for (; number >= 1 && number <= last && lines.length < limit; number += step) {
      const stored = this.#sealed.onDisk(LINES).get(numbered(key, number))
      // No key here opens it any more.
      if (stored === undefined) continue
      room -= encodeUtf8(stored.text).length
      if (room < 0 && lines.length > 0) break
      lines.push({ number, ...stored })
    }
    const hasMore = number >= 1 && number <= last
    return { lines: isForward ? lines : lines.toReversed(), next: hasMore ? number - step : null }
  }

  /**
   * Notes how far lines have come. No line goes back.
   * @returns how many lines have changed
   * @throws {ChatError} CHAT_LINE_UNKNOWN
   */
  async mark({ chat, ids, state, earlier = false, mine, ways = [] }: MarkParams): Promise<number> {
    const key = this.#keyOf(chat)
    const lines = this.#sealed.onDisk(LINES)
    const isMeant = (number: number): boolean => mine === undefined || lines.get(numbered(key, number))?.mine === mine
    const numbers = ids.map((id) => this.#numberOf(key, id)).filter(isMeant)
    if (numbers.length === 0) return 0
    let marked = await this.#keeper.change(() => {
      const changed = numbers.filter((number) => this.#raise(key, number, state, ways) !== 'same')
      return changed.length
    })
    if (earlier) marked += await this.#markEarlier(key, Math.max(...numbers), state)
    return marked
  }

  async #markEarlier(key: string, number: number, state: LineState): Promise<number> {
    const mine = this.#sealed.onDisk(LINES).get(numbered(key, number))?.mine
    let marked = 0
    for (let next = number - 1; next > 0;)
      next = await this.#keeper.change(() => {
        const end = Math.max(0, next - SLICE)
        for (let at = next; at > end; at--) {
          if (this.#sealed.inChange(LINES).get(numbered(key, at))?.mine !== mine) continue
          // All before it have come as far: they were marked with it.
          if (this.#raise(key, at, state, []) === 'same') return 0
          marked++
        }
        return end
      })
    return marked
  }

  /** Inside of a change. */
  #raise(key: string, number: number, state: LineState, ways: readonly LineWay[]): 'raised' | 'same' {
    const lines = this.#sealed.inChange(LINES)
    const before = lines.get(numbered(key, number))
    if (before === undefined) return 'same'
    const raised = rank(state) > rank(before.state) ? state : before.state
    const added = ways.filter(({ by }) => !before.ways.some((way) => way.by === by))
    if (raised === before.state && added.length === 0) return 'same'
    const after = { ...before, state: raised, ways: [...before.ways, ...added] }
    lines.put(numbered(key, number), after)
    const chats: SealedInChange<StoredChat> = this.#sealed.inChange(CHATS)
    chats.put(key, counted(chats.get(key)!, before, after))
    return 'raised'
  }

  /** Own lines that no way has taken, in their order. Each is read when its turn comes. */
  *waiting(chat: string): Generator<ChatLine, void, undefined> {
    const key = this.#keyOf(chat)
    const [lines, known] = [this.#sealed.onDisk(LINES), this.#sealed.onDisk(CHATS).get(key)]
    const isWaiting = (line: StoredLine | undefined): line is StoredLine => line?.mine === true && line.state === 'kept'
    const numbers: number[] = []
    for (let number = known?.lines ?? 0; number > 0 && numbers.length < known!.unsent; number--)
      if (isWaiting(lines.get(numbered(key, number)))) numbers.push(number)
    for (const number of numbers.toReversed()) {
      const line = lines.get(numbered(key, number))
      if (isWaiting(line)) yield { number, ...line }
    }
  }

  /** Ways have taken an own line. One that was forgotten meanwhile stays so. */
  async sent(chat: string, number: number, ways: readonly LineWay[]): Promise<void> {
    const key = this.#keyOf(chat)
    await this.#keeper.change(() => this.#raise(key, number, 'sent', ways))
  }

  /** Tells that lines which waited have left. */
  async tellSent(chat: string, lines: number): Promise<void> {
    await this.#keeper.change(() => this.#keeper.state.emit({ event: 'chat.sent', data: { chat, lines } }))
  }

  async list(): Promise<StoredChat[]> {
    const chats = await Array.fromAsync(this.#sealed.onDisk(CHATS).iterate())
    return chats.map(([, chat]) => chat).toSorted((a, b) => b.lastSec - a.lastSec)
  }

  /** Deletes the lines of a chat, the last ones first. Crash in the middle: the next call goes on. @returns how many there were */
  async forget(chat: string): Promise<number> {
    const key = this.#keyOf(chat)
    const lines = this.#sealed.onDisk(CHATS).get(key)?.lines ?? 0
    for (const kind of [LINES, LINE_ID]) {
      const ids = await Array.fromAsync(this.#sealed.onDisk<unknown>(kind).ids(`${key}/`))
      for (let at = 0; at < ids.length; at += SLICE)
        await this.#keeper.change(() => {
          for (const id of ids.slice(at, at + SLICE)) this.#sealed.inChange<unknown>(kind).delete(id)
        })
    }
    await this.#keeper.change(() => this.#sealed.inChange(CHATS).delete(key))
    return lines
  }

  #numberOf(key: string, id: string): number {
    const number = this.#sealed.onDisk(LINE_ID).get(this.#idOf(key, id))
    if (number !== undefined) return number
    throw new ChatError('CHAT_LINE_UNKNOWN', `no line of the chat has the id ${id}`, 'keep the line first')
  }

  #keyOf(chat: string): string {
    return hashed(SCOPE, chat, this.#keeper.engine)
  }

  #idOf(key: string, id: string): string {
    return hashed(key, id, this.#keeper.engine)
  }
}

function rank(state: LineState): number {
  return LINE_STATES.indexOf(state)
}

/** The figures of a chat after a line was kept or has come further. */
function counted(chat: StoredChat, before: StoredLine | null, after: StoredLine): StoredChat {
  const change = (counts: (line: StoredLine) => boolean): number =>
    Number(counts(after)) - Number(before !== null && counts(before))
  return {
    ...chat,
    unread: chat.unread + change(({ mine, state }) => !mine && state !== 'read'),
    unsent: chat.unsent + change(({ mine, state }) => mine && state === 'kept'),
  }
}
