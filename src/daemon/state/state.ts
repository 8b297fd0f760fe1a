/** The state inside a change: reads and stages records, keeps counts and indexes, collects events. */
import type { Policy } from '../../core/consent.ts'
import type { InceptionCache, VerifiedBlob } from '../../core/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { appendHistory } from './history.ts'
import { isJoined, joinedWith, untie, untied } from './joined.ts'
import type { Kind } from './kind.ts'
import { Names } from './names.ts'
import { Noise } from './noise.ts'
import type { NewEvent } from './new-event.ts'
import { type DeviceRecord, NEW_DEVICE } from './device-record.ts'
import { CLOCK, COUNTS, type Counts, NO_COUNTS, type PendingRecord } from './local-records.ts'
import { OWN, type OwnRecord } from './own-record.ts'
import type { PersonaRecord } from './persona-record.ts'
import { type Records, recordsOf } from './records.ts'
import { contactOf, readerAt } from './view.ts'
import { OWNER_SOURCE } from './sources.ts'
import { pendingKinds, upgradeKinds } from './waiting.ts'
import type { Writer } from './writer.ts'
import type { ContactChange } from '../../ipc/shapes/events.ts'
import { EVENTS, type DaemonEvent } from '../../ipc/methods/events.ts'
import { Quota, type Rate } from '../../process/quota.ts'
import { RecordCache } from '../../store/record-cache.ts'
import type { Collection, Write } from '../../store/store.ts'

const MAX_KEPT = 1024 // sanity: of one kind; the owner's records and all that a batch of 256 observations reads

const SHORTS: Rate = { burst: 4, perSec: 1 / 60 } // sanity: new short statuses of one device; an owner makes one at a rotation or another `read`

const MAX_INCEPTIONS = 10_000 // sanity: about 2 MB; a full cache only costs a second verify

export interface StateOptions {
  /** The policy of new entries; `auto` if absent. */
  readonly defaultPolicy?: () => Policy
  readonly kindsOfWings?: readonly Kind<unknown>[]
  /** Every event, and whether the history keeps it; the events of a daemon with all wings if absent. */
  readonly events?: ReadonlyMap<string, boolean>
}

export class State {
  readonly engine: CryptoEngine
  readonly names: Names = new Names(this)
  readonly #writer: Writer
  readonly #records: Records
  /** Decoded records, so that a change does not decode a record at each read. */
  readonly #decided = new RecordCache(MAX_KEPT)
  readonly #nowSec: () => number
  readonly #defaultPolicy: () => Policy
  readonly noise: Noise
  /** The reports of new short statuses, by device. */
  readonly shortQuota: Quota
  readonly #inceptions = new Set<string>()
  /** The decoded heads of the records in memory. */
  readonly heads: WeakMap<PersonaRecord, VerifiedBlob> = new WeakMap()
  #events: NewEvent[] = []
  /** By id. */
  #contactChanges = new Map<string, { changes: ContactChange[]; source: string }>()

  constructor(writer: Writer, engine: CryptoEngine, nowSec: () => number, options: StateOptions = {}) {
    this.#writer = writer
    this.#records = recordsOf(writer, this.#decided, options.kindsOfWings)
    this.engine = engine
    this.#nowSec = nowSec
    this.shortQuota = new Quota(SHORTS, nowSec)
    this.noise = new Noise(this, options.events ?? EVENTS)
    this.#defaultPolicy = options.defaultPolicy ?? (() => 'auto')
  }

  get records(): Records {
    return this.#records
  }

  /** The records of a wing's kind. */
  of<T>(kind: Kind<T>): Collection<T> {
    return this.#records.of(kind)
  }

  get defaultPolicy(): Policy {
    return this.#defaultPolicy()
  }

  get nowSec(): number {
    return this.#nowSec()
  }

