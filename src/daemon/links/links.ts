/** The links between apps of the owner (docs/links.md, section 1): who may provide which contacts to whom. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { Receive } from '../../ipc/methods/links.ts'
import { Serial } from '../../process/serial.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import type { Speakers } from '../wing/speakers.ts'
import { LinksError } from './errors.ts'
import { LINK, newSide, type StoredLink, type StoredSettings, type StoredSide } from './kinds.ts'
import { providedIds } from './settings.ts'

const ID_BYTES = 16
const MAX_LINKS = 64 // sanity: nobody has more apps that they would join in pairs
const MAX_ASKED = 4 // sanity: links that one app asks for at a time; the owner should not have to read more
export const ASKED_ENDS_AFTER_SEC: number = 7 * 86_400 // sanity: as for an app that asks for permission

/** A link as others see it here. */
export interface Link extends StoredLink {
  readonly id: string
}

/** An app to which a contact may be provided now. */
export interface LinkTarget {
  readonly linkId: string
  readonly app: string
}

export interface LinksMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly speakers: Speakers
}

export class Links {
  readonly #means: LinksMeans
  readonly #serial = new Serial()
  readonly #listeners = new Set<() => void>()
  /** As they are on disk. */
  #links: ReadonlyMap<string, StoredLink> = new Map()

  constructor(means: LinksMeans) {
    this.#means = means
  }

