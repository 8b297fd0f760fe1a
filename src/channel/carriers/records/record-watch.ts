/** Watches the rings of peers, and the meeting places of open invites, for lines that come and go. */
import type { Clock } from '../../../process/pulse.ts'
import type { Watch, Watched } from '../carrier.ts'
import { Again } from './again.ts'
import { Lookout } from './lookout.ts'
import type { OpenRecords } from './open-records.ts'
import { RETRY_MS } from './record-failures.ts'

export interface RecordWatchOptions {
  readonly lines: () => readonly Watched[]
  readonly onNews: (watched: Watched) => void
  readonly onLoss: (lineId: string) => void
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly open: OpenRecords
  readonly serves: (url: string) => boolean
  /** Whether the network wakes a reader. */
  readonly isWoken: boolean
}

const FIRST_RETRY_MS = 500 // sanity: the peer answers a first message within a second

type Begin = (onNews: () => void, signal: AbortSignal) => Promise<void>

/** The outcome of a look at the rings of a line. */
export interface Look {
  /** The header of the peer names more than lies there. */
  readonly isBehind: boolean
  /** The network was away until now, or has lost the own ring. */
  readonly isOwnLost: boolean
}

interface Watching {
  watched: Watched
  readonly stop: AbortController
  /** Looks while somebody waits; null where the network wakes a reader. */
  readonly lookout: Lookout | null
  readonly again: Again
}

export class RecordWatch implements Watch {
  readonly #options: RecordWatchOptions
  /** By line, own intake and peer. */
  readonly #watching = new Map<string, Watching>()
  #hasBegun = false

  constructor(options: RecordWatchOptions) {
    this.#options = options
    options.signal.addEventListener('abort', () => this.#keepOnly(new Set()))
    this.changed()
  }

  changed(): void {
    if (this.#options.signal.aborted) return
    const wanted = new Set<string>()
    for (const watched of this.#options.lines())
      for (const { key, begin } of this.#sourcesOf(watched)) {
        wanted.add(key)
        const known = this.#watching.get(key)
        if (known === undefined) this.#begin(key, watched, begin)
        else known.watched = watched
      }
    this.#keepOnly(wanted)
    this.#hasBegun = true
  }

  expect(lineId: string): void {
    for (const { watched, lookout } of this.#watching.values()) if (watched.line.id === lineId) lookout?.begin()
  }

  looked(lineId: string, { isBehind, isOwnLost }: Look): void {
    const ofLine = [...this.#watching.values()].filter(({ watched }) => watched.line.id === lineId)
    for (const { again } of ofLine) {
      if (isBehind) again.later()
      else again.done()
    }
    if (isOwnLost && ofLine.length > 0) this.#options.onLoss(lineId)
  }

  #sourcesOf(watched: Watched): { key: string; begin: Begin }[] {
    const { line, own } = watched
    const { open, serves } = this.#options
    const keyOf = (url: string): string => `${line.id} ${own.url} ${url}`
    const { peer } = line
    if (peer === null) {
      const begin: Begin = async (onNews, signal) =>
        (await open.meeting(own.url, own.place.address.pub)).watch(onNews, signal)
      return [{ key: keyOf(''), begin }]
    }
    return peer.where
      .filter(({ url }) => serves(url))
      .map(({ url }) => ({
        key: keyOf(url),
        begin: async (onNews, signal) => await (await open.peer(url, peer.pub)).watch(onNews, signal),
      }))
  }

  #begin(key: string, watched: Watched, begin: Begin): void {
    const { clock, isWoken } = this.#options
    const onNews = (): void => {
      if (!watching.stop.signal.aborted) this.#options.onNews(watching.watched)
    }
    const lookout = isWoken ? null : new Lookout(clock, onNews)
    const again = new Again(clock, onNews)
    const watching: Watching = { watched, stop: new AbortController(), lookout, again }
    this.#watching.set(key, watching)
    watching.stop.signal.addEventListener('abort', () => {
      lookout?.close()
      again.done()
    })
    // Whoever has just made an invite, or has a new peer, waits for them. Lines that were there at the start are many, and most of them rest.
    if (this.#hasBegun) lookout?.begin()
    this.#try(begin, onNews, watching.stop.signal, FIRST_RETRY_MS)
  }

  /** A record of the peer that nobody has yet is often there a moment later. */
  #try(begin: Begin, onNews: () => void, signal: AbortSignal, retryMs: number): void {
    if (signal.aborted) return
    // A frame that lay there before is news too. The reader that it wakes fails while the network is away, and tries again.
    onNews()
    begin(onNews, signal).catch(() => {
      const again = (): void => this.#try(begin, onNews, signal, Math.min(RETRY_MS, 2 * retryMs))
      signal.addEventListener('abort', this.#options.clock.after(retryMs, again), { once: true })
    })
  }

  #keepOnly(wanted: ReadonlySet<string>): void {
    for (const [key, { stop }] of this.#watching) {
      if (wanted.has(key)) continue
      stop.abort()
      this.#watching.delete(key)
    }
  }
}
