/** All ends of this daemon, by id. An end that has nothing to do is its summary and nothing else. */
import { close } from '../../../channel/exchange/life.ts'
import { tick } from '../../../channel/exchange/repeat.ts'
import { describeError } from '../../../process/describe-error.ts'
import type { Watched } from '../../../channel/carriers/carrier.ts'
import type { DueTimes } from './due-times.ts'
import type { Means } from './means.ts'
import { CHANNEL } from '../records/channel-record.ts'
import { Damaged } from '../records/damaged.ts'
import { END } from '../records/kinds.ts'
import { End } from './end.ts'
import { loadEnd, type EndState } from './end-state.ts'
import { Inbound } from '../../../channel/carriers/inbound.ts'
import { Loaded } from './loaded.ts'
import { leavePlaces, moveIfDue, orLater, sourcesOf, takeArrivals } from './places.ts'
import { HELD_MS } from './summary.ts'

const RETRY_MS = 60_000 // sanity: a relay that is away while an old box is to be retired

interface Working {
  readonly end: End
  readonly inbound: Inbound
}

export class Ends {
  readonly #means: Means
  readonly #loaded = new Loaded()
  readonly #working = new Map<string, Working>()
  readonly #due: DueTimes
  /** The work that ends do because their time has come. */
  readonly #works = new Set<Promise<void>>()
  readonly damaged: Damaged

  constructor(means: Means) {
    this.#means = means
    this.damaged = new Damaged(means.log)
    this.#due = means.dueTimes((id) => this.#begin(id))
  }

  /** Reads all ends, and goes on where they stopped. Those of another store break. */
  async open(): Promise<void> {
    const { sealed, keeper, store } = this.#means
    const ids: string[] = []
    // By their ids alone: one that cannot be read must not keep the others from their work.
    for await (const id of sealed.onDisk(END).ids()) ids.push(id)
    for (const id of ids) {
      const record = keeper.onDisk.of(CHANNEL).get(id)
      const state = this.damaged.read(id, () => loadEnd(id, sealed))
      if (state === null || this.#working.has(id)) continue
      // Without a record the channel has left the list, and carriers have not forgotten its places yet.
      const end = this.add(id, record?.app ?? '', state)
      if (state.store !== store) await orLater(end.breakRestored(), this.#means)
    }
  }

  /** An end that is on disk goes to work. */
  add(id: string, app: string, state: EndState): End {
    const means = this.#means
    const hooks = { changed: (each: End): void => this.#due.set(id, each.summary.dueMs) }
    const end = new End(id, app, state, { means, loaded: this.#loaded, hooks })
    const inbound = new Inbound(means, {
      line: () => (isReading(end) ? end.summary.line : null),
      sources: () => (isReading(end) ? sourcesOf(end.summary.sources, end.summary.cursors) : []),
      take: (source, arrivals) => takeArrivals(end, source, arrivals, means),
    })
    this.#working.set(id, { end, inbound })
    this.#due.set(id, end.summary.dueMs)
    means.linesChanged()
    return end
  }

  get(id: string): End | undefined {
    return this.#working.get(id)?.end
  }

  *[Symbol.iterator](): IterableIterator<End> {
    for (const { end } of this.#working.values()) yield end
  }

  /** The end is erased: it does nothing more. */
  async remove(id: string): Promise<void> {
    const working = this.#working.get(id)
    this.#working.delete(id)
    this.damaged.forget(id)
    this.#due.set(id, null)
    await working?.end.stop()
    await working?.inbound.close()
    this.#means.linesChanged()
  }

  watched(): Watched[] {
    return [...this.#working.values()].flatMap(({ end }) => (isReading(end) ? end.summary.watched : []))
  }

  /** @returns whether the line is one of an end */
  news(lineId: string): boolean {
    const working = this.#working.get(lineId)
    working?.inbound.wake()
    return working !== undefined
  }

  /** Resolves once nothing is read or written at this moment. */
  async idle(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works)
    for (const { end, inbound } of this.#working.values()) {
      await inbound.idle()
      await end.idle()
    }
  }

  async close(): Promise<void> {
    this.#due.close()
    await Promise.all(
      [...this.#working.values()].map(async ({ end, inbound }) => {
        await end.close()
        await inbound.close()
      }),
    )
    this.#working.clear()
  }

  #begin(id: string): void {
    const work = this.#work(id).finally(() => this.#works.delete(work))
    this.#works.add(work)
  }

  /** The time of an end has come. */
  async #work(id: string): Promise<void> {
    const end = this.get(id)
    if (end === undefined) return
    const means = this.#means
    const { engine } = means.keeper
    try {
      const state = await end.run((turn) => {
        turn.step(tick(turn.channel, turn.nowMs))
        const { heldSinceSec } = turn.state
        const isOver = heldSinceSec !== null && turn.nowMs >= heldSinceSec * 1000 + HELD_MS
        if (isOver) turn.step(close(turn.channel, turn.nowMs, engine))
        return turn.state
      })
      await leavePlaces(end, state, means)
      await moveIfDue(end, state, means)
      this.#due.set(id, end.summary.dueMs)
      if (end.summary.closedAtSec === 0) means.endSpent()
    } catch (error) {
      means.log.debug('channel.due', describeError(error))
      if (this.get(id) === end) this.#due.set(id, means.nowMs + RETRY_MS)
    }
  }
}

/** An end that has closed reads nothing more; one that is broken answers whoever still sends. */
function isReading({ summary }: End): boolean {
  return summary.state !== 'closed' && summary.state !== 'closing'
}
