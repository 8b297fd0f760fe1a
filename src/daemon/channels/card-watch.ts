/**
 * Cards, blocks and channels: an end that the newest card of its persona does not list is suspended, and so is one whose persona the owner
 * blocks. New own cards go to the peers (docs/channel.md, section 9).
 */
import { hold, release } from '../../channel/exchange/life.ts'
import { CONTROL } from '../../channel/exchange/control.ts'
import { submitControl } from '../../channel/exchange/send.ts'
import { encodeUtf8, parseHex } from '../../core/encoding/bytes.ts'
import type { Standing } from '../cards/kept/known.ts'
import { OWN } from '../state/own-record.ts'
import { isBlocked } from '../state/view.ts'
import type { DueTimes } from './ends/due-times.ts'
import type { End } from './ends/end.ts'
import type { Ends } from './ends/ends.ts'
import { orLater } from './ends/places.ts'
import type { Means } from './ends/means.ts'
import { CHANNEL } from './records/channel-record.ts'
import type { HeldBecause } from './records/stored-end.ts'

const FORWARD_MS: number = 6 * 3_600_000 // sanity: a peer that signs cards without an end fills no outbox with them
const MEETING_MS = 60_000 // sanity: a handshake ends within seconds if both sides are there

const GRACE_CHECK_MS = 3_600_000 // sanity: a peer that rotated and sends no card is suspended within an hour after its seven days

/** The standing of the peer of a channel; null if it has shown no persona. */
export function standingOf(id: string, { keeper, cards }: Means): Standing | null {
  const record = keeper.onDisk.of(CHANNEL).get(id)
  if (record === undefined || record.peer === null || record.peerKey === null) return null
  return cards.standing(record.peer, record.app, parseHex(record.peerKey)!)
}

type Suspension = Exclude<HeldBecause, 'candidate'>

/** As apps see them. */
const REASONS: Readonly<Record<Suspension, string>> = { card: 'CARD', blocked: 'BLOCKED' }

/** Whether the owner blocks the persona of the peer. */
function isPeerBlocked(id: string, { keeper }: Means): boolean {
  const peer = keeper.onDisk.of(CHANNEL).get(id)?.peer ?? null
  return peer !== null && isBlocked(peer, keeper.onDisk)
}

export class CardWatch {
  readonly #means: Means
  readonly #ends: () => Ends
  /** Ends whose grace runs: no card says when it is over. */
  readonly #grace: DueTimes
  /** Ends that are to be sent a card of their siblings. */
  readonly #forwards: DueTimes
  readonly #forwardedMs = new Map<string, number>()
  #stop: () => void = () => {}

