/**
 * Channels at work while the apps key is open: reads what is on disk, watches the carriers, and gives news to the end, invite or join that they are
 * for. When the key closes, no secret stays in memory, and the next opening begins anew.
 */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { describeError } from '../../process/describe-error.ts'
import { Serial } from '../../process/serial.ts'
import type { Watch, Watched } from '../../channel/carriers/carrier.ts'
import { eraseSpent } from './closed.ts'
import { Ends } from './ends/ends.ts'
import { orLater } from './ends/places.ts'
import { Invites } from './meet/invites.ts'
import { Joins } from './meet/joins.ts'
import { Means, type ChannelsOptions } from './ends/means.ts'
import { CardWatch } from './card-watch.ts'

const REST_SHARE = 10 // sanity: comparing takes a tenth of the time at most, however many lines change
const MOST_REST_MS = 250 // sanity: a new line waits for the next look at its folder no longer than a person notices

/** The parts that are open at a time. */
export interface Work {
  readonly ends: Ends
  readonly invites: Invites
  readonly joins: Joins
}

export class Runner {
  readonly means: Means
  /** Called when the channels have gone to work. */
  onOpened: () => void = () => {}
  #work: Work
  #stopWatching = new AbortController()
  #watches: Watch[] = []
  /** While the watches are to hear of other lines. */
  #changing: Promise<void> | null = null
  /** How long that took last. */
  #comparedMs = 0
  #isOpen = false
  #isClosed = false
  readonly #serial = new Serial()
  readonly #cards: CardWatch
  #stopOpening: () => void = () => {}
  #sweeping: Promise<void> = Promise.resolve()

  constructor(options: ChannelsOptions) {
    this.means = new Means(options)
    this.means.linesChanged = () => void (this.#changing ??= this.#linesChanged())
    this.means.endSpent = () => this.#sweep()
    this.#work = this.#newWork()
    this.#cards = new CardWatch(this.means, () => this.#work.ends)
  }

  /** Begins as soon as the apps key is open. */
  start(): void {
    this.#stopOpening = this.means.sealed.key.whenOpened(() => void this.open())
    this.#cards.start()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** @throws {CustodyError} APPS_LOCKED */
  async work(): Promise<Work> {
    this.means.sealed.key.require()
    if (!this.#isOpen) await this.open()
    return this.#work
  }

  /** The ends in memory, without asking for the key: for `status`. */
  get known(): Work {
    return this.#work
  }

  async open(): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#isOpen || this.#isClosed || !this.means.sealed.key.isOpen) return
      try {
        await this.#work.ends.open()
        await this.#work.invites.open()
        await this.#work.joins.open()
        this.#watch()
        this.#isOpen = true
        this.#cards.checkAll()
        this.#sweep()
        this.onOpened()
      } catch (error) {
        // The store or the key failed; the next call or opening tries again.
        this.means.log.warn('channels.open', describeError(error))
      }
    })
  }

  /** Removes channels that have been closed for a month. */
  #sweep(): void {
    this.#sweeping = this.#sweeping.then(async () => {
      if (this.#isOpen) await orLater(eraseSpent(this.#work.ends, this.means), this.means)
    })
  }

  /** The apps key may have closed: whatever is in memory goes. */
  async settle(): Promise<void> {
    await this.#serial.run(async () => {
      if (!this.#isOpen || this.means.sealed.key.isOpen) return
      this.#isOpen = false
      await this.#stop()
      this.#work = this.#newWork()
    })
  }

  /** The owner blocks or unblocks somebody: the channels with them stop, or go on. */
  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'channel.changed' && data.state === 'open') this.#cards.opened(data.id)
    if (event !== 'contact.changed') return
    if (data.changes.some(({ kind }) => kind === 'blocked' || kind === 'unblocked')) this.#cards.checkAll()
  }

  /** The signing key was unlocked: an invite that needs it for its answer goes on. */
  wakeInvites(): void {
    for (const invite of this.#work.invites.unused()) invite.wake()
  }

  /** Resolves once nothing that has come is left to be handled. */
  async idle(): Promise<void> {
    do {
      await this.#changing
      await this.#serial.idle()
      for (const part of [this.#work.invites, this.#work.joins, this.#work.ends]) await part.idle()
      await this.#sweeping
    } while (this.#changing !== null)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopOpening()
    this.#cards.close()
    await this.#serial.run(() => this.#stop())
  }

  #newWork(): Work {
    const ends = new Ends(this.means)
    return { ends, invites: new Invites(this.means, ends), joins: new Joins(this.means, ends) }
  }

  async #stop(): Promise<void> {
    this.#stopWatching.abort()
    this.#watches = []
    const { ends, invites, joins } = this.#work
    await this.#sweeping
    await invites.close()
    await joins.close()
    await ends.close()
  }

  #watch(): void {
    this.#stopWatching = new AbortController()
    const { signal } = this.#stopWatching
    this.#watches = this.means.ways.all.map((carrier) =>
      carrier.watch(
        () => this.#watched().filter(({ own }) => carrier.serves(own.url)),
        ({ line }) => this.#news(line.id),
        signal,
        (lineId) => this.#leaveAgain(lineId),
      ),
    )
  }

  #watched(): Watched[] {
    const { ends, invites, joins } = this.#work
    return [...ends.watched(), ...invites.watched(), ...joins.watched()]
  }

  /** Somebody waits for contents of an app. */
  expect(app: string): void {
    for (const end of this.#work.ends) if (end.app === app) for (const watch of this.#watches) watch.expect?.(end.id)
  }

  #news(lineId: string): void {
    const { ends, invites, joins } = this.#work
    if (!ends.news(lineId) && !joins.news(lineId)) invites.news(lineId)
  }

  #leaveAgain(lineId: string): void {
    const { ends, joins } = this.#work
    ends.get(lineId)?.leaveAgain()
    joins.get(lineId)?.leaveAgain()
  }

  /**
   * A handshake changes lines several times, and handshakes come together: the watches compare all lines once for all of it. Where there are many lines,
   * that takes milliseconds, and they rest after it.
   */
  async #linesChanged(): Promise<void> {
    await new Promise<void>((resume) => setImmediate(resume))
    const restMs = this.#comparedMs * REST_SHARE
    if (restMs >= 1) await new Promise<void>((resume) => setTimeout(resume, Math.min(restMs, MOST_REST_MS)))
    this.#changing = null
    const begunMs = performance.now()
    for (const watch of this.#watches) watch.changed()
    this.#comparedMs = performance.now() - begunMs
  }
}
