/** Proposals over links with other devices of the owner: contacts of theirs for apps here, and contacts of apps here for them. */
import { setImmediate } from 'node:timers/promises'
import type { Word } from '../../../link/word.ts'
import { describeError } from '../../../process/describe-error.ts'
import type { ChannelWays } from '../../wing/introductions.ts'
import { AnnouncedContacts, type Announced } from './announced.ts'
import type { StoredProposal } from './kinds.ts'
import type { ProposalMeans } from './means.ts'
import { Due, type Pace } from './pace.ts'
import { Passing } from './passing.ts'
import type { Survey } from './survey.ts'
import { asNewest, type Texts } from './texts.ts'
import type { IsMeant } from './woken.ts'

export const RETRY_SEC = 60 // sanity: a relay that is away, or a persona that is locked

/** @param note inside of the change that sends the text @returns false if the channel is not open now */
export type Tell = (channel: string, text: Uint8Array, note: () => void) => Promise<boolean>

export class OtherDevices {
  readonly #means: ProposalMeans
  readonly #announced: AnnouncedContacts
  readonly #passing: Passing
  readonly #pace: Pace
  /** Contacts of apps here, for other devices. */
  readonly #due: Due

  constructor(means: ProposalMeans, texts: Texts, pace: Pace) {
    this.#means = means
    this.#pace = pace
    this.#due = new Due(pace)
    this.#announced = new AnnouncedContacts(means, texts)
    this.#passing = new Passing(means, texts)
  }

  /** Whether there is anything to work on. */
  async hasAny(): Promise<boolean> {
    return (await this.#announced.load()).size + (await this.#passing.load()).size > 0
  }

  /** The pace has let some wait. */
  get isWorkLeft(): boolean {
    return !this.#due.isEmpty
  }

  forget(): void {
    this.#due.clear()
    this.#announced.forget()
    this.#passing.forget()
  }

  /** Contacts that other devices have announced, and whose links stand. */
  async announced(): Promise<readonly Announced[]> {
    await this.#announced.prune()
    return await this.#announced.all()
  }

  /** Takes words of another device. @returns the source channels that they are about */
  async hear(link: string, words: readonly Word[]): Promise<string[]> {
    const apps = this.#means.links.appsOf(link)
    if (apps === null) return []
    const [announced, passed] = [
      await this.#announced.hear(link, apps.own, words),
      await this.#passing.hear(link, apps, words),
    ]
    return [...announced, ...passed]
  }

  /**
   * Works for apps on other devices.
   * @param here the proposals of this device, which speak of their target apps by themselves
   * @param isMeant null if nothing has changed
   * @returns seconds until there is more to do; null for never
   */
  async work(survey: Survey, here: Iterable<StoredProposal>, isMeant: IsMeant | null): Promise<number | null> {
    const passed = await this.#passing.load()
    if (isMeant !== null) {
      await this.#passing.begin(survey, isMeant)
      const meant = [...passed].filter(([, { channel, persona }]) => isMeant({ channels: [channel], persona }))
      this.#due.add(meant.map(([id]) => id))
    }
    const taken = new Set([...here].map(({ channel, target }) => `${channel}/${target}`))
    const laterSec: number[] = []
    for (const id of this.#due.take()) {
      const before = passed.get(id)
      if (before === undefined) continue
      // Calls of apps come between.
      await setImmediate()
      try {
        const later = await this.#passing.run(id, survey, taken.has(`${before.channel}/${before.target}`))
        if (later !== null) laterSec.push(later)
        if (passed.get(id) !== before) this.#pace.spend()
        if (this.#passing.isOver(id, survey)) await this.#passing.erase(id)
      } catch (error) {
        this.#means.log.debug('proposal.pass', describeError(error))
        laterSec.push(RETRY_SEC)
      }
    }
    return laterSec.length === 0 ? null : Math.min(...laterSec)
  }

  /** Sends a text over a source channel, of this device or by the other one. */
  tell(ways: ChannelWays): Tell {
    return async (channel, text, note) => {
      const way = this.#announced.wayTo(channel)
      if (way === null) return await ways.tell(channel, asNewest(text), note)
      const { link, persona, device } = way
      return await this.#means.devices.send(link, { kind: 'say', persona, device, text }, note)
    }
  }

  /** Nothing is left to say or to make: the source channel is gone for good, and no channel came of it. */
  isOver({ channel, made, proposal }: StoredProposal, { ids }: Survey): boolean {
    const isThere = this.#announced.wayTo(channel) !== null || ids.has(channel)
    return made === null && proposal.own.offer === null && !isThere
  }
}
