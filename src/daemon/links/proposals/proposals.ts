/** All proposals of this daemon: one for each device of a contact, source app and target app. They work in rounds, one proposal after another. */
import { setImmediate } from 'node:timers/promises'
import { dueSec, NO_PROPOSAL, type ProposalState } from '../../../link/proposal.ts'
import { describeError } from '../../../process/describe-error.ts'
import { Serial } from '../../../process/serial.ts'
import { hashed } from '../../sealed/hashed.ts'
import type { PersonaChannel } from '../../wing/introductions.ts'
import { noteAnswer } from './declines.ts'
import { answerRefused } from './errors.ts'
import { PROPOSAL, TEXT, type StoredProposal } from './kinds.ts'
import type { ProposalMeans } from './means.ts'
import { bearsOtherName } from './other-name.ts'
import { Due, Pace } from './pace.ts'
import { groupsOf, othersOf, rivalsOf } from './rivals.ts'
import type { Round } from './round.ts'
import { ASKING, Rounds } from './rounds.ts'
import { OtherDevices, RETRY_SEC } from './other-devices.ts'
import { provided } from './provided.ts'
import { isKnown, sourceKey, surveyOf, type Survey } from './survey.ts'
import { Texts } from './texts.ts'
import { Woken, type IsMeant } from './woken.ts'

const MOST_SEC = 86_400 // sanity: timers of Node take 24 days at most
/** The owner can still change the answer in those in which they are not asked. */
const ANSWERABLE: readonly ProposalState[] = [...ASKING, 'acceptedHere', 'declined', 'expired']

export class Proposals {
  readonly #means: ProposalMeans
  readonly #texts: Texts
  readonly #others: OtherDevices
  readonly #rounds: Rounds
  readonly #serial = new Serial()
  #stored: Map<string, StoredProposal> | null = null
  /** As they were found last. */
  #channels: readonly PersonaChannel[] = []
  readonly #woken = new Woken()
  readonly #pace: Pace
  readonly #due: Due
  #isQueued = false
  #isClosed = false
  #ringAtSec = Infinity
  #stopRinging: () => void = () => {}
  #stopResting: () => void = () => {}

