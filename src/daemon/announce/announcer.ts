/** Announcements at work: when items are put, when contacts are looked up, and the owner's commands. */
import { formatRead, READ_BYTES, type AnnounceKind } from '../../core/announce/settings.ts'
import { TableError } from '../../core/errors.ts'
import type { DocumentValue, SettingKey } from '../../core/document.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { AnnounceStatus, Refreshed } from '../../ipc/methods/announce.ts'
import type { Finding } from '../../ipc/shapes/doctor.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { Clock } from '../../process/pulse.ts'
import { findContact } from '../contacts/find.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { holderOf } from '../state/view.ts'
import { Traffic, type Dht } from './dht.ts'
import { AnnounceError } from './errors.ts'
import { announceFindings, NO_DHT, shortFindings } from './findings.ts'
import { Lookups, type LookupNote } from './lookups.ts'
import { OwnAnnouncements } from './own-announcements.ts'
import { ShortLookups, type ShortNote } from './short-lookups.ts'

const PUT_MS = 3_600_000 // format: hourly; nodes forget a value after two hours (BEP 44)
const RETRY_MS = 60_000 // sanity: no node held the items, for example right after the start

export interface AnnouncerOptions {
  readonly keeper: Keeper
  /** null if the configuration names no bootstrap nodes, or a proxy. */
  readonly dht: Dht | null
  readonly lookups: boolean
  readonly clock: Clock
  readonly log: Log
  /** 0 <= n < 1 */
  readonly random: () => number
}

export class Announcer {
  readonly #options: AnnouncerOptions
  readonly #traffic: Traffic
  readonly #own: OwnAnnouncements
  readonly #lookups: Lookups | null
  readonly #shorts: ShortLookups
  #cancel: () => void = () => {}
  #isClosed = false

