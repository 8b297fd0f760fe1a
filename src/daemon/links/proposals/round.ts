/** One round of one proposal: takes what has come, does what it needs, and tells the other side. Each step is on disk before the next. */
import {
  answered,
  claimed,
  failed,
  joined,
  lacksOwn,
  lost,
  needsOf,
  offered,
  opened,
  placed,
  provided,
  spokenFor,
  stateOf,
  tell,
  textOf,
  took,
  type Proposal,
} from '../../../link/proposal.ts'
import { openedHash } from '../../../link/opened.ts'
import { readOffer } from '../../../link/offer.ts'
import { formatText } from '../../../link/text.ts'
import type { ChannelPlan, ChannelWays } from '../../wing/introductions.ts'
import type { ChannelState } from '../../../ipc/methods/channel-values.ts'
import { PROPOSAL, type StoredProposal } from './kinds.ts'
import type { ProposalMeans } from './means.ts'
import type { Tell } from './other-devices.ts'
import type { Place } from './rivals.ts'
import type { Texts } from './texts.ts'

const OPEN: readonly (ChannelState | null)[] = ['open', 'unconfirmed', 'suspended']
const UNDERWAY: readonly (ChannelState | null)[] = ['waiting', 'meeting']

export interface RoundMeans {
  readonly means: ProposalMeans
  readonly ways: ChannelWays
  readonly texts: Texts
  /** Sends a text over a source channel, wherever that ends. */
  readonly tell: Tell
}

export interface Found {
  /** The owner provides the contact now. */
  readonly isProvided: boolean
  readonly isDeclined: boolean
  /** The owner has accepted the person in the target app, over another source app. */
  readonly isAccepted: boolean
  /** Whether another source app leads to the channel. */
  readonly placeOf: (stored: StoredProposal) => Place
  /** Whether another proposal has opened a channel with the same device of the person, and this side ends the second one. */
  readonly isSecond: (made: string) => boolean
  /** The target app has a channel with the person that no proposal made. */
  readonly isKnown: boolean
  /** The source channel is open, under this id. */
  readonly channel: string | null
  /** The number up to which the daemon of the source channel has spoken for this one; 0 where it is this one. */
  readonly n: number
}

export class Round {
  readonly id: string
  readonly #parts: RoundMeans
  stored: StoredProposal
  /** The other side must get the newest text once more. */
  #mustRepeat = false
  /** Seconds until a text that waits may be taken. */
  laterSec: number | null = null

  constructor(id: string, stored: StoredProposal, parts: RoundMeans) {
    this.id = id
    this.#parts = parts
    this.stored = stored
  }

  async run(found: Found): Promise<void> {
    const { channel } = this.stored
    if (found.channel !== null && found.channel !== channel) {
      this.#mustRepeat = true
      await this.#keep({ channel: found.channel })
    }
    const told = spokenFor(this.#proposal, found.n)
    if (told !== this.#proposal) await this.#keep({ proposal: told })
    await this.#take()
    await this.#look(found)
    const place = found.placeOf(this.stored)
    await this.#move((proposal) => {
      const next = provided(placed(proposal, place !== 'first'), found.isProvided && place !== 'over')
      if (found.isDeclined) return next.own.answer === 'declined' ? next : answered(next, 'declined')
      return found.isAccepted && next.own.answer !== 'accepted' ? answered(next, 'accepted') : next
    })
    await this.#bring()
    await this.#tell()
  }

  /** The owner, or the setting of the app, has answered. */
  async answer(answer: 'accepted' | 'declined'): Promise<void> {
    await this.#move((proposal) => answered(proposal, answer))
  }

  /** Nobody uses the offer from now on. Whoever was faster is a guest, and may have the channel already. @returns whether somebody was */
  async claim(): Promise<boolean> {
    const { invite, proposal } = this.stored
    if (invite === null || proposal.own.offer === null || proposal.own.isClaimed) return false
    const { ways } = this.#parts
    await ways.setAwake(invite, false)
    const by = ways.usedBy(invite) ?? null
    if (by !== null) await this.#keep({ proposal: claimed(this.#proposal), made: by })
    return by !== null
  }

