/** Reads one inbox of an app: what lies there, then each entry that comes, and acknowledges what this device has done with. */
import { PersonadError } from '../../../errors/personad-error.ts'
import { acknowledge, followInbox, listEntries, setSenders } from '../../../relay/inboxes.ts'
import { RelayError } from '../../../relay/errors.ts'
import { pause } from '../../../relay/means.ts'
import type { InboxEntry } from '../../../relay/wire.ts'
import { Serial } from '../../../process/serial.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { MessagesError } from '../records/errors.ts'
import { inboxUrls } from '../records/known-inboxes.ts'
import { noteFailure, type MessagesMeans } from '../records/means.ts'
import { inboxAt, withCard } from '../tasks/relays-at.ts'
import type { Queue } from '../tasks/queue.ts'
import { SenderWords } from './sender-words.ts'
import { MAX_FETCHES_OF_SENDER, takeEntry, type FoundEntry } from './take-entry.ts'

export const MAX_ACKED_AT_ONCE = 100 // format: docs/inbox.md, section 3
const FIRST_PAUSE_MS = 1000 // sanity: a relay that starts anew is back
const LONG_STREAM_MS = 60_000 // sanity: a relay that ends streams sooner is not called at once again
const MAX_PAUSE_MS = 300_000 // sanity: a message comes within five minutes after its relay is back

const ROOM_AGAIN: number = MAX_FETCHES_OF_SENDER / 2 // sanity: an inbox is listed anew once for many entries that were left there
const MAX_DONE = 10_000 // sanity: a relay that takes no acknowledgement is read no further; each is a number
const MAX_PAGES = 2000 // sanity: 200 000 entries, of a month in which another device was away; a relay that goes on makes them up
const MAX_LOOKING = 16 // sanity: a person restores few devices; whoever makes receipts up waits in memory
const MAX_REPEATS = 16 // sanity: a sender repeats an entry once a day at most; a relay that gives one more often does so for itself

export class InboxReader {
  readonly url: string
  readonly #persona: string
  readonly #app: string
  readonly #means: MessagesMeans
  readonly #queue: Queue
  readonly #stop = new AbortController()
  readonly #acks = new Serial()
  readonly #running: Promise<void>
  /** Numbers of entries whose object is on its way, by its name. */
  readonly #waiting = new Map<string, Set<number>>()
  /** Numbers to acknowledge. */
  readonly #done = new Set<number>()
  /** Senders of entries that were left at the relay, because too much of theirs is on its way. */
  readonly #left = new Set<string>()
  /** Entries of a sender that wait for a card. */
  readonly #looking = new Map<string, number>()
  /** Ends a stream. */
  #round = new AbortController()
  /** Ends a pause. */
  #rest = new AbortController()
  readonly #words: SenderWords
  #after = 0
  #isCardShown = false
  #ackFailures = 0
  #cancelAck: () => void = () => {}
  #problem: string | null = null

  /** @param persona whose inbox it is: the own one, or one before it */
  constructor(url: string, persona: string, app: string, queue: Queue, means: MessagesMeans) {
    this.url = url
    this.#persona = persona
    this.#app = app
    this.#queue = queue
    this.#means = means
    this.#words = new SenderWords(url, persona, app, means)
    this.#running = this.#run()
  }

  /** The code of the last failure; null while the inbox is read. */
  get problem(): string | null {
    return this.#problem
  }

  /** The relay may answer otherwise now: it is asked at once, if the last call failed. */
  again(): void {
    this.#rest.abort()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#cancelAck()
    await this.#running
    await this.#acks.idle()
  }

