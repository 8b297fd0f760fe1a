/** A round of one proposal: it finds whether the contact is provided, declined, or led to by another source app, and acts on it. */
import { isDeclined } from './declines.ts'
import type { StoredProposal } from './kinds.ts'
import type { Receive } from '../../../ipc/methods/links.ts'
import type { ProposalState } from '../../../link/proposal.ts'
import type { Announced } from './announced.ts'
import { ByItself } from './by-itself.ts'
import type { ProposalMeans } from './means.ts'
import type { OtherDevices } from './other-devices.ts'
import { bearsOtherName } from './other-name.ts'
import { isSecondChannel, placeOf, rivalsOf } from './rivals.ts'
import { Round, type Found } from './round.ts'
import { isAnnounced, isKnown, sourceKey, type Survey } from './survey.ts'
import type { Texts } from './texts.ts'

/** The owner is asked in these states. */
export const ASKING: readonly ProposalState[] = ['proposed', 'acceptedThere']

export class Rounds {
  readonly #means: ProposalMeans
  readonly #texts: Texts
  readonly #others: OtherDevices
  readonly #byItself: ByItself
  /** Ids of proposals that were not taken by themselves for their name alone. */
  readonly held: Set<string> = new Set()

  constructor(means: ProposalMeans, texts: Texts, others: OtherDevices) {
    this.#means = means
    this.#texts = texts
    this.#others = others
    this.#byItself = new ByItself(means)
  }

  of(id: string, stored: StoredProposal, { ways }: Survey): Round {
    return new Round(id, stored, { means: this.#means, ways, texts: this.#texts, tell: this.#others.tell(ways) })
  }

  /** @param others the other proposals with the person in the app */
  async work(round: Round, survey: Survey, others: readonly StoredProposal[]): Promise<void> {
    const { links } = this.#means
    const { source, target } = round.stored
    const there = this.#thereOf(round, survey)
    const now = this.#find(round, survey, others)
    // An answer may come before anybody knows how the links stand.
    if (links.isReady) await round.run(now)
    const receive = there === null ? links.receiving(source, target) : there.receive
    if (links.isReady && (await this.#takesByItself(round, survey, receive))) await round.run(now)
    await this.#show(round, survey)
    if (round.stored.made !== null) survey.made.add(round.stored.made)
  }

  #thereOf({ stored }: Round, { open }: Survey): Announced | null {
    const found = open.get(sourceKey(stored)) ?? null
    return isAnnounced(found) ? found : null
  }

  #find(round: Round, survey: Survey, others: readonly StoredProposal[]): Found {
    const { keeper, links } = this.#means
    const { source, target, persona, over } = round.stored
    const there = this.#thereOf(round, survey)
    // A source channel of this device may be closed for a moment.
    const isProvided =
      over === undefined
        ? links.targetsOf(source, persona).some(({ app }) => app === target)
        : there?.isProvided === true
    return {
      isProvided,
      isDeclined: isDeclined(persona, target, keeper),
      isAccepted: rivalsOf(round.stored, others).some(({ proposal: { own } }) => own.answer === 'accepted'),
      placeOf: (stored) => placeOf(stored, rivalsOf(stored, others), survey, keeper.nowSec),
      isSecond: (made) =>
        others.length > 0 && isSecondChannel(made, others, survey.ways.all(), keeper.table().personaId),
      isKnown: isKnown(round.stored, survey),
      channel: survey.open.get(sourceKey(round.stored))?.id ?? null,
      n: there?.n ?? 0,
    }
  }

  /** The target app may take contacts without a question, so many a day, and none who bears the name of somebody else. */
  async #takesByItself(round: Round, { channels }: Survey, receive: Readonly<Receive> | null): Promise<boolean> {
    const { target, proposal, name, persona } = round.stored
    this.held.delete(round.id)
    if (receive?.how !== 'self' || !ASKING.includes(round.state) || proposal.own.answer !== 'none') return false
    if (bearsOtherName({ name, persona, app: target }, channels, this.#means.keeper)) {
      this.held.add(round.id)
      return false
    }
    if (!(await this.#byItself.take(target, receive.aDay))) return false
    await round.answer('accepted')
    return true
  }

  async #show(round: Round, { ways }: Survey): Promise<void> {
    const { state, stored } = round
    if (state === stored.shown) return
    const { source: by, target: app, persona, name, made } = stored
    if (made !== null && (state === 'connected' || state === 'confirmed' || state === 'alarm'))
      await ways.introduce(made, { by, state: state === 'connected' ? 'waiting' : state })
    await round.noteShown(() =>
      this.#means.keeper.state.emit({ event: 'app.proposal', data: { app, by, persona, name, state } }),
    )
  }
}
