/** One open invite at the host: it reads first messages one after another, and each answer is on disk before it leaves. */
import { confirmCandidate, hostReceive, type HostEvent, type HostStep } from '../../../channel/handshake/host.ts'
import type { RefusalReason } from '../../../channel/handshake/peer.ts'
import type { Step } from '../../../channel/exchange/channel.ts'
import { repeatNow } from '../../../channel/exchange/repeat.ts'
import { release } from '../../../channel/exchange/life.ts'
import { parseConnectoids } from '../../../channel/invite/address.ts'
import { BOX_TYPE, dataType } from '../../../channel/ratchet/box-data.ts'
import { formatHex } from '../../../core/encoding/bytes.ts'
import { ownIntakes, type Arrival, type Line, type OwnPlace, type Watched } from '../../../channel/carriers/carrier.ts'
import { Serial } from '../../../process/serial.ts'
import type { End } from '../ends/end.ts'
import { saveEnd, type EndState } from '../ends/end-state.ts'
import type { Ends } from '../ends/ends.ts'
import { Inbound, type Source } from '../../../channel/carriers/inbound.ts'
import { Outbound } from '../../../channel/carriers/outbound.ts'
import { cursorKey, forgetLine, orLater, sourcesOf } from '../ends/places.ts'
import type { Means } from '../ends/means.ts'
import { CHANNEL } from '../records/channel-record.ts'
import { INVITE } from '../records/kinds.ts'
import type { StoredInvite } from '../records/stored-meeting.ts'
import { eraseKeys, eraseRemains } from './erase-end.ts'
import { contextOf, firstState, openerOf, peerFields, selfOf } from './meeting-means.ts'

type Answer = Extract<HostEvent, { readonly event: 'claimed' | 'candidate' }>

/** It has opened with the secret of the invite, and shows no device of the persona. */
const FOREIGN: ReadonlySet<RefusalReason> = new Set(['OTHER_PERSONA', 'SIGNATURE', 'CARD'])

interface NewEnd {
  readonly id: string
  readonly answer: Answer
  readonly state: EndState
}

export class HostInvite {
  readonly id: string
  stored: StoredInvite
  readonly #means: Means
  readonly #ends: Ends
  readonly #inbound: Inbound
  readonly #outbound: Outbound
  /** First messages are handled one after another. */
  readonly #serial = new Serial()
  readonly #line: Line
  readonly #watched: readonly Watched[]
  /** A place for the next guest. It is made for an M1, and kept if that one is refused. */
  #spare: OwnPlace | null = null
  /** The owner has heard of somebody else: guests repeat themselves. */
  #hasForeign = false