  constructor(means: Means, ends: () => Ends) {
    this.#means = means
    this.#ends = ends
    this.#grace = means.dueTimes((id) => {
      const end = this.#ends().get(id)
      if (end !== undefined) this.#check(end)
    })
    this.#forwards = means.dueTimes((id) => this.#sendTheirs(id))
  }

  start(): void {
    this.#stop = this.#means.cards.onChanged((personaId, app) => this.#changed(personaId, app))
  }

  close(): void {
    this.#stop()
    this.#grace.close()
    this.#forwards.close()
  }

  /** After a start, since cards and blocks may have come while channels were closed; and when the owner blocks or unblocks somebody. */
  checkAll(): void {
    for (const end of this.#ends()) {
      this.#check(end)
      // The time to send a card may have been missed.
      this.opened(end.id)
    }
  }

  /** A channel is open. Another device of the owner may not know of this one: they meet nowhere else, and one that is unlisted takes nothing. */
  opened(id: string): void {
    const { keeper } = this.#means
    const end = this.#ends().get(id)
    const { peer = null } = keeper.onDisk.of(CHANNEL).get(id) ?? {}
    if (end === undefined || peer === null || peer !== keeper.onDisk.own.get(OWN)?.personaId) return
    if (this.#forwardedMs.has(id)) return
    // The event of a turn comes before its end shows the new state.
    void orLater(
      end.run(() => {}).then(() => this.#sendTheirs(id)),
      this.#means,
    )
  }

  #changed(personaId: string, app: string): void {
    const { keeper, nowMs } = this.#means
    const isOwn = keeper.onDisk.own.get(OWN)?.personaId === personaId
    for (const end of this.#ends()) {
      if (end.app !== app) continue
      if (isOwn) this.#sendOwn(end)
      if (keeper.onDisk.of(CHANNEL).get(end.id)?.peer !== personaId) continue
      this.#check(end)
      const lastMs = this.#forwardedMs.get(end.id)
      this.#forwards.set(end.id, lastMs === undefined ? nowMs : Math.max(nowMs, lastMs + FORWARD_MS))
    }
  }

  #check(end: End): void {
    const standing = standingOf(end.id, this.#means)
    const { state } = end.summary
    this.#grace.set(end.id, standing === 'unconfirmed' ? this.#means.nowMs + GRACE_CHECK_MS : null)
    if (state !== 'open' && state !== 'meeting' && state !== 'suspended') return
    const because = this.#holds(end, standing)
    if (because !== null && end.summary.reason !== REASONS[because]) this.#suspend(end, because)
    if (because === null && state === 'suspended') this.#resume(end)
  }

  /** Why an end must not work now; null if it may. */
  #holds(end: End, standing: Standing | null): Suspension | null {
    if (isPeerBlocked(end.id, this.#means)) return 'blocked'
    const wasUnlisted = end.summary.reason === REASONS.card
    // Only a card that lists the end lets it go on.
    return standing === 'unlisted' || (wasUnlisted && standing !== 'listed') ? 'card' : null
  }

  #suspend(end: End, because: Suspension): void {
    void orLater(
      end.run((turn) => {
        const { heldBecause, heldSinceSec } = turn.state
        if (heldBecause === 'candidate' || heldBecause === because) return
        if (!turn.channel.isHeld) turn.step(hold(turn.channel))
        // The owner may take a block back at any time.
        turn.set({ heldBecause: because, heldSinceSec: because === 'blocked' ? null : (heldSinceSec ?? turn.nowSec) })
      }),
      this.#means,
    )
  }

  #resume(end: End): void {
    void orLater(
      end.run((turn) => {
        const { heldBecause } = turn.state
        if (heldBecause !== 'card' && heldBecause !== 'blocked') return
        turn.step(release(turn.channel, turn.nowMs, this.#means.keeper.engine))
        turn.set({ heldBecause: null, heldSinceSec: null })
      }),
      this.#means,
    )
  }

  /** A device of the peer's persona learns what its siblings signed: they may have no store in common. */
  #sendTheirs(id: string): void {
    const end = this.#ends().get(id)
    const { peer = null, peerKey = null, app = '' } = this.#means.keeper.onDisk.of(CHANNEL).get(id) ?? {}
    if (end === undefined || peer === null || peerKey === null) return void this.#forwardedMs.delete(id)
    const { nowMs, cards } = this.#means
    if (end.summary.state === 'meeting') return this.#forwards.set(id, nowMs + MEETING_MS)
    const card = cards.unseenBy(peer, app, parseHex(peerKey)!)
    if (card === null || end.summary.state !== 'open') return
    this.#forwardedMs.set(id, nowMs)
    this.#sendCard(end, card, 'theirs')
  }

  /** The peer learns of the new card by the channel itself. */
  #sendOwn(end: End): void {
    const card = this.#means.cards.own(end.app)
    if (card === null || end.summary.state !== 'open') return
    this.#sendCard(end, card, 'own')
  }

  #sendCard(end: End, card: string, whose: 'own' | 'theirs'): void {
    void orLater(
      end.run((turn) => {
        if (whose === 'own' && !turn.state.showsPersona) return
        if (turn.channel.phase !== 'open' || turn.channel.isHeld) return
        turn.step(submitControl(turn.channel, CONTROL.card, encodeUtf8(card)))
      }),
      this.#means,
    )
  }
}
