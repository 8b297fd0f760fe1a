/** The links between apps of the owner (docs/links.md, section 1): who may provide which contacts to whom. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { LinkState, Receive } from '../../ipc/methods/links.ts'
import { Serial } from '../../process/serial.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import type { LineState } from '../wing/lines.ts'
import type { Speakers } from '../wing/speakers.ts'
import { LinksError } from './errors.ts'
import { LINK, newSide, type StoredLink, type StoredSettings, type StoredSide } from './kinds.ts'
import {
  appsHere,
  isForgotten,
  pairsOf,
  sidesOf,
  targetOf,
  withSettings,
  type Heard,
  type Link,
  type LinkTarget,
} from './link.ts'
import { providedIds } from './settings.ts'

const ID_BYTES = 16
const MAX_LINKS = 64 // sanity: nobody has more apps that they would join in pairs
const MAX_ASKED = 4 // sanity: links that one app asks for at a time; the owner should not have to read more

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
  /** Links with other devices, by their ids. */
  #lines: ReadonlyMap<string, LineState> = new Map()

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
      .filter((link) => !isForgotten(link, keeper.nowSec))
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

  /** The apps of this device to which an app may provide a contact now. @param persona PersonaID of the contact */
  targetsOf(app: string, persona: string): readonly LinkTarget[] {
    return this.#targets(app, persona)
      .filter(({ elsewhere }) => elsewhere === undefined)
      .map(targetOf(app))
  }

  /** Those of other devices, each reached by its link. */
  targetsElsewhere(app: string, persona: string): readonly LinkTarget[] {
    return this.#targets(app, persona)
      .filter(({ elsewhere }) => elsewhere !== undefined)
      .map(targetOf(app))
  }

  /** How an app takes contacts of another one of this device now; null without a link. */
  receiving(source: string, target: string): Readonly<Receive> | null {
    return this.#receiving(source, target, false)
  }

  /** How an app takes contacts of one on another device now; null without a link. */
  receivingElsewhere(source: string, target: string): Readonly<Receive> | null {
    return this.#receiving(source, target, true)
  }

  /** How a link stands. */
  stateOf(link: Link): LinkState {
    if (link.askedBy !== null) return 'asked'
    const line = this.#lines.get(link.id) ?? 'still'
    if (link.elsewhere !== undefined && (line === 'invited' || line === 'waiting' || link.elsewhere.heard === 0))
      return 'invited'
    const isOpen = link.elsewhere === undefined || line === 'open'
    return isOpen && appsHere(link).every((app) => this.#means.speakers.mayAs(app, 'propose')) ? 'linked' : 'paused'
  }

  /** Notes how the lines to other devices stand. */
  noteLines(lines: ReadonlyMap<string, LineState>): void {
    this.#lines = lines
    this.changed()
  }

  #targets(app: string, persona: string): readonly Link[] {
    return this.#standing().filter((link) => {
      const [own, other] = sidesOf(link, app)
      return own !== null && other.receive.how !== 'no' && this.#provides(own, persona)
    })
  }

  #receiving(source: string, target: string, isElsewhere: boolean): Readonly<Receive> | null {
    for (const link of this.#standing()) {
      const [own, other] = sidesOf(link, target)
      if (own !== null && other.app === source && (link.elsewhere !== undefined) === isElsewhere) return own.receive
    }
    return null
  }

  #standing(): readonly Link[] {
    if (!this.#means.sealed.key.isOpen) return []
    return this.all.filter((link) => this.stateOf(link) === 'linked')
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
    this.#check(app, other)
    return await this.#serial.run(async () => {
      // Each of the two may have asked for it.
      const [known, second] = this.#between(app, other)
      const link = known ?? (await this.#drawn(app, other, null))
      const isNews = known === undefined || known.askedBy !== null
      if (second !== undefined) await this.#remove([second.id])
      return await this.#put({ ...withSettings(link, app, settings), askedBy: null }, isNews)
    })
  }

  /**
   * The owner links an app with one of another device, which is not known yet.
   * @throws {LinksError} APP_LINK_NO_RIGHT | APP_LINKS_FULL @throws {KeeperError} NO_PERSONA
   */
  async begin(app: string, settings: Partial<StoredSettings>): Promise<Link> {
    this.#check(app)
    return await this.#serial.run(async () => {
      const { sides, ...link } = await this.#drawn(app, '', null)
      const own = { ...sides[0], ...settings }
      return await this.#put({ ...link, sides: [own, sides[1]], elsewhere: { told: 1, heard: 0 } }, false)
    })
  }

  /**
   * The owner changes the settings of the first app of a link.
   * @throws {LinksError} APP_LINK_UNKNOWN
   */
  async set(id: string, settings: Partial<StoredSettings>): Promise<Link> {
    return await this.#serial.run(async () => {
      const link = this.#known(id)
      const { elsewhere } = link
      const told = elsewhere === undefined ? {} : { elsewhere: { ...elsewhere, told: elsewhere.told + 1 } }
      return await this.#put({ ...withSettings(link, link.sides[0].app, settings), ...told }, false)
    })
  }

  /** The other device has told its settings. */
  async hear(id: string, { app, how, count }: Heard): Promise<void> {
    await this.#serial.run(async () => {
      const link = this.#known(id)
      const { sides, elsewhere } = link
      if (elsewhere === undefined || count <= elsewhere.heard) return
      const side = { ...sides[1], app, receive: { ...sides[1].receive, how } }
      await this.#put(
        { ...link, sides: [sides[0], side], elsewhere: { ...elsewhere, heard: count } },
        elsewhere.heard === 0,
      )
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

  #known(id: string): Link {
    const link = this.all.find((each) => each.id === id)
    if (link !== undefined) return link
    throw new LinksError('APP_LINK_UNKNOWN', 'there is no such link here', 'list the links')
  }

  #check(...apps: readonly string[]): void {
    for (const app of apps)
      if (!this.#means.speakers.mayAs(app, 'propose')) {
        const message = `${app} is no app that may propose contacts`
        throw new LinksError('APP_LINK_NO_RIGHT', message, 'allow it first', { app })
      }
  }

  #between(app: string, other: string): Link[] {
    if (app === other) throw new LinksError('APP_LINK_ITSELF', `${app} cannot be linked with itself`, 'name two apps')
    const isBetween = (link: Link): boolean => [app, other].every((name) => appsHere(link).includes(name))
    return this.all.filter(isBetween)
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
