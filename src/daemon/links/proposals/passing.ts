/**
 * Contacts of apps of this device, for apps on other devices of the owner (docs/links.md, section 5). The other daemon makes the offers and asks the
 * owner. This one says whom it may have, passes texts on both ways, and withdraws by itself.
 */
import { ProposalError } from '../../../link/errors.ts'
import { gone, lacking, NOTHING_PASSED, spoke, stopped } from '../../../link/passed.ts'
import { parseText, type ProposalText } from '../../../link/text.ts'
import type { Word } from '../../../link/word.ts'
import { hashed } from '../../sealed/hashed.ts'
import { PASSED, passedOf, storedPassed, TEXT, type StoredPassed } from './kinds.ts'
import type { ProposalMeans, StandingElsewhere } from './means.ts'
import { sourceKey, type Survey } from './survey.ts'
import { asNewest, type Texts } from './texts.ts'
import type { IsMeant } from './woken.ts'

export class Passing {
  readonly #means: ProposalMeans
  readonly #texts: Texts
  #stored: Map<string, StoredPassed> | null = null

  constructor(means: ProposalMeans, texts: Texts) {
    this.#means = means
    this.#texts = texts
  }

  /** @throws {CustodyError} APPS_LOCKED */
  async load(): Promise<Map<string, StoredPassed>> {
    this.#stored ??= new Map(await Array.fromAsync(this.#means.sealed.onDisk(PASSED).iterate()))
    return this.#stored
  }

  forget(): void {
    this.#stored = null
  }

  /** Takes words of another device. @returns the source channels that they are about */
  async hear(
    link: string,
    { own, other }: Pick<StandingElsewhere, 'own' | 'other'>,
    words: readonly Word[],
  ): Promise<string[]> {
    const stored = await this.load()
    const changed = new Map<string, StoredPassed>()
    for (const { kind, persona, device, ...word } of words) {
      if (kind !== 'say' || !('text' in word)) continue
      const id = this.#idOf(own, other, persona, device)
      const before = changed.get(id) ?? stored.get(id)
      const text = this.#read(word.text, persona)
      if (before?.link === link && text?.app === other)
        changed.set(id, storedPassed(before, spoke(passedOf(before), text, word.text, this.#means.keeper.nowSec)))
    }
    if (changed.size > 0) await this.#put(changed, async (write) => await this.#means.keeper.change(write))
    return [...changed.values()].map(({ channel }) => channel)
  }

  #read(text: Uint8Array, persona: string): ProposalText | null {
    const { keeper } = this.#means
    try {
      return parseText(text, { writer: keeper.table().personaId, reader: persona }, keeper.engine)
    } catch (error) {
      if (!(error instanceof ProposalError)) throw error
      this.#means.log.debug('proposal.say', { code: error.code })
      return null
    }
  }

  /** Begins for each contact that is provided now to another device. */
  async begin(survey: Survey, isMeant: IsMeant): Promise<void> {
    const { keeper, links } = this.#means
    const stored = await this.load()
    for (const { id: channel, app: source, persona, device, name, isOpen } of survey.channels) {
      if (!isOpen || persona === keeper.table().personaId || !isMeant({ channels: [channel], persona })) continue
      for (const { app: target, linkId: link } of links.targetsElsewhere(source, persona)) {
        const id = this.#idOf(source, target, persona, device)
        const fresh = { source, target, persona, device, channel, name, link }
        if (!stored.has(id)) stored.set(id, storedPassed(fresh, NOTHING_PASSED))
      }
    }
  }

  /**
   * One round of one contact.
   * @param isHere a proposal of this device speaks of the target app over the source channel
   * @returns seconds until a text that waits may go; null for none
   */
  async run(id: string, survey: Survey, isHere: boolean): Promise<number | null> {
    const { links, keeper } = this.#means
    const before = this.#stored!.get(id)!
    const { source, target, persona } = before
    const targets = isHere || isGone(before, survey) ? [] : links.targetsElsewhere(source, persona)
    const found = targets.find(({ app }) => app === target)
    const isOther = found !== undefined && found.linkId !== before.link
    let passed = passedOf(before)
    if (found === undefined || isOther) passed = stopped(passed, target, keeper.nowSec)
    if (isOther) passed = { ...passed, told: null }
    const { id: channel, name } = survey.open.get(sourceKey(before)) ?? { id: before.channel, name: before.name }
    const next = storedPassed({ ...before, channel, name, link: found?.linkId ?? before.link }, passed)
    if (JSON.stringify(before) !== JSON.stringify(next))
      await this.#put([[id, next]], async (write) => await keeper.change(write))
    await this.#tell(id, found !== undefined)
    if (!isHere) await this.#say(id, survey)
    return found === undefined ? null : await this.#passOn(id)
  }

  /** Nothing is left to do: the source channel is gone for good, and the other device knows. */
  isOver(id: string, survey: Survey): boolean {
    const stored = this.#stored!.get(id)!
    const knows = stored.told?.isProvided !== true || !this.#means.links.all.some((link) => link.id === stored.link)
    return knows && isGone(stored, survey)
  }

  async erase(id: string): Promise<void> {
    const { keeper, sealed } = this.#means
    const { channel, target } = this.#stored!.get(id)!
    await keeper.change(() => {
      sealed.inChange(PASSED).delete(id)
      sealed.inChange(TEXT).delete(`${channel}/${target}`)
    })
    this.#stored!.delete(id)
  }

  /** Tells the other device whether it may have the contact. */
  async #tell(id: string, isProvided: boolean): Promise<void> {
    const stored = this.#stored!.get(id)!
    const { channel, name, persona, device, link } = stored
    const told = { channel, name, isProvided }
    const word = lacking(passedOf(stored), told)
    if (word === null) return
    await this.#put(
      [[id, { ...stored, told }]],
      async (write) => await this.#means.devices.send(link, { kind: 'contact', persona, device, ...word }, write),
    )
  }

  /** A text for the source channel goes. */
  async #say(id: string, { ways }: Survey): Promise<void> {
    const stored = this.#stored!.get(id)!
    const passed = passedOf(stored)
    const { next } = passed
    if (next === null) return
    await this.#put(
      [[id, storedPassed(stored, gone(passed))]],
      async (write) => await ways.tell(stored.channel, asNewest(next.text), write),
    )
  }

  /** A text of the source channel goes to the other device. */
  async #passOn(id: string): Promise<number | null> {
    const { told, channel, target, persona, device, link } = this.#stored!.get(id)!
    const waits = told === null ? null : this.#texts.waiting(channel, target, persona)
    if (waits === null) return null
    if ('laterSec' in waits) return waits.laterSec
    const { text, bytes, drop } = waits
    if (text === null) await this.#means.keeper.change(drop)
    else await this.#means.devices.send(link, { kind: 'heard', persona, device, text: bytes }, drop)
    return null
  }

  /** Writes contacts inside of the change that the work makes. One that writes nothing changes nothing. */
  async #put(
    all: Iterable<readonly [string, StoredPassed]>,
    work: (write: () => void) => Promise<unknown>,
  ): Promise<void> {
    let isWritten = false
    await work(() => {
      const records = this.#means.sealed.inChange(PASSED)
      for (const [id, stored] of all) records.put(id, stored)
      isWritten = true
    })
    if (isWritten) for (const [id, stored] of all) this.#stored!.set(id, stored)
  }

  #idOf(source: string, target: string, persona: string, device: string): string {
    return hashed('by', `${source} ${target} ${persona} ${device}`, this.#means.keeper.engine)
  }
}

function isGone({ channel }: StoredPassed, { ids }: Survey): boolean {
  return !ids.has(channel)
}