  /** Reads the links once the apps key is open, and deletes those of another persona. */
  async load(): Promise<void> {
    const { keeper, sealed } = this.#means
    await this.#serial.run(async () => {
      this.#links = new Map(await Array.fromAsync(sealed.onDisk(LINK).iterate()))
      const persona = keeper.ownTable?.personaId
      await this.#remove(this.all.filter((link) => link.persona !== persona).map(({ id }) => id))
    })
    this.changed()
  }

  /** The links that stand or are asked for, the oldest first. */
  get all(): readonly Link[] {
    const { keeper } = this.#means
    return [...this.#links]
      .map(([id, link]) => ({ id, ...link }))
      .filter((link) => link.askedBy === null || !isForgotten(link, keeper.nowSec))
      .toSorted((a, b) => a.sinceSec - b.sinceSec)
  }

  /** Calls back whenever a link, its settings or the rights of an app may have changed. @returns ends it */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of this.#listeners) listener()
  }

  /** The apps to which an app may provide a contact now. @param persona PersonaID of the contact */
  targetsOf(app: string, persona: string): readonly LinkTarget[] {
    return this.#standing().flatMap((link) => {
      const [own, other] = sidesOf(link, app)
      if (own === null || other.receive.how === 'no' || !this.#provides(own, persona)) return []
      return [{ linkId: link.id, app: other.app }]
    })
  }

  /** How an app takes contacts of another one now; null without a link. */
  receiving(source: string, target: string): Readonly<Receive> | null {
    for (const link of this.#standing()) {
      const [own, other] = sidesOf(link, source)
      if (own !== null && other.app === target) return other.receive
    }
    return null
  }

  /** Whether both apps of a link may propose contacts now. */
  mayPropose({ sides }: StoredLink): boolean {
    return sides.every(({ app }) => this.#means.speakers.mayAs(app, 'propose'))
  }

  #standing(): readonly Link[] {
    if (!this.#means.sealed.key.isOpen) return []
    return this.all.filter((link) => link.askedBy === null && this.mayPropose(link))
  }

  #provides({ provide, contacts }: StoredSide, persona: string): boolean {
    const { keeper } = this.#means
    if (provide === 'none' || keeper.onDisk.personas.get(persona)?.entry?.blocked === true) return false
    return provide === 'all' || providedIds(contacts, keeper).includes(persona)
  }

  /** An app asks for a link with another one. A link that is there stays as it is. @throws {LinksError} APP_LINK_ITSELF | APP_LINKS_FULL */
  async ask(app: string, other: string): Promise<Link> {
    return await this.#serial.run(async () => {
      // One that the other app asks for is none yet.
      const known = this.#between(app, other).find(({ askedBy }) => askedBy === null || askedBy === app)
      if (known !== undefined) return known
      const mine = this.all.filter(({ askedBy }) => askedBy === app)
      if (mine.length >= MAX_ASKED) throw full(`${app} asks for ${MAX_ASKED} links already`)
      return await this.#put(await this.#drawn(app, other, app), true)
    })
  }

  /**
   * The owner links two apps, or changes the settings of the first one.
   * @throws {LinksError} APP_LINK_ITSELF | APP_LINK_NO_RIGHT | APP_LINKS_FULL @throws {KeeperError} NO_PERSONA
   */
  async link(app: string, other: string, settings: Partial<StoredSettings>): Promise<Link> {
    const { speakers } = this.#means
    for (const each of [app, other])
      if (!speakers.mayAs(each, 'propose'))
        throw new LinksError('APP_LINK_NO_RIGHT', `${each} is no app that may propose contacts`, 'allow it first', {
          app: each,
        })
    return await this.#serial.run(async () => {
      // Each of the two may have asked for it.
      const [known, second] = this.#between(app, other)
      const link = known ?? (await this.#drawn(app, other, null))
      const isNews = known === undefined || known.askedBy !== null
      if (second !== undefined) await this.#remove([second.id])
      return await this.#put({ ...withSettings(link, app, settings), askedBy: null }, isNews)
    })
  }

  /** Ends a link, or a request for one. */
  async unlink(id: string): Promise<void> {
    await this.#serial.run(async () => await this.#remove([id]))
    this.changed()
  }

  /** Ends all links: the owner gives up the persona. */
  async unlinkAll(): Promise<void> {
    await this.#serial.run(async () => await this.#remove([...this.#links.keys()]))
    this.changed()
  }

  /** Resolves once nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  #between(app: string, other: string): Link[] {
    if (app === other) throw new LinksError('APP_LINK_ITSELF', `${app} cannot be linked with itself`, 'name two apps')
    return this.all.filter(({ sides }) => [app, other].every((name) => sides.some((side) => side.app === name)))
  }

  /** A new link, which is not on disk yet. */
  async #drawn(app: string, other: string, askedBy: string | null): Promise<Link> {
    const { keeper } = this.#means
    const { personaId } = keeper.table()
    const forgotten = [...this.#links.keys()].filter((id) => !this.all.some((link) => link.id === id))
    await this.#remove(forgotten)
    if (this.#links.size >= MAX_LINKS) throw full(`there are ${MAX_LINKS} links`)
    const id = formatHex(keeper.engine.randomBytes(ID_BYTES)).toLowerCase()
    const sides = [newSide(app), newSide(other)] as const
    return { id, persona: personaId, sides, askedBy, sinceSec: keeper.nowSec }
  }

  /** @param isNews whether apps and the owner hear of it */
  async #put({ id, ...link }: Link, isNews: boolean): Promise<Link> {
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      sealed.inChange(LINK).put(id, link)
      if (!isNews) return
      const state = link.askedBy === null ? 'linked' : 'asked'
      for (const { app, other } of pairsOf(link)) {
        // The other app learns of a link from the owner alone.
        if (link.askedBy === null || link.askedBy === app)
          keeper.state.emit({ event: 'app.linked', data: { id, app, other, state } })
      }
    })
    this.#links = new Map(this.#links).set(id, link)
    this.changed()
    return { id, ...link }
  }

  async #remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      for (const id of ids) {
        sealed.inChange(LINK).delete(id)
        const link = this.#links.get(id)
        for (const { app, other } of link === undefined ? [] : pairsOf(link))
          if (link!.askedBy === null || link!.askedBy === app)
            keeper.state.emit({ event: 'app.unlinked', data: { id, app, other } })
      }
    })
    this.#links = new Map([...this.#links].filter(([id]) => !ids.includes(id)))
  }
}

function full(message: string): LinksError {
  return new LinksError('APP_LINKS_FULL', message, 'end some, or refuse them')
}

function withSettings(link: Link, app: string, settings: Partial<StoredSettings>): Link {
  const changed = (side: StoredSide): StoredSide => (side.app === app ? { ...side, ...settings } : side)
  const [a, b] = link.sides
  return { ...link, sides: [changed(a), changed(b)] }
}

function isForgotten({ sinceSec }: StoredLink, nowSec: number): boolean {
  return nowSec - sinceSec > ASKED_ENDS_AFTER_SEC
}

/** The side of an app, null if it has none in the link, and that of the other app. */
export function sidesOf({ sides: [a, b] }: StoredLink, app: string): readonly [StoredSide | null, StoredSide] {
  if (a.app === app) return [a, b]
  return [b.app === app ? b : null, a]
}

function pairsOf({ sides: [a, b] }: StoredLink): readonly { readonly app: string; readonly other: string }[] {
  return [
    { app: a.app, other: b.app },
    { app: b.app, other: a.app },
  ]
}
