/** Contacts of apps on other devices of the owner, as those devices tell over links (docs/links.md, section 5). */
import type { ContactWord, TextWord, Word, WordAbout } from '../../../link/word.ts'
import { hashed } from '../../sealed/hashed.ts'
import { isBlocked } from '../../state/view.ts'
import { tidyName } from '../../state/name-form.ts'
import type { PersonaChannel } from '../../wing/introductions.ts'
import { ANNOUNCED, TEXT, type StoredAnnounced } from './kinds.ts'
import type { ProposalMeans, StandingElsewhere } from './means.ts'
import type { Texts } from './texts.ts'

const MOST = 4096 // sanity: contacts of one link; nobody has more in one app

/** A source channel that ends at another device. */
export interface Announced extends PersonaChannel, Pick<StoredAnnounced, 'isProvided' | 'n'> {
  /** The app of this device, in which the contact is proposed. */
  readonly target: string
  /** The key of the other device of the owner. */
  readonly over: string
  /** How the app of this device takes contacts of the link. */
  readonly receive: StandingElsewhere['receive']
}

export class AnnouncedContacts {
  readonly #means: ProposalMeans
  readonly #texts: Texts
  #stored: Map<string, StoredAnnounced> | null = null

  constructor(means: ProposalMeans, texts: Texts) {
    this.#means = means
    this.#texts = texts
  }

  /** @throws {CustodyError} APPS_LOCKED */
  async load(): Promise<Map<string, StoredAnnounced>> {
    this.#stored ??= new Map(await Array.fromAsync(this.#means.sealed.onDisk(ANNOUNCED).iterate()))
    return this.#stored
  }

  forget(): void {
    this.#stored = null
  }

  /** Those whose links stand now. */
  async all(): Promise<readonly Announced[]> {
    const { keeper, links } = this.#means
    const found: Announced[] = []
    const standing = new Map<string, StandingElsewhere | null>()
    for (const [id, { link, ...stored }] of await this.load()) {
      const stands = standing.get(link) ?? links.elsewhere(link)
      standing.set(link, stands)
      if (stands === null) continue
      const { own: target, other: app, device: over, receive } = stands
      // The other device may not know whom the owner blocks here.
      const isWanted = receive.how !== 'no' && !isBlocked(stored.persona, keeper.onDisk)
      const isProvided = stored.isProvided && isWanted
      found.push({ ...stored, id, app, target, over, receive, isProvided, isOpen: true })
    }
    return found
  }

  /** How a source channel is reached; null for one of this device, and for one that is over. */
  wayTo(id: string): (WordAbout & Pick<StoredAnnounced, 'link'>) | null {
    return this.#stored?.get(id) ?? null
  }

  /** Takes words of another device. @returns the source channels that they are about */
  async hear(link: string, own: string, words: readonly Word[]): Promise<string[]> {
    const { keeper } = this.#means
    const stored = await this.load()
    const next = new Map(stored)
    const about = words.flatMap((word) => (word.kind === 'contact' ? (this.#put(link, word, next) ?? []) : []))
    const heard = words.filter((word): word is TextWord => word.kind === 'heard')
    await keeper.change(() => {
      const records = this.#means.sealed.inChange(ANNOUNCED)
      for (const id of stored.keys()) if (!next.has(id)) this.#erase(id, own)
      for (const [id, each] of next) if (stored.get(id) !== each) records.put(id, each)
      for (const { persona, device, text } of heard) {
        const id = idIn(next, link, { persona, device })
        if (id === undefined) continue
        this.#texts.keep(id, [text], (app) => app === own)
        about.push(id)
      }
    })
    this.#stored = next
    return about
  }

  #put(link: string, word: ContactWord, next: Map<string, StoredAnnounced>): string | null {
    const { persona, device, channel, name, isProvided, n } = word
    const id = hashed('of', `${link} ${persona} ${device} ${channel}`, this.#means.keeper.engine)
    const before = idIn(next, link, word)
    if (before === undefined && [...next.values()].filter((each) => each.link === link).length >= MOST) return null
    // Another source channel took the place of the one before.
    if (before !== undefined && before !== id) next.delete(before)
    next.set(id, { link, persona, device, name: tidyName(name), isProvided, n })
    return id
  }

  /** Erases what links have told that are over. */
  async prune(): Promise<void> {
    const { keeper, links, sealed } = this.#means
    const stored = await this.load()
    const here = new Set(links.all.map(({ id }) => id))
    const stale = [...stored].filter(([, { link }]) => !here.has(link)).map(([id]) => id)
    if (stale.length === 0) return
    const texts = await Promise.all(stale.map(async (id) => await Array.fromAsync(sealed.onDisk(TEXT).ids(`${id}/`))))
    await keeper.change(() => {
      for (const id of stale) sealed.inChange(ANNOUNCED).delete(id)
      for (const id of texts.flat()) sealed.inChange(TEXT).delete(id)
    })
    for (const id of stale) stored.delete(id)
  }

  /** Inside of a change. */
  #erase(id: string, target: string): void {
    const { sealed } = this.#means
    sealed.inChange(ANNOUNCED).delete(id)
    sealed.inChange(TEXT).delete(`${id}/${target}`)
  }
}

function idIn(
  stored: ReadonlyMap<string, StoredAnnounced>,
  link: string,
  { persona, device }: WordAbout,
): string | undefined {
  for (const [id, each] of stored)
    if (each.link === link && each.persona === persona && each.device === device) return id
  return undefined
}
