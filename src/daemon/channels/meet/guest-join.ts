/** A guest that uses an invite, until the host has answered. */
import { formatConnectoids } from '../../../channel/invite/address.ts'
import {
  guestFindsUsed,
  guestReceive,
  guestTick,
  type GuestEvent,
  type GuestStep,
} from '../../../channel/handshake/guest.ts'
import { REPEAT_MS } from '../../../channel/exchange/repeat.ts'
import type { ChannelState } from '../../../ipc/methods/channel-values.ts'
import { ownIntakes, type Arrival, type Line, type Watched } from '../../../channel/carriers/carrier.ts'
import { Serial } from '../../../process/serial.ts'
import { saveEnd, type EndState } from '../ends/end-state.ts'
import type { Ends } from '../ends/ends.ts'
import { Inbound, type Source } from '../../../channel/carriers/inbound.ts'
import { Outbound } from '../../../channel/carriers/outbound.ts'
import { cursorKey, forgetLine, orLater, sourcesOf } from '../ends/places.ts'
import type { Means } from '../ends/means.ts'
import { CHANNEL } from '../records/channel-record.ts'
import { JOIN } from '../records/kinds.ts'
import type { StoredJoin } from '../records/stored-meeting.ts'
import { contextOf, firstState, openerOf, peerFields } from './meeting-means.ts'

type Connected = Extract<GuestEvent, { readonly event: 'connected' }>

export interface JoinParts {
  readonly means: Means
  readonly ends: Ends
  /** It has an end now, or has ended: nothing more comes of it. */
  readonly onDone: (join: GuestJoin) => void
}

export class GuestJoin {
  readonly id: string
  stored: StoredJoin
  readonly #parts: JoinParts
  readonly #means: Means
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  /** Messages and times are handled one after another. */
  readonly #serial = new Serial()

  constructor(id: string, stored: StoredJoin, parts: JoinParts) {
    this.id = id
    this.stored = stored
    this.#parts = parts
    this.#means = parts.means
    this.#outbound = new Outbound(parts.means, {
      onUsed: () =>
        void orLater(
          this.#step((guest) => guestFindsUsed(guest, this.#means.nowMs)),
          this.#means,
        ),
      onBack: () => void orLater(this.tick(true), this.#means),
    })
    this.#inbound = new Inbound(parts.means, {
      // All that comes after M2 is for the end, which reads the same place.
      line: () => (this.isOver ? null : this.#line),
      sources: () => (this.isOver ? [] : sourcesOf(ownIntakes(this.#line), this.stored.cursors)),
      take: (source, arrivals) => this.#take(source, arrivals),
    })
  }

  get app(): string {
    return this.stored.guest.app
  }

  get isOver(): boolean {
    return this.stored.ended !== null || this.stored.guest.phase === 'ended'
  }

  get state(): ChannelState {
    return this.isOver ? 'gone' : 'waiting'
  }

  get reason(): string | null {
    return this.stored.ended ?? (this.stored.guest.isIntercepted ? 'INTERCEPTED' : null)
  }

  /** When it has something to do by itself; null for never. */
  get dueMs(): number | null {
    const { postedAtMs, expiresAtMs, usedAtMs, isIntercepted } = this.stored.guest
    if (this.isOver) return null
    const times = [expiresAtMs, postedAtMs === null ? 0 : postedAtMs + REPEAT_MS]
    if (usedAtMs !== null && !isIntercepted) times.push(usedAtMs + REPEAT_MS)
    return Math.min(...times)
  }

  get #line(): Line {
    return { id: this.id, own: [this.stored.place], peer: this.stored.guest.hostAt }
  }

