/** Cards and channels: an end that the newest card of its persona does not list is suspended, and new own cards go to the peers (docs/channel.md, section 9). */
import { hold, release } from '../../channel/exchange/life.ts'
import { CONTROL } from '../../channel/exchange/control.ts'
import { submitControl } from '../../channel/exchange/send.ts'
import { encodeUtf8, parseHex } from '../../core/encoding/bytes.ts'
import type { Standing } from '../cards/cards.ts'
import { OWN } from '../state/own-record.ts'
import type { DueTimes } from './ends/due-times.ts'
import type { End } from './ends/end.ts'
import type { Ends } from './ends/ends.ts'
import { orLater } from './ends/places.ts'
import type { Means } from './ends/means.ts'
import { CHANNEL } from './records/channel-record.ts'

const GRACE_CHECK_MS = 3_600_000 // sanity: a peer that rotated and sends no card is suspended within an hour after its seven days

/** The standing of the peer of a channel; null if it has shown no persona. */
export function standingOf(id: string, { keeper, cards }: Means): Standing | null {
  const record = keeper.onDisk.of(CHANNEL).get(id)
  if (record === undefined || record.peer === null || record.peerKey === null) return null
  return cards.standing(record.peer, record.app, parseHex(record.peerKey)!)
}

export class CardWatch {
  readonly #means: Means
  readonly #ends: () => Ends
  /** Ends whose grace runs: no card says when it is over. */
  readonly #grace: DueTimes
  #stop: () => void = () => {}

  constructor(means: Means, ends: () => Ends) {
    this.#means = means
    this.#ends = ends
    this.#grace = means.dueTimes((id) => {
      const end = this.#ends().get(id)
      if (end !== undefined) this.#check(end)
    })
  }

  start(): void {
    this.#stop = this.#means.cards.onChanged((personaId, app) => this.#changed(personaId, app))
  }

  close(): void {
    this.#stop()
    this.#grace.close()
  }

  /** After a start: cards may have come while channels were closed. */
  checkAll(): void {
    for (const end of this.#ends()) this.#check(end)
  }

  #changed(personaId: string, app: string): void {
    const { keeper } = this.#means
    const isOwn = keeper.onDisk.own.get(OWN)?.personaId === personaId
    for (const end of this.#ends()) {
      if (end.app !== app) continue
      if (isOwn) this.#sendOwn(end)
      if (keeper.onDisk.of(CHANNEL).get(end.id)?.peer === personaId) this.#check(end)
    }
  }

  #check(end: End): void {
    const standing = standingOf(end.id, this.#means)
    const { state } = end.summary
    this.#grace.set(end.id, standing === 'unconfirmed' ? this.#means.nowMs + GRACE_CHECK_MS : null)
    if (standing === 'unlisted' && (state === 'open' || state === 'meeting')) this.#suspend(end)
    if (standing === 'listed' && state === 'suspended') this.#resume(end)
  }

  #suspend(end: End): void {
    void orLater(
      end.run((turn) => {
        if (turn.channel.isHeld) return
        turn.step(hold(turn.channel))
        turn.set({ heldBecause: 'card', heldSinceSec: turn.nowSec })
      }),
      this.#means,
    )
  }

  #resume(end: End): void {
    void orLater(
      end.run((turn) => {
        if (turn.state.heldBecause !== 'card') return
        turn.step(release(turn.channel, turn.nowMs, this.#means.keeper.engine))
        turn.set({ heldBecause: null, heldSinceSec: null })
      }),
      this.#means,
    )
  }

  /** The peer learns of the new card by the channel itself. */
  #sendOwn(end: End): void {
    const card = this.#means.cards.own(end.app)
    if (card === null || end.summary.state !== 'open') return
    void orLater(
      end.run((turn) => {
        if (!turn.state.showsPersona || turn.channel.phase !== 'open') return
        turn.step(submitControl(turn.channel, CONTROL.card, encodeUtf8(card)))
      }),
      this.#means,
    )
  }
}
