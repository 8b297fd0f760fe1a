/** The links between apps of the owner as they stand now (docs/links.md, section 1): who may provide which contacts to whom. */
import type { LinkState, Receive } from '../../ipc/methods/links.ts'
import type { Keeper } from '../keeper/keeper.ts'
import type { SealedRecords } from '../sealed/records.ts'
import { isBlocked } from '../state/view.ts'
import type { Line } from '../wing/lines.ts'
import type { Speakers } from '../wing/speakers.ts'
import type { StoredLink, StoredSide } from './kinds.ts'
import { appsHere, isForgotten, sidesOf, targetOf, type Link } from './link.ts'
import type { LinkTarget, StandingElsewhere } from './proposals/means.ts'
import { providedIds } from './settings.ts'

/** The line of a link with another device. */
export type LinkLine = Pick<Line, 'state' | 'device'>

export interface LinksMeans {
  readonly keeper: Keeper
  readonly sealed: SealedRecords
  readonly speakers: Speakers
}

export class StandingLinks {
  readonly #means: LinksMeans
  readonly #listeners = new Set<() => void>()
  /** As they are on disk; null before they were read. */
  #links: ReadonlyMap<string, StoredLink> | null = null
  /** Links with other devices, by their ids; null before anybody has looked. */
  #lines: ReadonlyMap<string, LinkLine> | null = null

  constructor(means: LinksMeans) {
    this.#means = means
  }

  /** Notes the links as they are on disk now. */
  protected note(links: ReadonlyMap<string, StoredLink>): void {
    this.#links = links
  }

  protected get onDisk(): ReadonlyMap<string, StoredLink> {
    return this.#links ?? new Map()
  }

  /** The links that stand or are asked for, the oldest first. */
  get all(): readonly Link[] {
    const { keeper } = this.#means
    return [...this.onDisk]
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

  /**
   * Those of other devices, each reached by its link. A channel speaks of an app by one daemon alone: the one that it ends at comes first, and then the
   * oldest link.
   */
  targetsElsewhere(app: string, persona: string): readonly LinkTarget[] {
    const here = new Set(this.targetsOf(app, persona).map((target) => target.app))
    return this.#targets(app, persona)
      .filter(({ elsewhere }) => elsewhere !== undefined)
      .map(targetOf(app))
      .filter((target) => !here.has(target.app) && here.add(target.app))
  }

  /** How an app takes contacts of another one of this device now; null without a link. */
  receiving(source: string, target: string): Readonly<Receive> | null {
    for (const link of this.#standing()) {
      const [own, other] = sidesOf(link, target)
      if (own !== null && other.app === source && link.elsewhere === undefined) return own.receive
    }
    return null
  }

  /** A link with another device, as it stands now; null if it does not. */
  elsewhere(id: string): StandingElsewhere | null {
    const link = this.#standing().find((each) => each.id === id)
    const line = this.#lines?.get(id)
    if (link?.elsewhere === undefined || line === undefined) return null
    const [own, other] = link.sides
    return { own: own.app, other: other.app, receive: own.receive, device: line.device ?? '' }
  }

  /** The app of this device in a link with another one, and the other app, whether the link stands or not. */
  appsOf(id: string): Pick<StandingElsewhere, 'own' | 'other'> | null {
    const { elsewhere, sides } = this.all.find((link) => link.id === id) ?? {}
    return elsewhere === undefined || sides === undefined ? null : { own: sides[0].app, other: sides[1].app }
  }

  /**
   * Whether a link joins an app of this device with another one, whether it stands or not: texts that come meanwhile wait. So do those that come before
   * the links were read.
   */
  isLinked(app: string, other: string): boolean {
    const joins = (link: Link): boolean => {
      const [own, theirs] = sidesOf(link, app)
      return own !== null && theirs.app === other && link.askedBy === null
    }
    return this.#links === null || this.all.some(joins)
  }

  /** Whether the links were read. */
  get isRead(): boolean {
    return this.#links !== null
  }

  /** Whether it is known how each link stands. */
  get isReady(): boolean {
    return this.#links !== null && (this.#lines !== null || this.all.every(({ elsewhere }) => elsewhere === undefined))
  }

  /** How a link stands. */
  stateOf(link: Link): LinkState {
    if (link.askedBy !== null) return 'asked'
    const line = this.#lines?.get(link.id)?.state ?? 'still'
    if (link.elsewhere !== undefined && (line === 'invited' || line === 'waiting' || link.elsewhere.heard === 0))
      return 'invited'
    const isOpen = link.elsewhere === undefined || line === 'open'
    return isOpen && appsHere(link).every((app) => this.#means.speakers.mayAs(app, 'propose')) ? 'linked' : 'paused'
  }

  /**
   * Whether the other device of a link, which the card does not list with the key of its line, will not come back: the owner has taken it out of the
   * table, or it has another key now, as after a restore. One that a rotation left out comes back with the same key.
   * @param listed see Lines.listed()
   */
  isLeftOut({ elsewhere }: Link, listed: ReadonlyMap<string, string>): boolean {
    const device = elsewhere?.device
    const table = this.#means.keeper.ownTable
    if (device === undefined || table === null) return false
    return [...listed.values()].includes(device) || table.devices.every(({ key }) => key !== device)
  }

  /** Notes how the lines to other devices stand. */
  noteLines(lines: ReadonlyMap<string, LinkLine>): void {
    const before = this.#lines
    this.#lines = lines
    const isSame = ([id, { state, device }]: readonly [string, LinkLine]): boolean =>
      before?.get(id)?.state === state && before.get(id)?.device === device
    if (before === null || before.size !== lines.size || ![...lines].every(isSame)) this.changed()
  }

  #targets(app: string, persona: string): readonly Link[] {
    return this.#standing().filter((link) => {
      const [own, other] = sidesOf(link, app)
      return own !== null && other.receive.how !== 'no' && this.#provides(own, persona)
    })
  }

  #standing(): readonly Link[] {
    if (!this.#means.sealed.key.isOpen) return []
    return this.all.filter((link) => this.stateOf(link) === 'linked')
  }

  #provides({ provide, contacts }: StoredSide, persona: string): boolean {
    const { keeper } = this.#means
    if (provide === 'none' || isBlocked(persona, keeper.onDisk)) return false
    return provide === 'all' || providedIds(contacts, keeper).includes(persona)
  }
}