  get #proposal(): Proposal {
    return this.stored.proposal
  }

  get #nowSec(): number {
    return this.#parts.means.keeper.nowSec
  }

  async #take(): Promise<void> {
    const { channel, target, persona } = this.stored
    const found = this.#parts.texts.waiting(channel, target, persona)
    if (found === null) return
    if ('laterSec' in found) {
      this.laterSec = found.laterSec
      return
    }
    const { text, drop } = found
    if (text !== null) this.#mustRepeat ||= lacksOwn(this.#proposal, text)
    const proposal = text === null ? this.#proposal : took(this.#proposal, text)
    await this.#keep({ proposal }, drop)
  }

  /** Finds what became of the invite and of the handshake. */
  async #look(found: Found): Promise<void> {
    const { ways, means } = this.#parts
    const { invite, proposal, made } = this.stored
    const { own } = proposal
    if (own.opened !== null) return await this.#lookAtOpened(found)
    if (made === null && invite !== null) {
      const by = ways.usedBy(invite)
      if (by === undefined) return await this.#keep({ proposal: failed(proposal), invite: null })
      // A crash has come before the end of an offer that is taken back.
      if (by !== null && own.offer !== null) await this.#keep({ proposal: claimed(proposal), made: by })
    }
    const { made: channel } = this.stored
    if (channel === null) return
    const state = await ways.stateOf(channel)
    const m2Hash = OPEN.includes(state) ? ways.m2HashOf(channel) : null
    if (m2Hash !== null && found.isSecond(channel)) {
      await this.#keep({ isSame: true })
      await this.#move(failed)
    } else if (m2Hash !== null) {
      const hash = openedHash(m2Hash, means.keeper.engine)
      // Nobody may find it on this device later.
      if (invite !== null) await ways.endOffer(invite)
      await this.#keep({ proposal: opened(this.#proposal, hash), invite: null })
    } else if (!UNDERWAY.includes(state)) await this.#move(failed)
  }

  /**
   * A channel that broke, as after a restore, is made anew, unless the target app has got another one with the person. An alarm stays: whoever is between
   * the two ends could break the channel.
   */
  async #lookAtOpened({ isKnown }: Found): Promise<void> {
    const { made, proposal } = this.stored
    if (made === null || isKnown || this.state === 'alarm' || (await this.#parts.ways.stateOf(made)) !== 'broken')
      return
    await this.#keep({ proposal: lost(proposal), made: null, isSame: false })
  }

  /** Takes a step, and ends what has no place in it any more. The step is taken anew if a guest was faster than the end of the offer. */
  async #move(step: (proposal: Proposal) => Proposal): Promise<void> {
    const { ways } = this.#parts
    let proposal = step(this.#proposal)
    if (proposal.own.offer === null && (await this.claim())) proposal = step(this.#proposal)
    const { made, invite } = this.stored
    const { own } = proposal
    if (proposal !== this.#proposal) await this.#keep({ proposal })
    if (own.opened !== null) return
    if (made !== null && own.joining === null && !own.isClaimed) {
      await ways.giveUp(made)
      await this.#keep({ made: null })
    }
    if (invite !== null && own.offer === null) await this.#endInvite()
  }

  /** Makes the invite and the handshake that are needed. */
  async #bring(): Promise<void> {
    const { ways } = this.#parts
    let needs = needsOf(this.#proposal, this.#nowSec)
    if (needs.invite === 'new') {
      if (!(await this.claim())) {
        await this.#endInvite()
        if (!(await this.#offer())) return
      }
      needs = needsOf(this.#proposal, this.#nowSec)
    }
    const { invite } = this.stored
    if (needs.invite === 'open' || needs.invite === 'asleep') {
      if (invite !== null) await ways.setAwake(invite, needs.invite === 'open')
    } else if (needs.join !== null) {
      // Whoever has used it is a guest, and not this side.
      if (invite !== null && (ways.usedBy(invite) ?? null) !== null) return
      await this.#endInvite()
      await ways.join(this.#plan, needs.join.invite, (channel) =>
        this.#put({ proposal: joined(this.#proposal), made: channel }),
      )
    }
  }

  get #plan(): ChannelPlan {
    const { target: app, persona, name } = this.stored
    return { app, persona, name }
  }

  /** @returns whether there is an offer now */
  async #offer(): Promise<boolean> {
    const { means, ways } = this.#parts
    const { target: app, persona } = this.stored
    const of = { app, by: means.keeper.table().personaId, for: persona }
    return await ways.makeOffer(this.#plan, (id, line) => {
      const offer = readOffer(line, of, means.keeper.engine)
      this.#put({ proposal: offered(this.#proposal, offer), invite: id })
    })
  }

  async #endInvite(): Promise<void> {
    const { invite } = this.stored
    if (invite === null) return
    const { ways } = this.#parts
    await ways.setAwake(invite, false)
    // Somebody was faster than the end of the offer. Crash here: the invite still says who it was.
    const by = ways.usedBy(invite) ?? null
    if (by !== null && by !== this.stored.made) await ways.giveUp(by)
    await ways.endOffer(invite)
    await this.#keep({ invite: null })
  }

  async #tell(): Promise<void> {
    const { tell: send } = this.#parts
    const { channel, target } = this.stored
    const told = tell(this.#proposal, target, this.#nowSec)
    if (told !== null) {
      const [proposal, text] = told
      await send(channel, formatText(text), () => this.#put({ proposal }))
    } else if (this.#mustRepeat && this.#proposal.own.told !== '') {
      await send(channel, formatText(textOf(this.#proposal, target)), () => {})
    }
  }

  get state(): ReturnType<typeof stateOf> {
    return stateOf(this.#proposal, this.#nowSec)
  }

  /** The owner has heard of a state. @param note further writes of the change */
  async noteShown(note: () => void): Promise<void> {
    await this.#keep({ shown: this.state }, note)
  }

  /** @param note further writes of the change */
  async #keep(more: Partial<StoredProposal>, note: () => void = () => {}): Promise<void> {
    await this.#parts.means.keeper.change(() => {
      this.#put(more)
      note()
    })
  }

  /** Inside of a change. */
  #put(more: Partial<StoredProposal>): void {
    this.stored = { ...this.stored, ...more }
    this.#parts.means.sealed.inChange(PROPOSAL).put(this.id, this.stored)
  }
}
