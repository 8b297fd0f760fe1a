/** Makes, changes and ends the links between apps of the owner (docs/links.md, section 1). */
import { formatHex } from '../../core/encoding/bytes.ts'
import { Serial } from '../../process/serial.ts'
import { LinksError } from './errors.ts'
import { LINK, newSide, type StoredSettings } from './kinds.ts'
import { appsHere, pairsOf, withSettings, type Heard, type Link } from './link.ts'
import { StandingLinks, type LinksMeans } from './standing.ts'

const ID_BYTES = 16
const MAX_LINKS = 64 // sanity: nobody has more apps that they would join in pairs
const MAX_ASKED = 4 // sanity: links that one app asks for at a time; the owner should not have to read more

export class Links extends StandingLinks {
  readonly #means: LinksMeans
  readonly #serial = new Serial()

  constructor(means: LinksMeans) {
    super(means)
    this.#means = means
  }

  /** Reads the links once the apps key is open, and deletes those of another persona. */
  async load(): Promise<void> {
    const { keeper, sealed } = this.#means
    await this.#serial.run(async () => {
      this.note(new Map(await Array.fromAsync(sealed.onDisk(LINK).iterate())))
      const persona = keeper.ownTable?.personaId
      await this.#remove(this.all.filter((link) => link.persona !== persona).map(({ id }) => id))
    })
    this.changed()
  }

  /** An app asks for a link with another one. A link that is there, or with another device, stays as it is. @throws {LinksError} APP_LINK_ITSELF | APP_LINKS_FULL */
  async ask(app: string, other: string): Promise<Link> {
    return await this.#serial.run(async () => {
      // One that the other app asks for is none yet.
      const known = this.#between(app, other).find(({ askedBy }) => askedBy === null || askedBy === app)
      // The app asks for a name, wherever the owner has the app of that name.
      const there = this.all.find((link) => isElsewhere(link, app, other))
      if (known !== undefined || there !== undefined) return (known ?? there)!
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
      const link = this.known(id)
      const { elsewhere } = link
      const told = elsewhere === undefined ? {} : { elsewhere: { ...elsewhere, told: elsewhere.told + 1 } }
      return await this.#put({ ...withSettings(link, link.sides[0].app, settings), ...told }, false)
    })
  }

  /** The other device has told its settings. */
  async hear(id: string, { app, how, count }: Heard): Promise<void> {
    await this.#serial.run(async () => {
      const link = this.known(id)
      const { sides, elsewhere } = link
      if (elsewhere === undefined || count <= elsewhere.heard) return
      // The owner has linked that app, and no other one.
      if (elsewhere.heard > 0 && app !== sides[1].app) return
      const side = { ...sides[1], app, receive: { ...sides[1].receive, how } }
      // This link is the answer of the owner.
      const isAnswered = (each: Link): boolean => each.askedBy === sides[0].app && each.sides[1].app === app
      await this.#remove(this.all.filter(isAnswered).map((each) => each.id))
      await this.#put(
        { ...link, sides: [sides[0], side], elsewhere: { ...elsewhere, heard: count } },
        elsewhere.heard === 0,
      )
    })
  }

  /** The other device of a link is listed now. @param device its key in the own table */
  async noteDevice(id: string, device: string): Promise<void> {
    await this.#serial.run(async () => {
      const link = this.known(id)
      const { elsewhere } = link
      if (elsewhere === undefined || elsewhere.device === device) return
      await this.#put({ ...link, elsewhere: { ...elsewhere, device } }, false)
    })
  }

  /** Ends a link, or a request for one. */
  async unlink(id: string): Promise<void> {
    await this.#serial.run(async () => await this.#remove([id]))
    this.changed()
  }

  /** Ends all links: the owner gives up the persona. */
  async unlinkAll(): Promise<void> {
    await this.#serial.run(async () => await this.#remove([...this.onDisk.keys()]))
    this.changed()
  }

  /** Resolves once nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  /** @throws {LinksError} APP_LINK_UNKNOWN */
  known(id: string): Link {
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
    const forgotten = [...this.onDisk.keys()].filter((id) => !this.all.some((link) => link.id === id))
    await this.#remove(forgotten)
    if (this.onDisk.size >= MAX_LINKS) throw full(`there are ${MAX_LINKS} links`)
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
    this.note(new Map(this.onDisk).set(id, link))
    this.changed()
    return { id, ...link }
  }

  async #remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { keeper, sealed } = this.#means
    await keeper.change(() => {
      for (const id of ids) {
        sealed.inChange(LINK).delete(id)
        const link = this.onDisk.get(id)
        for (const { app, other } of link === undefined ? [] : pairsOf(link))
          if (link!.askedBy === null || link!.askedBy === app)
            keeper.state.emit({ event: 'app.unlinked', data: { id, app, other } })
      }
    })
    this.note(new Map([...this.onDisk].filter(([id]) => !ids.includes(id))))
  }
}

/** Whether a link joins an app of this device with one of this name on another device. */
function isElsewhere({ elsewhere, sides }: Link, app: string, other: string): boolean {
  return elsewhere !== undefined && sides[0].app === app && sides[1].app === other
}

function full(message: string): LinksError {
  return new LinksError('APP_LINKS_FULL', message, 'end some, or refuse them')
}