  constructor(id: string, stored: StoredInvite, { means, ends }: { readonly means: Means; readonly ends: Ends }) {
    this.id = id
    this.stored = stored
    this.#line = { id, own: [stored.place], peer: null }
    this.#watched = ownIntakes(this.#line).map((own) => ({ line: this.#line, own }))
    this.#means = means
    this.#ends = ends
    this.#outbound = new Outbound(means, { onUsed: () => {}, onBack: () => {} })
    this.#inbound = new Inbound(means, {
      line: () => this.#line,
      sources: () =>
        sourcesOf(
          this.watched().map(({ own }) => own),
          this.stored.cursors,
        ),
      take: (source, arrivals) => this.#take(source, arrivals),
    })
  }

  get app(): string {
    return this.stored.host.invite.app
  }

  /** The channel of the guest who used it; null while nobody has. */
  get claimedBy(): string | null {
    const { claim } = this.stored.host
    return claim === null ? null : (this.stored.channels.get(formatHex(claim.m1Hash)) ?? null)
  }

  get isUsedOffer(): boolean {
    return this.stored.offer !== 'none' && this.claimedBy !== null
  }

  /** Nothing is read while it sleeps. */
  watched(): readonly Watched[] {
    return this.stored.offer === 'asleep' ? [] : this.#watched
  }

  /** Wakes an offer, or lets it sleep again. */
  async setAwake(isAwake: boolean): Promise<void> {
    const offer = isAwake ? 'awake' : 'asleep'
    if (this.stored.offer === offer) return
    await this.#serial.run(async () => await this.#save({ ...this.stored, offer }, null))
    this.#means.linesChanged()
    this.wake()
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

  /** Closes the intakes to further guests. */
  async retire(): Promise<void> {
    for (const own of ownIntakes(this.#line)) await this.#means.ways.of(own.url)?.retire(this.#line, own)
  }

  /** Removes what carriers keep of it. @returns whether all of them could be reached */
  forget(): Promise<boolean> {
    return forgetLine(this.#line, this.#means)
  }

  /** Channels of candidates. */
  candidates(): string[] {
    return this.stored.host.candidates.flatMap(({ m1Hash }) => this.stored.channels.get(formatHex(m1Hash)) ?? [])
  }

  candidateHash(channelId: string): Uint8Array | null {
    const found = this.stored.host.candidates.find(
      ({ m1Hash }) => this.stored.channels.get(formatHex(m1Hash)) === channelId,
    )
    return found?.m1Hash ?? null
  }

  /** The owner has compared the words of a candidate: it has the invite, and the other candidates are dropped. */
  async confirm(end: End): Promise<void> {
    await this.#serial.run(() => this.#confirm(end))
  }

  async #confirm(end: End): Promise<void> {
    const m1Hash = this.candidateHash(end.id)
    if (m1Hash === null) return
    const step = confirmCandidate(this.stored.host, m1Hash)
    const next = { ...this.stored, host: step.state }
    const dropped = this.#droppedBy(step)
    await end.run((turn) => {
      turn.step(release(turn.channel, turn.nowMs, this.#means.keeper.engine))
      turn.set({ heldBecause: null, heldSinceSec: null })
      turn.alongside.push(() => {
        this.#means.sealed.inChange(INVITE).put(this.id, next)
        for (const each of dropped) this.dropInChange(each)
      })
    })
    this.stored = next
    await this.#removeAll(dropped)
    await orLater(this.retire(), this.#means)
  }

  /** Inside of a change. */
  dropInChange(channelId: string): void {
    eraseKeys(channelId, this.#means)
    this.#means.tellChanged(channelId, this.app, 'closed', 'OTHER_GUEST')
  }

  async #take(source: Source, arrivals: readonly Arrival[]): Promise<void> {
    for (const { data, cursor } of arrivals)
      await this.#serial.run(async () => {
        if (this.stored.offer === 'asleep') return
        const cursors = new Map(this.stored.cursors).set(cursorKey(source.intake), cursor)
        const type = dataType(data)
        const isFirst = type === BOX_TYPE.m1 || type === BOX_TYPE.m1WithoutK
        if (isFirst) await this.#receive(data, cursors)
        else await this.#save({ ...this.stored, cursors }, null)
      })
  }

  async #receive(data: Uint8Array, cursors: ReadonlyMap<string, string>): Promise<void> {
    const { place, shows, over, host } = this.stored
    const spare = (this.#spare ??= await this.#means.ways.openPlace(over, place.address))
    const self = await selfOf(this.app, spare, shows, this.#means)
    const step = await hostReceive(host, data, await openerOf(place), self, contextOf(this.#means))
    const made = step.events.flatMap((each) => this.#newEnd(each, spare, self.identity !== null))[0] ?? null
    if (made !== null) this.#spare = null
    const channels = new Map(this.stored.channels)
    if (made !== null) channels.set(formatHex(made.answer.m1Hash), made.id)
    const isForeign = dataType(data) === BOX_TYPE.m1 && !this.#hasForeign && this.#isForeign(step)
    this.#hasForeign ||= isForeign
    await this.#save({ ...this.stored, host: step.state, cursors, channels }, { step, made, isForeign })
    await this.#settle(step, made)
  }

  /** Whether somebody has the invite who is not the persona that it is for. Whoever saw the bare link alone is nobody. */
  #isForeign({ events }: HostStep): boolean {
    if (this.stored.host.invite.for === undefined) return false
    return events.some((each) => each.event === 'refused' && FOREIGN.has(each.reason))
  }

  #newEnd(event: HostEvent, place: OwnPlace, showsPersona: boolean): NewEnd[] {
    if (event.event !== 'claimed' && event.event !== 'candidate') return []
    const state = firstState(
      event.start,
      place,
      { greeting: this.stored.place, showsPersona, isDirect: this.stored.isDirect },
      this.#means,
    )
    return [{ id: this.#means.newId(), answer: event, state }]
  }

  /** Writes the invite and what its step made, in one change. */
  async #save(
    next: StoredInvite,
    result: { readonly step: HostStep; readonly made: NewEnd | null; readonly isForeign: boolean } | null,
  ): Promise<void> {
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      sealed.inChange(INVITE).put(this.id, next)
      if (result === null) return
      for (const each of this.#droppedBy(result.step)) this.dropInChange(each)
      if (result.made !== null) this.#saveEnd(result.made)
      const claimed = next.host.claim === null ? undefined : next.channels.get(formatHex(next.host.claim.m1Hash))
      if (result.step.events.some(({ event }) => event === 'INVITE_TWICE'))
        this.#means.tellAlarm(claimed ?? this.id, this.app, 'INVITE_TWICE')
      if (result.isForeign) this.#means.tellAlarm(this.id, this.app, 'MISBOUND')
    })
    this.stored = next
  }

  /** Inside of a change. */
  #saveEnd({ id, answer, state }: NewEnd): void {
    const { keeper, sealed, cards } = this.#means
    const nowSec = keeper.nowSec
    const record = {
      app: this.app,
      name: this.stored.name,
      ...peerFields(answer.peer),
      areWordsCompared: false,
      madeSec: nowSec,
      role: 'host' as const,
    }
    keeper.state.stage(keeper.state.of(CHANNEL).put(id, record))
    saveEnd(id, { before: null, after: state, parts: [] }, nowSec, sealed)
    if (answer.peer.persona !== null) cards.meet(answer.peer.persona.card)
    const isCandidate = answer.event === 'candidate'
    this.#means.tellChanged(id, this.app, isCandidate ? 'held' : 'meeting', isCandidate ? 'WITHOUT_SECRET' : null)
  }

  #droppedBy({ events }: HostStep): string[] {
    return events.flatMap((each) => {
      if (each.event !== 'dropped') return []
      return each.m1Hashes.flatMap((hash) => this.stored.channels.get(formatHex(hash)) ?? [])
    })
  }

  /** Once the step is on disk. */
  async #settle(step: HostStep, made: NewEnd | null): Promise<void> {
    if (made !== null) {
      const start: Step = made.answer.start
      const end = this.#ends.add(made.id, this.app, made.state)
      end.post(start.channel, start.posts)
      const { sdp } = made.answer.peer
      // Whoever saw the bare link would else learn the addresses of this machine.
      if (sdp !== null && made.answer.event === 'claimed') end.takeFirstOffer(sdp)
    }
    for (const { to, data } of step.posts)
      this.#outbound.post({ ...this.#line, peer: parseConnectoids(to) }, to, [data])
    for (const each of step.events) if (each.event === 'again') await this.#repeat(each.m1Hash)
    await this.#removeAll(this.#droppedBy(step))
    if (made?.answer.event === 'claimed') await orLater(this.retire(), this.#means)
  }

  async #repeat(m1Hash: Uint8Array): Promise<void> {
    const end = this.#ends.get(this.stored.channels.get(formatHex(m1Hash)) ?? '')
    if (end === undefined) return
    const { engine } = this.#means.keeper
    await orLater(
      end.run((turn) => turn.step(repeatNow(turn.channel, turn.nowMs, engine))),
      this.#means,
    )
  }

  async #removeAll(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      await this.#ends.remove(id)
      await orLater(eraseRemains(id, this.#means), this.#means)
    }
  }
}
