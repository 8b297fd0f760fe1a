/** The streams of `GET /inbox/.../events`: each gives the entries themselves, as they come (docs/inbox.md). */
import type { ServerResponse } from 'node:http'
import type { ComingInboxEntry, FollowedInbox } from '../inbox/inbox-service.ts'
import { EventLine, type EventLineOptions } from './event-line.ts'
import type { OpenStream, OpenStreams } from './open-streams.ts'

export interface InboxStreamsOptions extends EventLineOptions {
  readonly open: OpenStreams
  /** Gets an error of the inboxes that is not an answer. */
  readonly onError: (error: unknown) => void
}

/** Begins a stream, whose header is written. It counts, and ends by itself. */
export function streamInbox(
  response: ServerResponse,
  inbox: FollowedInbox,
  address: string,
  options: InboxStreamsOptions,
): void {
  const stream = new InboxStream(response, inbox, options)
  options.open.add(stream, response, address, () => stream.stop())
  stream.begin()
}

class InboxStream implements OpenStream {
  readonly #line: EventLine
  readonly #inbox: FollowedInbox
  readonly #onError: (error: unknown) => void
  /** Everything up to it was given. */
  #after: number
  #state: 'idle' | 'reading' | 'ended' = 'idle'
  /** Whether something may have come since the last read. */
  #hasNews = true
  readonly #unwatch: () => void

  constructor(response: ServerResponse, inbox: FollowedInbox, options: InboxStreamsOptions) {
    this.#line = new EventLine(response, options)
    this.#inbox = inbox
    this.#onError = options.onError
    this.#after = inbox.after
    // It watches before it reads, so that no entry falls between.
    this.#unwatch = inbox.watch((coming) => {
      if (coming === null) this.#look()
      else this.#giveComing(coming)
    })
  }

  begin(): void {
    this.#line.begin('')
    this.#look()
  }

  /** Each comment finds out whether the newest card still lists the device. */
  tick(): void {
    if (this.#line.tick()) this.#look()
    else this.end()
  }

  end(): void {
    this.stop()
    this.#line.end()
  }

  stop(): void {
    this.#state = 'ended'
    this.#unwatch()
  }

  #look(): void {
    this.#hasNews = true
    if (this.#state !== 'idle') return
    // The reader takes what was given before.
    if (this.#line.isFull) return this.#line.afterDrain(() => this.#look())
    this.#read(async () => await this.#readAll())
  }

  /** Gives an entry while it goes to the disk (decision 68), where nothing waits before it. Else the look that follows finds it. */
  #giveComing({ after, entry }: ComingInboxEntry): void {
    if (this.#state !== 'idle' || this.#after < after || this.#after >= entry.n || this.#line.isFull) return
    this.#read(async () => {
      const isListed = await this.#inbox.isListed()
      if (this.#state !== 'reading') return
      if (!isListed) return this.end()
      this.#line.write(entry)
      this.#after = entry.n
      this.#rest()
    })
  }

  #read(work: () => Promise<void>): void {
    this.#state = 'reading'
    work().catch((error: unknown) => {
      this.#onError(error)
      this.end()
    })
  }

  async #readAll(): Promise<void> {
    while (this.#hasNews && !this.#line.isFull) {
      this.#hasNews = false
      const read = await this.#inbox.read(this.#after)
      if (this.#state !== 'reading') return
      if (read === null) return this.end()
      for (const entry of read.entries) this.#line.write(entry)
      this.#after = read.next ?? read.entries.at(-1)?.n ?? this.#after
      if (read.next !== null) this.#hasNews = true
    }
    this.#rest()
  }

  #rest(): void {
    this.#state = 'idle'
    if (this.#hasNews) this.#look()
  }
}
