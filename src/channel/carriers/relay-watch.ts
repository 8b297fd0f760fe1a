/**
 * Waits for news in boxes, by as few streams as a relay needs. A stream is not asked again for each change: further boxes get one of their own, until
 * there are several, which then become one again. They also do when the relay ends one of them, as it does each hour. So an idle end makes one
 * request an hour.
 */
import { pause, type RelayClock } from '../../relay/means.ts'
import type { News, RelayClient } from '../../relay/client.ts'
import { RELAY_LIMITS } from '../../relay/limits.ts'
import { waitForNews } from '../../relay/waiting.ts'
import { formatBoxKey, readBoxKey, type BoxKey } from '../../seal/box-key.ts'
import type { Watch, Watched } from './carrier.ts'

const { maxBoxes: MAX_BOXES } = RELAY_LIMITS.wait
const MAX_SPARE_STREAMS = 3 // sanity: a relay allows 64 to an address, and others use that address too
const AGAIN_MS = 60_000 // sanity: what waiting alone does not mend may be mended by somebody

export interface RelayWatchOptions {
  /** @throws for an address that may not be called */
  readonly clientOf: (url: string) => RelayClient
  readonly clock: RelayClock
  /** Between two rounds of checks, where the relay has no streams. */
  readonly checkMs?: number
  readonly lines: () => readonly Watched[]
  /** Up to where the messages of a box were processed. */
  readonly cursorOf: (key: BoxKey) => number
  readonly onNews: (news: News, watched: readonly Watched[]) => void
  readonly signal: AbortSignal
}

/** By the text of the key: the lines that read a box. */
type Boxes = ReadonlyMap<string, readonly Watched[]>

export class RelayWatch implements Watch {
  readonly #options: RelayWatchOptions
  readonly #relays = new Map<string, RelayStreams>()

  constructor(options: RelayWatchOptions) {
    this.#options = options
    this.changed()
  }

  changed(): void {
    if (this.#options.signal.aborted) return
    const byRelay = Map.groupBy(this.#options.lines(), ({ own }) => own.url)
    for (const url of byRelay.keys()) {
      if (!this.#relays.has(url)) this.#relays.set(url, new RelayStreams(url, this.#options))
    }
    for (const [url, streams] of this.#relays) {
      const boxes = Map.groupBy(byRelay.get(url) ?? [], ({ own }) => formatBoxKey(readBoxKey(own.place.address.pub)))
      streams.update(boxes)
      if (boxes.size === 0) this.#relays.delete(url)
    }
  }
}

interface Stream {
  readonly pubs: Set<string>
  readonly stop: AbortController
}

/** The streams of one relay. */
class RelayStreams {
  readonly #url: string
  readonly #options: RelayWatchOptions
  readonly #streams = new Set<Stream>()
  #boxes: Boxes = new Map()

  constructor(url: string, options: RelayWatchOptions) {
    this.#url = url
    this.#options = options
  }

  update(boxes: Boxes): void {
    this.#boxes = boxes
    for (const stream of this.#streams) {
      for (const pub of stream.pubs) if (!boxes.has(pub)) stream.pubs.delete(pub)
      if (stream.pubs.size === 0) this.#end(stream)
    }
    const waiting = new Set([...this.#streams].flatMap(({ pubs }) => [...pubs]))
    const added = [...boxes.keys()].filter((pub) => !waiting.has(pub))
    if (added.length === 0) return
    const enough = Math.ceil(boxes.size / MAX_BOXES) + MAX_SPARE_STREAMS
    if (this.#streams.size + Math.ceil(added.length / MAX_BOXES) <= enough) return this.#begin(added)
    for (const stream of this.#streams) this.#end(stream)
    this.#begin([...boxes.keys()])
  }

  #begin(pubs: readonly string[]): void {
    for (let at = 0; at < pubs.length; at += MAX_BOXES) {
      const stream = { pubs: new Set(pubs.slice(at, at + MAX_BOXES)), stop: new AbortController() }
      this.#streams.add(stream)
      void this.#run(stream)
    }
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream)
    stream.stop.abort()
  }

  /** Takes the boxes of all other streams into one that begins anyway. */
  #join(stream: Stream): void {
    for (const other of this.#streams) {
      if (other === stream || stream.pubs.size + other.pubs.size > MAX_BOXES) continue
      for (const pub of other.pubs) stream.pubs.add(pub)
      this.#end(other)
    }
  }

  async #run(stream: Stream): Promise<void> {
    const { pubs, stop } = stream
    const { clientOf, clock, checkMs, cursorOf, onNews } = this.#options
    const rounds = checkMs === undefined ? {} : { checkMs }
    const signal = AbortSignal.any([this.#options.signal, stop.signal])
    let isNew = true
    const waiting = (): { key: BoxKey; at: number }[] => {
      if (!isNew) this.#join(stream)
      isNew = false
      return [...pubs].map((pub) => {
        const key = readBoxKey(this.#boxes.get(pub)![0]!.own.place.address.pub)
        return { key, at: cursorOf(key) }
      })
    }
    while (!signal.aborted) {
      try {
        for await (const news of waitForNews(clientOf(this.#url), waiting, { ...rounds, signal }))
          onNews(news, this.#boxes.get(formatBoxKey(news.key)) ?? [])
      } catch {
        // The caller ended it, or the relay answers as none does. Its news come late then, by the first stream that works.
      }
      await pause(clock, AGAIN_MS, signal).catch(() => {})
    }
  }
}