  constructor(means: ProposalMeans) {
    this.#means = means
    this.#texts = new Texts(means)
    const { links, introductions, devices, clock } = means
    this.#pace = new Pace(clock)
    this.#due = new Due(this.#pace)
    this.#others = new OtherDevices(means, this.#texts, this.#pace)
    this.#rounds = new Rounds(means, this.#texts, this.#others)
    introductions.take = (channel, app, texts) =>
      this.#texts.keep(channel, texts, (target) => links.isLinked(app, target))
    introductions.taken = (channel) => this.wake(channel)
    devices.onWords = async (link, words) => {
      for (const channel of await this.#serial.run(async () => await this.#others.hear(link, words))) this.wake(channel)
    }
    links.onChange(() => this.wake())
  }

  /** Works soon, on the proposals of one channel that has changed. @param channel null for all proposals */
  wake(channel: string | null = null): void {
    if (channel === null) this.#woken.all()
    else this.#woken.channel(channel)
    this.#queue()
  }

  /** Works soon on the proposals of one contact, and on those that wait for a name. @param personas those of the contact */
  wakeContact(personas: readonly string[]): void {
    this.#woken.contact(personas)
    this.#queue()
  }

  #queue(): void {
    if (this.#isQueued || this.#isClosed) return
    this.#isQueued = true
    void this.#serial.run(async () => {
      this.#isQueued = false
      try {
        await this.#workAll()
      } catch (error) {
        this.#means.log.debug('proposals', describeError(error))
        this.#woken.all()
      }
    })
  }

  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#pace.stop()
    this.#stopRinging()
    this.#stopResting()
    await this.#serial.idle()
  }

  /** Those that lead to a channel, or may. @throws {CustodyError} APPS_LOCKED */
  async all(): Promise<readonly StoredProposal[]> {
    const stored = await this.#serial.run(async () => [...(await this.#load()).values()])
    return stored.filter(({ proposal }) => !proposal.own.isSecond)
  }

  /** Those that wait for an answer of the owner, as far as they are in memory: for `status`. */
  get asking(): number {
    return [...(this.#stored?.values() ?? [])].filter(({ shown }) => ASKING.includes(shown)).length
  }

  /** Whether somebody else has the name of a contact: another contact, or whoever a channel of the target app leads to. */
  bearsOtherName({ name, persona, target }: Pick<StoredProposal, 'name' | 'persona' | 'target'>): boolean {
    const { keeper } = this.#means
    return bearsOtherName({ name, persona, app: target }, this.#channels, keeper)
  }

  /**
   * The owner answers for all devices of a contact.
   * @throws {ProposalsError} PROPOSAL_UNKNOWN, also once the channel is being made
   */
  async answer(target: string, persona: string, answer: 'accepted' | 'declined'): Promise<void> {
    await this.#serial.run(async () => {
      const all = await this.#load()
      const found = [...all].filter(([, stored]) => stored.target === target && stored.persona === persona)
      const open = found.filter(([, { shown }]) => ANSWERABLE.includes(shown))
      const survey = await this.#survey()
      const rounds = open.map(([id, stored]) => this.#rounds.of(id, stored, survey))
      const late = new Set<Round>()
      if (answer === 'declined') for (const round of rounds) if (await round.claim()) late.add(round)
      if (late.size < rounds.length) await noteAnswer(persona, target, answer, this.#means.keeper)
      const groupOf = groupsOf(this.#stored!)
      for (const round of rounds)
        await this.#attempt(round.id, async () => {
          if (!late.has(round)) await round.answer(answer)
          await this.#workOn(round, survey, groupOf)
        })
      if (late.size < rounds.length) return
      throw answerRefused(
        target,
        persona,
        found.flatMap(([id]) => all.get(id)?.shown ?? []),
      )
    })
  }

  async #load(): Promise<Map<string, StoredProposal>> {
    const { sealed } = this.#means
    sealed.key.require()
    this.#stored ??= new Map(await Array.fromAsync(sealed.onDisk(PROPOSAL).iterate()))
    return this.#stored
  }

  async #workAll(): Promise<void> {
    const { sealed, keeper } = this.#means
    const isMeant = this.#woken.isNone ? null : this.#woken.take()
    if (!sealed.key.isOpen) {
      this.#stored = null
      this.#due.clear()
      this.#others.forget()
      this.#channels = []
      this.#woken.all()
      return
    }
    if (!keeper.hasPersona) return
    const stored = await this.#load()
    const { links } = this.#means
    if (stored.size === 0 && links.all.length === 0 && !(await this.#others.hasAny())) return
    if (!links.isReady) {
      this.#woken.all()
      return
    }
    const survey = await this.#survey()
    if (isMeant !== null) await this.#begin(stored, survey, isMeant)
    const passSec = await this.#others.work(survey, stored.values(), isMeant)
    if (passSec !== null) this.#ringIn(passSec)
    const groupOf = groupsOf(stored)
    if (isMeant !== null) this.#due.add(this.#meant(stored, survey, groupOf, isMeant))
    for (const id of this.#due.take()) {
      // Calls of apps come between.
      await setImmediate()
      await this.#workOnOne(id, survey, groupOf)
    }
    const isWorkLeft = !this.#due.isEmpty || this.#others.isWorkLeft
    if (isWorkLeft && !this.#isClosed) this.#restFor(this.#pace.waitMs)
  }

  /** Those that the changes are about, and the others of the same people, which may wait for them. */
  #meant(
    stored: ReadonlyMap<string, StoredProposal>,
    survey: Survey,
    groupOf: ReturnType<typeof groupsOf>,
    isMeant: IsMeant,
  ): string[] {
    return [...stored].flatMap(([id, each]) => {
      const { channel, made, invite, persona } = each
      const now = survey.open.get(sourceKey(each))?.id
      const usedBy = invite === null ? null : survey.ways.usedBy(invite)
      const isHeld = this.#rounds.held.has(id)
      return isMeant({ persona, channels: [channel, now, made, usedBy], isHeld }) ? groupOf(each) : []
    })
  }

  async #workOnOne(id: string, survey: Survey, groupOf: ReturnType<typeof groupsOf>): Promise<void> {
    const { keeper } = this.#means
    const each = this.#stored?.get(id)
    if (each === undefined) return
    const round = this.#rounds.of(id, each, survey)
    const isDone = await this.#attempt(id, async () => await this.#workOn(round, survey, groupOf))
    if (round.stored !== each) this.#pace.spend()
    const dueAt = dueSec(round.stored.proposal, keeper.nowSec)
    const waits = [isDone ? null : RETRY_SEC, round.laterSec, dueAt === null ? null : dueAt - keeper.nowSec]
    this.#ringIn(Math.min(MOST_SEC, ...waits.filter((sec) => sec !== null)))
    if (isDone && this.#others.isOver(round.stored, survey)) await this.#erase(id, round.stored)
  }

  /** Goes on after a rest. Answers of the owner come between, and changes of others. */
  #restFor(ms: number): void {
    this.#stopResting()
    if (ms === 0) return this.#queue()
    this.#stopResting = this.#means.clock.after(ms, () => this.#queue())
  }

  /** Works on all proposals after so long at the latest. */
  #ringIn(sec: number): void {
    const atSec = this.#means.keeper.nowSec + sec
    if (atSec >= this.#ringAtSec) return
    this.#stopRinging()
    this.#ringAtSec = atSec
    this.#stopRinging = this.#means.clock.after(sec * 1000, () => {
      this.#ringAtSec = Infinity
      this.wake()
    })
  }

  async #survey(): Promise<Survey> {
    const survey = surveyOf(
      await this.#means.introductions.ways(),
      this.#stored?.values() ?? [],
      await this.#others.announced(),
    )
    this.#channels = survey.channels
    return survey
  }

  /** Begins a proposal for each contact that is provided now, and whom the target app does not know yet. */
  async #begin(stored: Map<string, StoredProposal>, survey: Survey, isMeant: IsMeant): Promise<void> {
    const { keeper } = this.#means
    for (const fresh of provided(survey, this.#means, isMeant)) {
      const { source, target, persona, device, over } = fresh
      const where = over === undefined ? '' : ` ${over}`
      const id = hashed('by', `${source} ${target} ${persona} ${device}${where}`, keeper.engine)
      if (stored.has(id) || isKnown(fresh, survey)) continue
      stored.set(id, {
        ...fresh,
        proposal: NO_PROPOSAL,
        invite: null,
        made: null,
        shown: 'none',
        sinceSec: keeper.nowSec,
      })
      await setImmediate()
    }
  }

  /** A failure of one costs no other: it is read again from the disk, and tried again. @returns whether it was done */
  async #attempt(id: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.#means.log.debug('proposal', describeError(error))
      const stored = this.#means.sealed.onDisk(PROPOSAL).get(id)
      if (stored === undefined) this.#stored?.delete(id)
      else this.#stored?.set(id, stored)
      return false
    }
  }

  async #workOn(round: Round, survey: Survey, groupOf: ReturnType<typeof groupsOf>): Promise<void> {
    const { id, stored } = round
    const others = othersOf(id, this.#stored!, groupOf)
    await this.#rounds.work(round, survey, others)
    this.#stored?.set(id, round.stored)
    if (round.stored.proposal === stored.proposal) return
    for (const { channel } of rivalsOf(round.stored, others)) this.wake(channel)
  }

  async #erase(id: string, { channel, target }: StoredProposal): Promise<void> {
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      sealed.inChange(PROPOSAL).delete(id)
      sealed.inChange(TEXT).delete(`${channel}/${target}`)
    })
    this.#stored?.delete(id)
  }
}
