/** Looks the contacts up on the DHT: each hourly, one after the other, at most one a second (docs/announce.md, section 8). */
import type { ChainPlace } from '../../core/announce/judge.ts'
import { readingKey } from '../../core/announce/place.ts'
import { isAnnounced, readSettings } from '../../core/announce/settings.ts'
import { placeShown, walkForwards, type JudgedItem, type LookUp } from '../../core/announce/walk.ts'
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Clock } from '../../process/pulse.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { headOf } from '../personas/heads.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import { triedKeys } from './device-keys.ts'
import type { Dht, Traffic } from './dht.ts'
import { takeFound } from './found.ts'

const LOOKUP_MS = 3_600_000 // format: hourly (section 8)
const JITTER = 0.2 // sanity: a fifth of the hour, so that contacts who were met together are not asked for together for ever
const GAP_MS = 1000 // format: at most one lookup a second (section 8)

/** How the last lookup of a contact went. */
export interface LookupNote {
  readonly atSec: number
  /** Items that nodes gave; null when the network failed. */
  readonly items: number | null
  readonly moved: boolean
  /** Whether the newest table of the contact that is known here says that it is announced. */
  readonly announced: boolean
  readonly problem: string | null
}

export interface LookupsOptions {
  readonly keeper: Keeper
  readonly dht: Dht
  readonly traffic: Traffic
  readonly clock: Clock
  /** 0 <= n < 1 */
  readonly random: () => number
}

export class Lookups {
  readonly #options: LookupsOptions
  /** When each contact that announces is due, by PersonaID, in the order in which they are due. */
  #due = new Map<string, number>()
  readonly #notes = new Map<string, LookupNote>()
  #cancel: () => void = () => {}
  #cancelFind: () => void = () => {}
  #isRunning = false
  #isClosed = false

  constructor(options: LookupsOptions) {
    this.#options = options
  }

  /** Finds the contacts that announce, now and each hour. All new ones are due, in a random order. */
  async start(): Promise<void> {
    const { keeper, clock, random } = this.#options
    const found: string[] = []
    for await (const [personaId, persona] of keeper.onDisk.personas.iterate())
      if (this.#isFollowed(persona) && !this.#due.has(personaId)) found.push(personaId)
    if (this.#isClosed) return
    for (const personaId of found.toSorted(() => random() - 0.5)) this.#due.set(personaId, clock.nowMs())
    this.#schedule()
    // A table that changes nothing but its settings is no event.
    this.#cancelFind = clock.after(LOOKUP_MS, () => void this.start().catch(() => {}))
  }

  /** A contact changed: it may have begun or ended to announce, or be gone. */
  noteContact(personaId: string): void {
    if (!this.#isToFollow(personaId)) {
      this.#due.delete(personaId)
      this.#notes.delete(personaId)
    } else if (!this.#due.has(personaId)) {
      this.#due.set(personaId, this.#options.clock.nowMs() + this.#period())
      this.#schedule()
    }
  }

  /** How many contacts announce. */
  get count(): number {
    return this.#due.size
  }

  /** When the last lookup ended well, unix seconds; null if none did. */
  get lastSec(): number | null {
    const times = [...this.#notes.values()].filter(({ items }) => items !== null).map(({ atSec }) => atSec)
    return times.length === 0 ? null : Math.max(...times)
  }

  /** Looks one contact up now. @returns null if it is gone */
  async lookUp(personaId: string): Promise<LookupNote | null> {
    const { keeper, dht, traffic } = this.#options
    const persona = keeper.onDisk.personas.get(personaId)
    if (persona === undefined) return null
    const lookUp: LookUp = async (wanted) => {
      const report = await dht.get(wanted)
      traffic.add(report)
      return report.values.map(({ signed }) => signed)
    }
    let note: LookupNote
    try {
      const items: JudgedItem[] = []
      const deviceKeys = headOf(persona, keeper) === null ? await triedKeys(keeper.onDisk) : []
      for (const place of this.#placesOf(persona)) {
        const context = { engine: keeper.engine, deviceKeys }
        items.push(...(await walkForwards(place, lookUp, context, keeper.nowSec)).items)
      }
      const moved = await takeFound(items, keeper)
      const announced = this.#isAnnounced(keeper.onDisk.personas.get(personaId) ?? persona)
      note = { atSec: keeper.nowSec, items: items.length, moved, announced, problem: null }
    } catch (error) {
      if (!(error instanceof Error)) throw error
      note = {
        atSec: keeper.nowSec,
        items: null,
        moved: false,
        announced: this.#isAnnounced(persona),
        problem: error.message,
      }
    }
    // It may have been forgotten or blocked meanwhile.
    if (this.#due.has(personaId)) this.#notes.set(personaId, note)
    return note
  }

  /** PersonaIDs of the contacts that announce. */
  get followed(): string[] {
    return [...this.#due.keys()]
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    this.#cancelFind()
  }

  #schedule(): void {
    // While one runs, the timer is that of the gap after it.
    if (this.#isRunning || this.#isClosed) return
    this.#cancel()
    const next = this.#next()
    if (next === null) return
    const { clock } = this.#options
    this.#cancel = clock.after(Math.max(0, next[1] - clock.nowMs()), () => void this.#run(next[0]))
  }

  #next(): readonly [personaId: string, dueMs: number] | null {
    let best: readonly [string, number] | null = null
    for (const entry of this.#due) if (best === null || entry[1] < best[1]) best = entry
    return best
  }

  async #run(personaId: string): Promise<void> {
    const { clock } = this.#options
    this.noteContact(personaId)
    if (!this.#due.has(personaId)) return this.#schedule()
    this.#isRunning = true
    this.#due.set(personaId, clock.nowMs() + this.#period())
    await this.lookUp(personaId).catch(() => {})
    if (this.#isClosed) return
    this.#cancel = clock.after(GAP_MS, () => {
      this.#isRunning = false
      this.#schedule()
    })
  }

  #period(): number {
    return LOOKUP_MS * (1 + JITTER * (this.#options.random() - 0.5))
  }

  #isToFollow(personaId: string): boolean {
    const persona = this.#options.keeper.onDisk.personas.get(personaId)
    return persona !== undefined && this.#isFollowed(persona)
  }

  #isFollowed(persona: PersonaRecord): boolean {
    return persona.entry !== null && !persona.entry.blocked && this.#isAnnounced(persona)
  }

  #isAnnounced(persona: PersonaRecord): boolean {
    const content = headOf(persona, this.#options.keeper)?.content
    return content?.ok === true && isAnnounced(readSettings(content.document))
  }

  /** Where the contact may announce, as far as its head or its link shows. */
  #placesOf(persona: PersonaRecord): ChainPlace[] {
    const { engine } = this.#options.keeper
    const head = headOf(persona, this.#options.keeper)
    if (head !== null) return [placeShown(head, engine)]
    // Only a contact link: the place of a persona that had no room for `read`, and the place that is open to everybody.
    const personaId = parseHex(persona.personaId)!
    const root = parseHex(persona.root)!
    const place = { personaId, root, epoch: 0, signingKey: personaId }
    return [
      { ...place, readingKey: readingKey(root, null, engine) },
      { ...place, readingKey: null },
    ]
  }
}