  /** The object of an entry was read, or has failed for good. */
  over(name: string): void {
    for (const from of this.#left)
      if (this.#queue.fetchesOf(this.#app, this.url, from) <= ROOM_AGAIN) this.#round.abort()
    const numbers = this.#waiting.get(name)
    if (numbers === undefined) return
    this.#waiting.delete(name)
    for (const n of numbers) this.#done.add(n)
    this.#acknowledge()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      const beganMs = this.#means.clock.nowMs()
      this.#rest = new AbortController()
      try {
        await this.#showCard()
        await this.#words.open()
        await this.#read()
        await this.#follow()
      } catch (error) {
        if (signal.aborted) return
        if (this.#round.signal.aborted) continue
        noteFailure('message.inbox', error, this.#means)
        this.#problem = error instanceof PersonadError ? String(error.code) : 'FAILED'
      }
      if (this.#means.clock.nowMs() - beganMs >= LONG_STREAM_MS) failures = 0
      await this.#pause(FIRST_PAUSE_MS * 2 ** Math.min(failures++, 16))
    }
  }

  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#stop.signal, this.#rest.signal])
    await pause(this.#means.clock, Math.min(MAX_PAUSE_MS, ms), signal).catch(() => {})
  }

  /** @throws {MessagesError} MESSAGE_NO_PERSONA for a moment after the apps key has closed, or the persona was left */
  get #device(): AppDevice {
    const device = this.#means.cards.deviceAs(this.#app, this.#persona)
    if (device !== null) return device
    throw new MessagesError('MESSAGE_NO_PERSONA', `this device has no keys for ${this.#app} now`, 'unlock the persona')
  }

  /**
   * With the first card of an epoch the relay forgets all that it was told about senders. So it has that card before it is told again. One that refuses the card
   * may still give what it has.
   */
  async #showCard(): Promise<void> {
    const { card, personaId } = this.#device
    if (this.#isCardShown || card.chain.epoch === 0) return
    try {
      await this.#means.cards.putTo(this.url, this.#app, personaId)
      this.#isCardShown = true
    } catch (error) {
      noteFailure('message.card', error, this.#means)
    }
  }

  /** Takes all that lies there, also what was left before. A relay that once made a number up hides nothing by it. */
  async #read(): Promise<void> {
    this.#round = new AbortController()
    this.#left.clear()
    this.#after = 0
    const device = this.#device
    const { client, inbox } = await inboxAt(this.url, device.personaId, this.#app, device, this.#means)
    for (let [next, pages]: [number | null, number] = [0, 0]; next !== null; pages++) {
      if (pages === MAX_PAGES) throw endless(this.url)
      const after: number = next
      const list = async (): ReturnType<typeof listEntries> =>
        await listEntries(client, inbox, after, { signal: this.#stop.signal })
      const page = await withCard(this.url, device, list, this.#means)
      for (const entry of page.entries) await this.#take(entry)
      next = page.next
      this.#after = Math.max(this.#after, next ?? 0)
    }
    // Jobs that wait for this relay can go now.
    if (this.#problem !== null) this.#queue.wake()
    this.#problem = null
    this.#acknowledge()
  }

  /** Takes each entry that comes, until the relay ends the stream. */
  async #follow(): Promise<void> {
    const device = this.#device
    const { client, inbox } = await inboxAt(this.url, device.personaId, this.#app, device, this.#means)
    const signal = AbortSignal.any([this.#stop.signal, this.#round.signal])
    for await (const entry of followInbox(client, inbox, this.#after, { signal })) {
      await this.#take(entry)
      this.#acknowledge()
    }
  }

  async #take({ n, from, at, encId }: InboxEntry): Promise<void> {
    this.#stop.signal.throwIfAborted()
    if (this.#done.size >= MAX_DONE) {
      this.#acknowledge()
      throw notAcknowledged(this.url)
    }
    const found = { from, encId, card: { url: this.url, at }, isAtInbox: true }
    // The keys change each week, also while a stream stands. An entry that no key opens is acknowledged, and lost.
    const taken = await takeEntry(this.#app, found, this.#device, this.#queue, this.#means)
    this.#after = Math.max(this.#after, n)
    if (taken === 'done') this.#done.add(n)
    else if (taken === 'later') this.#left.add(from)
    else if ('waitsFor' in taken) this.#wait(taken.waitsFor, n)
    else this.#look(taken.needsCardOf, found, n)
    this.#words.see(from)
  }

  /** Reads a card for an entry while others are taken: the relays of that card are those of whoever left the entry, and may never answer. */
  #look(persona: string, found: FoundEntry, n: number): void {
    const count = this.#looking.get(found.from) ?? 0
    if (count >= MAX_LOOKING) return void this.#done.add(n)
    this.#looking.set(found.from, count + 1)
    const look = async (): Promise<void> => {
      await this.#means.cards.find(persona, this.#app, { anew: true, alsoAt: inboxUrls(this.#app, this.#means) })
      if (this.#stop.signal.aborted) return
      await takeEntry(this.#app, found, this.#device, this.#queue, this.#means)
      this.#done.add(n)
      this.#acknowledge()
    }
    void look()
      .catch((error: unknown) => noteFailure('message.receipt', error, this.#means))
      .finally(() => {
        const left = this.#looking.get(found.from)! - 1
        if (left === 0) this.#looking.delete(found.from)
        else this.#looking.set(found.from, left)
      })
  }

  #wait(name: string, n: number): void {
    const numbers = this.#waiting.get(name) ?? new Set()
    if (numbers.size < MAX_REPEATS) this.#waiting.set(name, numbers.add(n))
    // It may have been read while this was noted.
    if (!this.#queue.fetches(this.#app, name)) this.over(name)
  }

  /** The owner thinks otherwise of somebody. The relay drops what comes of those who are blocked, so it has to hear of the end of that. */
  rule(persona: string): void {
    this.#words.say(persona)
    this.#acknowledge()
  }

  /** Somebody has become a contact, or is none any more. No relay hears of a contact who has sent nothing there. */
  ruleKnown(persona: string): void {
    if (this.#words.knows(persona)) this.rule(persona)
  }

  #acknowledge(): void {
    this.#cancelAck()
    void this.#acks.run(async () => {
      try {
        await this.#sendAll()
        this.#ackFailures = 0
      } catch (error) {
        noteFailure('message.ack', error, this.#means)
        this.#acknowledgeLater()
      }
    })
  }

  /** Until then the entries take room at the inbox, and contacts count as strangers there. */
  #acknowledgeLater(): void {
    if (this.#stop.signal.aborted) return
    const ms = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#ackFailures++, 16))
    this.#cancelAck()
    this.#cancelAck = this.#means.clock.after(ms, () => this.#acknowledge())
  }

  async #sendAll(): Promise<void> {
    const device = this.#means.cards.deviceAs(this.#app, this.#persona)
    if (device === null) return
    const { client, inbox } = await inboxAt(this.url, device.personaId, this.#app, device, this.#means)
    const options = { signal: this.#stop.signal }
    while (this.#done.size > 0) {
      const some = [...this.#done].slice(0, MAX_ACKED_AT_ONCE)
      await acknowledge(client, inbox, some, options)
      for (const n of some) this.#done.delete(n)
    }
    await this.#words.tell(async (change) => await setSenders(client, inbox, change, options))
  }
}

function endless(url: string): RelayError {
  return new RelayError('RELAY_STRANGE', `the list of ${url} does not end`, { hint: 'name another relay as the inbox' })
}

/** The entries stay at the relay until it takes acknowledgements. */
function notAcknowledged(url: string): MessagesError {
  return new MessagesError('MESSAGES_FULL', `${url} takes no acknowledgement of ${MAX_DONE} entries`, 'wait')
}
