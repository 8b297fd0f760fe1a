/** The streams of `POST /wait`: each tells its reader what `check` would answer, as soon as a message comes (docs/relay.md, "Waiting"). */
import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import type { BoxAnswer, GivenEvent, WaitEvent } from '../../relay/wire.ts'
import type { Awaited, BoxCaller, BoxService, ComingMessage } from '../boxes/box-service.ts'
import { EventLine, type EventLineOptions } from './event-line.ts'
import { TOO_MANY_SEC, type OpenStream, type OpenStreams } from './open-streams.ts'

const NAME_BYTES = 16 // sanity: nobody guesses it within the hour of a stream
const GIVEN_AT_ONCE = 16 // sanity: some events beyond what the reader takes; the others follow when it has

export interface StreamsOptions extends EventLineOptions {
  readonly boxes: BoxService
  readonly open: OpenStreams
  /** Gets an error of the boxes that is not an answer. */
  readonly onError: (error: unknown) => void
}

type Refused = Extract<BoxAnswer, { ok: false }>

/** The streams of boxes of one server. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #byName = new Map<string, Stream>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#byName.size
  }

  /**
   * Checks each box, and begins a stream unless a box refuses.
   * @param begin writes the header of the stream
   * @returns the refusal, for an answer of the common form; null if the stream began, or the reader is gone
   */
  async open(
    response: ServerResponse,
    boxes: readonly Awaited[],
    caller: BoxCaller,
    begin: () => void,
  ): Promise<Refused | null> {
    const { open, boxes: service } = this.#options
    if (!open.hasRoomFor(caller.address)) return { ok: false, error: 'Too often', retryAfter: TOO_MANY_SEC }
    const stream = new Stream(response, boxes, caller, this.#options)
    // It counts before its first checks, so that nobody opens more while they run.
    this.#byName.set(stream.name, stream)
    open.add(stream, response, caller.address, () => this.#forget(stream))
    // It watches before it checks, so that no message falls between.
    stream.watch()
    const answers = await Promise.all(boxes.map((box) => service.check(box, caller)))
    const refused = answers.find((answer): answer is Refused => !answer.ok)
    if (refused !== undefined) {
      this.#forget(stream)
      return refused
    }
    if (response.destroyed) return null
    begin()
    stream.begin(answers)
    return null
  }

  /**
   * Gives the messages of a box themselves on a stream: its owner has proven the key, and named the stream. A name that nobody has changes nothing.
   * @param at everything up to it has been given
   */
  give(name: string, { pub, at }: Awaited): void {
    this.#byName.get(name)?.give(pub, at)
  }

  #forget(stream: Stream): void {
    stream.stopWatching()
    this.#byName.delete(stream.name)
    this.#options.open.remove(stream)
  }
}

class Stream implements OpenStream {
  /** Only the reader of the stream gets it. */
  readonly name: string = formatBase64url(randomBytes(NAME_BYTES))
  readonly #line: EventLine
  readonly #caller: BoxCaller
  readonly #options: StreamsOptions
  readonly #boxes: readonly Awaited[]
  /** Boxes with news that the reader has not heard; null for none. At most as many as the stream has boxes, however many messages come. */
  #news: Set<string> | null = null
  /** Boxes whose check was refused for now; null for none. The next comment tries again: a full disk or a busy relay passes. */
  #again: Set<string> | null = null
  /** Boxes whose messages are given themselves, each with the moment of the last one; null for none. */
  #given: Map<string, number> | null = null
  #state: 'checking' | 'idle' | 'telling' | 'ended' = 'checking'
  #unwatch: (() => void) | null = null

  constructor(response: ServerResponse, boxes: readonly Awaited[], caller: BoxCaller, options: StreamsOptions) {
    this.#line = new EventLine(response, options)
    this.#caller = caller
    this.#options = options
    this.#boxes = boxes
  }