  constructor(options: AnnouncerOptions) {
    const { keeper, dht, clock, random, lookups } = options
    this.#options = options
    this.#traffic = new Traffic(() => keeper.nowSec)
    this.#own = new OwnAnnouncements(keeper, dht, this.#traffic)
    this.#lookups =
      dht === null || !lookups ? null : new Lookups({ keeper, dht, traffic: this.#traffic, clock, random })
    this.#shorts = new ShortLookups({ keeper, dht: lookups ? dht : null, traffic: this.#traffic, clock })
  }

  async start(): Promise<void> {
    await this.#lookups?.start()
    await this.#shorts.start()
    this.#later(0)
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'own.changed' || (event === 'locked' && !data.locked)) this.#later(0)
    if (event === 'device.short') this.#shorts.note(data.key)
    if (event === 'contact.changed' && data.contact.personaId !== null) {
      this.#lookups?.noteContact(data.contact.personaId)
      const keys = [...data.contact.devices, ...data.contact.claims].map(({ key }) => key)
      // A store that fails stops the daemon by itself.
      void this.#shorts.settle(keys).catch(() => {})
    }
    // After leaving, the items of the persona go before another one joins.
    if (event === 'contact.changed' && !this.#options.keeper.hasPersona) this.#later(0)
    if (event === 'contact.forgotten' && data.personaId !== null) this.#lookups?.noteContact(data.personaId)
    if (event === 'contact.replaced')
      for (const personaId of [data.personaId, data.successor]) this.#lookups?.noteContact(personaId)
  }

  status(): AnnounceStatus {
    const { today, yesterday } = this.#traffic.days
    const { kind, read } = this.#own.settings
    return {
      kind,
      readingKey: read !== null,
      network: this.#options.dht !== null,
      waitsForKey: this.#own.waitsForKey,
      items: this.#own.items(),
      devicesLeftOut: this.#own.devicesLeftOut,
      following: this.#lookups?.count ?? 0,
      lookedUpSec: this.#lookups?.lastSec ?? null,
      shortsUnknown: this.#shorts.unknown.length,
      lookups: this.#lookups !== null,
      bytesToday: today,
      bytesYesterday: yesterday,
    }
  }

  findings(): Finding[] {
    const status = this.status()
    return [...announceFindings(status), ...shortFindings(status)]
  }

  /** Turns announcements on, with a reading key if there is room. */
  async on(kind: AnnounceKind): Promise<AnnounceStatus> {
    if (this.#options.dht === null)
      throw new AnnounceError(
        'NET_NOT_CONFIGURED',
        `this daemon cannot announce: ${NO_DHT}`,
        'name nodes in net.bootstrap, set no net.proxy, and restart the daemon',
      )
    const { keeper } = this.#options
    if (this.#own.settings.read === null) {
      await keeper
        .change(() => this.#set('read', this.#newRead()))
        .catch((error: unknown) => {
          if (!(error instanceof TableError) || error.code !== 'TABLE_TOO_LARGE') throw error
        })
    }
    if (this.#own.settings.kind !== kind) await keeper.change(() => this.#set('announce', kind))
    return await this.now()
  }

  async off(): Promise<AnnounceStatus> {
    if (this.#own.settings.kind !== null) await this.#options.keeper.change(() => this.#set('announce', null))
    await this.#own.update()
    return this.status()
  }

  /** Puts everything now. @throws {AnnounceError} NOT_ANNOUNCED */
  async now(): Promise<AnnounceStatus> {
    this.#checkOn()
    await this.#own.update()
    return this.status()
  }

  /**
   * Draws a new reading key: former contacts find nothing new. Also while announcements are off, because a thief may have set the one that
   * is there.
   * @throws {AnnounceError} NOT_ANNOUNCED if there is none
   */
  async reread(): Promise<AnnounceStatus> {
    if (this.#own.settings.read === null) this.#checkOn()
    await this.#options.keeper.change(() => this.#set('read', this.#newRead()))
    await this.#own.update()
    return this.status()
  }

  /**
   * Looks up one contact, or all that announce.
   * @throws {KeeperError} NOT_FOUND | AMBIGUOUS {AnnounceError} NET_NOT_CONFIGURED | NOTHING_TO_LOOK_UP
   */
  async refresh(query: string | null): Promise<Refreshed> {
    const lookups = this.#lookups
    if (lookups === null)
      throw new AnnounceError(
        'NET_NOT_CONFIGURED',
        `this daemon looks nobody up: ${this.#options.dht === null ? NO_DHT : 'its configuration turns lookups off (announce.lookups)'}`,
        'change the configuration and restart the daemon',
      )
    const { personas, keys } =
      query === null ? { personas: lookups.followed, keys: this.#shorts.unknown } : await this.#meant(query)
    const contacts: Refreshed['contacts'] = []
    // First what may tell whose devices the others are.
    for (const key of keys) {
      const note = await this.#shorts.lookUp(key)
      if (note !== null) contacts.push(shortRefreshed(this.#nameOf(key), note))
    }
    for (const personaId of personas) {
      const note = await lookups.lookUp(personaId)
      const name = this.#options.keeper.onDisk.personas.get(personaId)?.entry?.name ?? personaId
      if (note !== null) contacts.push(refreshedOf(name, note))
    }
    return { contacts }
  }

  close(): void {
    this.#isClosed = true
    this.#cancel()
    this.#lookups?.close()
    this.#shorts.close()
  }

  /** The persona of a contact, and those of its devices that show an unknown short status. */
  async #meant(query: string): Promise<{ personas: string[]; keys: string[] }> {
    const contact = await findContact(query, this.#options.keeper.reader())
    const devices = new Set([...contact.devices, ...contact.claims, ...contact.others].map(({ key }) => key))
    const keys = this.#shorts.unknown.filter((key) => devices.has(key))
    if (contact.personaId !== null) return { personas: [contact.personaId], keys }
    if (keys.length > 0) return { personas: [], keys }
    throw new AnnounceError(
      'NOTHING_TO_LOOK_UP',
      `${contact.name} has shown no persona yet, so there is nothing to look up`,
      'wait for a status message of theirs',
    )
  }

  #nameOf(key: string): string {
    return holderOf(key, this.#options.keeper.reader()).contact?.name ?? key
  }

  #checkOn(): void {
    if (this.#own.settings.kind !== null) return
    throw new AnnounceError('NOT_ANNOUNCED', 'announcements are off', 'turn them on')
  }

  /** Inside of a change. */
  #set(key: SettingKey, value: DocumentValue | null): void {
    const { own } = this.#options.keeper
    own.edit({ kind: 'set', key, found: own.setting(key), value })
  }

  #newRead(): string {
    return formatRead(this.#options.keeper.engine.randomBytes(READ_BYTES))
  }

  #later(ms: number): void {
    this.#cancel()
    if (!this.#isClosed) this.#cancel = this.#options.clock.after(ms, () => void this.#work())
  }

  async #work(): Promise<void> {
    this.#later(PUT_MS)
    try {
      await this.#own.update()
    } catch (error) {
      this.#options.log.warn('announce.failed', describeError(error))
    }
    if (this.#isClosed) return
    if (this.#options.dht !== null && this.#own.items().some(({ nodes }) => nodes === null || nodes === 0))
      this.#later(RETRY_MS)
  }
}

function refreshedOf(
  name: string,
  { items, moved, announced, problem: why }: LookupNote,
): Refreshed['contacts'][number] {
  return { name, items, changed: moved, announced, problem: why }
}

function shortRefreshed(name: string, { items, found, problem: why }: ShortNote): Refreshed['contacts'][number] {
  // Only who announces shows a short status.
  return { name, items, changed: found, announced: true, problem: why }
}