  /** For verifyBlob, which need not verify the same inception twice. */
  get inceptions(): InceptionCache {
    if (this.#inceptions.size > MAX_INCEPTIONS) this.#inceptions.clear()
    return this.#inceptions
  }

  /** Decides a change and makes it durable together with its events in the history. @returns the events, to publish now */
  async change<T>(decide: () => T): Promise<{ result: T; events: DaemonEvent[] }> {
    let events: DaemonEvent[] = []
    const result = await this.#writer.change(() => {
      this.#events = []
      this.#contactChanges = new Map()
      this.onUndo(() => this.#decided.clear())
      const decided = decide()
      this.#emitContacts()
      this.#events = this.#events.filter((event) => !this.#isAboutBlocked(event))
      if (this.#events.length > 0) {
        this.#noteClock()
        const kept = this.noise.keptOf(this.#events)
        const keeps = (event: NewEvent): boolean => kept.has(event)
        const appended = appendHistory(this.#events, this.#records, this.nowSec, this.engine, { keeps })
        for (const write of appended.writes) this.stage(write)
        events = appended.events
      }
      return decided
    })
    return { result, events }
  }

  emit(event: NewEvent): void {
    this.#events.push(event)
  }

  /**
   * Emits the contact at the end of this change. Several calls for one contact make one event.
   * @param id PersonaID, or the key of a friend without a persona
   */
  emitContact(id: string, changes: readonly ContactChange[], source: string): void {
    if (changes.length === 0) return
    const earlier = this.#contactChanges.get(id)?.changes ?? []
    this.#contactChanges.set(id, { changes: [...earlier, ...changes], source })
  }

  #emitContacts(): void {
    for (const [id, { changes, source }] of this.#contactChanges) {
      const contact = contactOf(id, readerAt(this.nowSec, this.#records))
      if (contact !== null) this.#events.push({ event: 'contact.changed', data: { contact, changes, source } })
    }
  }

  /** Whether the owner blocked this persona, or this friend without a persona. */
  isBlocked(personaId: string | null, key: string | null = null): boolean {
    const persona = personaId === null ? undefined : this.persona(personaId)
    if (persona?.entry?.blocked === true) return true
    return key !== null && this.device(key).entry?.blocked === true
  }

  // We keep recording what blocked contacts show, but emit no events about them except the block.
  #isAboutBlocked(event: NewEvent): boolean {
    if (event.event === 'contact.changed') {
      const { contact, changes } = event.data
      return contact.blocked && !changes.some(({ kind }) => kind === 'blocked')
    }
    if (event.event === 'contact.replaced') return this.isBlocked(event.data.successor)
    if (event.event === 'pending.new') return this.isBlocked(event.data.personaId, event.data.key)
    if (event.event === 'device.short') return this.isBlocked(this.device(event.data.key).bound, event.data.key)
    const isNews = event.event === 'device.added' || event.event === 'clock' || event.event === 'alarm'
    return isNews && this.isBlocked(event.data.personaId)
  }

  stage(write: Write): void {
    this.#writer.stage(write)
    this.#decided.forget([write.key])
  }

  #put<T>(collection: Collection<T>, id: string, value: T): void {
    this.stage(collection.put(id, value))
    collection.keep(id, value)
  }

  /** Registers a function that reverts an effect in memory if this change throws. */
  onUndo(undo: () => void): void {
    this.#writer.onUndo(undo)
  }

  persona(personaId: string): PersonaRecord | undefined {
    return this.#records.personas.get(personaId)
  }

  own(): OwnRecord | undefined {
    return this.#records.own.get(OWN)
  }

  device(key: string): DeviceRecord {
    return this.#records.devices.get(key) ?? NEW_DEVICE
  }

  putPersona(persona: PersonaRecord): void {
    const before = this.persona(persona.personaId)
    const contacts = Number(persona.entry !== null) - Number((before?.entry ?? null) !== null)
    if (contacts !== 0) this.#count({ contacts })
    if (before === undefined && this.forgotten(persona.personaId) !== undefined)
      this.stage(this.#records.forgotten.remove(persona.personaId))
    this.#put(this.#records.personas, persona.personaId, persona)
    this.#notePending(persona.personaId, before === undefined ? [] : pendingKinds(before), pendingKinds(persona))
  }

  /** The hidden remains of a persona that the owner forgot. */
  forgotten(personaId: string): PersonaRecord | undefined {
    return this.#records.forgotten.get(personaId)
  }

  /** A persona's record, or its hidden remains if they belong to this chain. The remains of another chain may be a thief's. */
  known(personaId: string, root: string): PersonaRecord | undefined {
    const forgotten = this.forgotten(personaId)
    return this.persona(personaId) ?? (forgotten?.root === root ? forgotten : undefined)
  }

  dropForgotten(personaId: string): void {
    this.stage(this.#records.forgotten.remove(personaId))
  }

  /** @param kept the remains to keep hidden */
  removePersona(personaId: string, kept: PersonaRecord): void {
    const before = this.persona(personaId)
    if (before === undefined) return
    if (before.entry !== null) this.#count({ contacts: -1 })
    this.#notePending(personaId, pendingKinds(before), [])
    this.stage(this.#records.personas.remove(personaId))
    this.stage(this.#records.forgotten.put(personaId, kept))
  }

  /** Updates the index of pending changes. */
  #notePending(id: string, before: PendingRecord['kinds'], after: PendingRecord['kinds']): void {
    if (before.join() === after.join()) return
    const { pending } = this.#records
    this.stage(after.length === 0 ? pending.remove(id) : pending.put(id, { kinds: after }))
  }

  /** Deletes the record if it is empty. Otherwise anyone could grow our store without bound by listing fresh keys in every table. */
  putDevice(key: string, device: DeviceRecord): void {
    const before = this.#records.devices.get(key)
    // Without an entry it is no friend any more whom the owner could have joined with others.
    if (device.entry === null && (isJoined(device) || (before !== undefined && isJoined(before)))) {
      this.#leave(key)
      return this.putDevice(key, untied(device))
    }
    const [had, has] = [before !== undefined, !isEmpty(device)]
    const devices = Number(has) - Number(had)
    const provisional = Number(isContact(device)) - Number(isContact(before))
    if (devices !== 0 || provisional !== 0) this.#count({ devices, provisional })
    this.#notePending(key, upgradeKinds(before), upgradeKinds(device))
    if (has) this.#put(this.#records.devices, key, device)
    else if (had) this.stage(this.#records.devices.remove(key))
  }

  /** A friend leaves those that the owner joined it with. */
  #leave(key: string): void {
    const joined = joinedWith(key, (each) => this.#records.devices.get(each))
    untie(key, this)
    const [going, stays] = [joined.find((one) => one.key === key), joined.find((one) => one.key !== key)]
    if (going === undefined || stays === undefined) return
    // It left because the owner agreed, or forgot it.
    this.emitContact(stays.key, [{ kind: 'split', key, name: going.device.entry.name }], OWNER_SOURCE)
  }

  putOwn(own: OwnRecord): void {
    this.#put(this.#records.own, OWN, own)
  }

  removeOwn(): void {
    this.stage(this.#records.own.remove(OWN))
  }

  #count(more: Partial<Counts>): void {
    const counts = this.#records.counts.get(COUNTS) ?? NO_COUNTS
    this.stage(
      this.#records.counts.put(COUNTS, {
        contacts: counts.contacts + (more.contacts ?? 0),
        provisional: counts.provisional + (more.provisional ?? 0),
        devices: counts.devices + (more.devices ?? 0),
      }),
    )
  }

  /** Trusts the present clock, because the owner edits by it. Otherwise a clock that was once years ahead would count for years. */
  trustClock(): void {
    this.stage(this.#records.clock.put(CLOCK, { lastSec: this.nowSec }))
  }

  #noteClock(): void {
    const last = this.#records.clock.get(CLOCK)?.lastSec ?? 0
    if (this.nowSec > last) this.trustClock()
  }
}

/** Whether a record is a contact of its own. */
function isContact(device: DeviceRecord | undefined): boolean {
  return device !== undefined && device.entry !== null && device.joinedTo === undefined
}

/** Whether a device was never seen, no table lists it and it belongs to nobody. */
function isEmpty({ reports, seenAtSec, claimedBy, bound, entry }: DeviceRecord): boolean {
  return reports.length === 0 && seenAtSec === null && claimedBy.length === 0 && bound === null && entry === null
}