  watched(): Watched[] {
    return this.isOver ? [] : ownIntakes(this.#line).map((own) => ({ line: this.#line, own }))
  }

  wake(): void {
    this.#inbound.wake()
  }

  async idle(): Promise<void> {
    await this.#inbound.idle()
    await this.#serial.idle()
    await this.#outbound.idle()
  }

  async close(): Promise<void> {
    this.#outbound.close()
    await this.#inbound.close()
  }

  /** Posts M1 if that is due, and ends when the invite is over. */
  async tick(isNow = false): Promise<void> {
    await this.#step((guest) => guestTick(guest, this.#means.nowMs, isNow))
  }

  /** As an end does. */
  leaveAgain(): void {
    this.#outbound.retry()
    void orLater(this.tick(true), this.#means)
  }

  post(posts: readonly Uint8Array[]): void {
    this.#outbound.post(this.#line, formatConnectoids(this.stored.guest.hostAt), posts)
  }

  async #take(source: Source, arrivals: readonly Arrival[]): Promise<void> {
    const openFrom = await openerOf(this.stored.place)
    for (const { data, cursor } of arrivals)
      await this.#serial.run(async () => {
        if (this.isOver) return
        const cursors = new Map(this.stored.cursors).set(cursorKey(source.intake), cursor)
        const step = await guestReceive(this.stored.guest, data, openFrom, contextOf(this.#means))
        await this.#keep(step, cursors)
      })
  }

  async #step(work: (guest: StoredJoin['guest']) => GuestStep): Promise<void> {
    await this.#serial.run(async () => {
      if (this.isOver) return
      const step = work(this.stored.guest)
      if (step.state !== this.stored.guest || step.events.length > 0) await this.#keep(step, this.stored.cursors)
    })
  }

  /** Writes the step, then posts it. */
  async #keep(step: GuestStep, cursors: ReadonlyMap<string, string>): Promise<void> {
    const { keeper, sealed } = this.#means
    const connected = step.events.find((each) => each.event === 'connected') ?? null
    const isMisbound = step.events.some(({ event }) => event === 'MISBOUND')
    const hasEnded = step.state.phase === 'ended' && connected === null
    const ended = hasEnded ? (isMisbound ? 'MISBOUND' : 'EXPIRED') : null
    const next: StoredJoin = { ...this.stored, guest: step.state, cursors, ended }
    const end = connected === null ? null : this.#endOf(connected, cursors)
    await keeper.change(() => {
      if (connected === null || end === null) sealed.inChange(JOIN).put(this.id, next)
      else this.#saveEnd(connected, end)
      if (ended !== null) this.#means.tellChanged(this.id, this.app, 'gone', ended)
      for (const { event: code } of step.events)
        if (code === 'INTERCEPTED' || code === 'MISBOUND') this.#means.tellAlarm(this.id, this.app, code)
    })
    this.stored = next
    this.post(step.posts)
    if (connected !== null && end !== null) {
      this.#outbound.close()
      const { channel, posts } = connected.start
      this.#parts.onDone(this)
      this.#parts.ends.add(this.id, this.app, end).post(channel, posts)
      this.#parts.ends.news(this.id)
    } else if (ended !== null) await this.#leave()
  }

  #endOf({ start }: Connected, cursors: ReadonlyMap<string, string>): EndState {
    const { place, showsPersona, isDirect } = this.stored
    return { ...firstState(start, place, { greeting: null, showsPersona, isDirect }, this.#means), cursors }
  }

  /** Inside of a change. */
  #saveEnd({ peer }: Connected, end: EndState): void {
    const { keeper, sealed, cards } = this.#means
    const record = keeper.state.of(CHANNEL).get(this.id)
    if (record === undefined) throw new Error(`the channel ${this.id} has no record`)
    sealed.inChange(JOIN).delete(this.id)
    keeper.state.stage(keeper.state.of(CHANNEL).put(this.id, { ...record, ...peerFields(peer) }))
    saveEnd(this.id, { before: null, after: end, parts: [] }, keeper.nowSec, sealed)
    if (peer.persona !== null) cards.meet(peer.persona.card)
    this.#means.tellChanged(this.id, this.app, 'open', null)
  }

  /** Nobody answers any more: carriers may forget the place. */
  async #leave(): Promise<void> {
    this.#parts.onDone(this)
    await this.forget()
  }

  /** Removes what carriers keep of it. @returns whether all of them could be reached */
  forget(): Promise<boolean> {
    return forgetLine(this.#line, this.#means)
  }
}