  watch(): void {
    const pubs = this.#boxes.map(({ pub }) => pub)
    this.#unwatch = this.#options.boxes.watch(pubs, (pub, coming) => {
      if (coming === null) this.#note(pub)
      else this.#giveComing(pub, coming)
    })
  }

  stopWatching(): void {
    this.#unwatch?.()
    this.#unwatch = null
    this.#state = 'ended'
  }

  /** Tells what the first checks found, then what came since. */
  begin(answers: readonly BoxAnswer[]): void {
    if (this.#state !== 'checking') return
    this.#state = 'idle'
    this.#line.begin(`id: ${this.name}\n\n`)
    answers.forEach((answer, i) => this.#write(this.#boxes[i]!.pub, answer))
    this.#tell()
  }

  give(pub: string, at: number): void {
    if (!this.#boxes.some((box) => box.pub === pub)) return
    this.#given ??= new Map()
    this.#given.set(pub, Math.max(at, this.#given.get(pub) ?? 0))
    this.#note(pub)
  }

  /** There are news of a box. */
  #note(pub: string): void {
    this.#news = (this.#news ?? new Set()).add(pub)
    this.#tell()
  }

  tick(): void {
    if (this.#state === 'checking') return
    if (!this.#line.tick()) return this.end()
    const again = this.#again ?? []
    this.#again = null
    for (const pub of again) this.#note(pub)
  }

  end(): void {
    this.stopWatching()
    this.#line.end()
  }

  #tell(): void {
    if (this.#state !== 'idle' || this.#news === null) return
    // News wait until the reader has taken what was told before. Then one event covers all of a box.
    if (this.#line.isFull) return this.#line.afterDrain(() => this.#tell())
    this.#state = 'telling'
    const news = this.#news
    this.#news = null
    this.#tellAll(this.#boxes.filter(({ pub }) => news.has(pub))).catch((error: unknown) => {
      this.#options.onError(error)
      this.end()
    })
  }

  async #tellAll(boxes: readonly Awaited[]): Promise<void> {
    for (const box of boxes) {
      const givenAt = this.#given?.get(box.pub)
      if (givenAt !== undefined) {
        await this.#giveNext(box.pub, givenAt)
        if (this.#state !== 'telling') return
        continue
      }
      const answer = await this.#options.boxes.check(box, this.#caller)
      if (this.#state !== 'telling') return
      if (answer.ok) this.#write(box.pub, answer)
      else if (answer.error === 'Too often') this.#again = (this.#again ?? new Set()).add(box.pub)
      else return this.end()
    }
    this.#state = 'idle'
    this.#tell()
  }

  async #giveNext(pub: string, givenAt: number): Promise<void> {
    const messages = await this.#options.boxes.read({ pub, at: givenAt }, GIVEN_AT_ONCE)
    let after = givenAt
    for (const { at, data } of messages) {
      if (this.#state !== 'telling' || this.#line.isFull) break
      this.#give(pub, { after, at, data })
      after = at
    }
    const lastAt = messages.at(-1)?.at ?? givenAt
    // The reader takes these first.
    if (after < lastAt || messages.length === GIVEN_AT_ONCE) this.#note(pub)
  }

  /** Gives a message while it goes to the disk (decision 68), where nothing waits before it. Else the note that follows leads to it. */
  #giveComing(pub: string, { after, at, data }: ComingMessage): void {
    const givenAt = this.#given?.get(pub)
    if (this.#state !== 'idle' || givenAt === undefined || givenAt < after || givenAt >= at || this.#line.isFull) return
    this.#give(pub, { after: givenAt, at, data })
  }

  #give(pub: string, { after, at, data }: ComingMessage): void {
    const event: GivenEvent = { pub, found: true, after, at, data }
    this.#line.write(event)
    this.#given!.set(pub, at)
  }

  #write(pub: string, answer: BoxAnswer): void {
    if (!answer.ok || !('found' in answer) || !answer.found) return
    const event: WaitEvent = { pub, found: true, question: answer.question }
    this.#line.write(event)
  }
}
