/** Contacts and devices as apps and the owner see them (docs/ipc.md, section 3), computed from what is on disk at each request. */
import { MAX_CLOCK_AHEAD_SEC } from '../../core/limits.ts'
import { freshness, type Freshness } from '../../core/order.ts'
import { activeDevice, fallbackName } from '../../core/table.ts'
import { consentsToPersona, isContested, siblingOf } from '../../core/consent.ts'
import { questionOf, type Question } from './elsewhere.ts'
import { joinedEntry, joinedWith } from './joined.ts'
import { pairOf } from './pair.ts'
import { pendingKinds } from './waiting.ts'
import { CLOCK } from './local-records.ts'
import { hasHead, type HeadedPersona, type PersonaRecord } from './persona-record.ts'
import { NEW_DEVICE, type DeviceRecord } from './device-record.ts'
import { OWN, type OwnRecord } from './own-record.ts'
import { isMadeByShort } from './short-record.ts'
import type { Records } from './records.ts'
import type { Contact, ContactDevice, ElsewhereReport } from '../../ipc/shapes/contact.ts'

export interface Clock {
  readonly nowSec: number
  /** The clock shows an earlier time than it did before, so no age can be judged. */
  readonly isWrong: boolean
}

/** The state at one moment, for one request. */
export interface Reader {
  readonly records: Records
  readonly clock: Clock
  /** The owner's PersonaID; null without a persona. */
  readonly ownId: string | null
}

export function readerAt(nowSec: number, records: Records): Reader {
  return { records, clock: clockAt(nowSec, records), ownId: records.own.get(OWN)?.personaId ?? null }
}

/** The persona that goes on under another one's name by now: the end of the way from successor to successor (docs/format.md, section 14). */
export function currentId(personaId: string, records: Pick<Records, 'personas' | 'forgotten'>): string {
  const next = records.personas.get(personaId) === undefined ? records.forgotten.get(personaId)?.replacedBy : undefined
  return next === undefined ? personaId : currentId(next, records)
}

/** The persona, and those before it under whose name it goes on, the newest first. */
export function idsOf(personaId: string, records: Pick<Records, 'personas' | 'forgotten'>): readonly string[] {
  const ids = new Set<string>()
  for (let id: string | undefined = personaId; id !== undefined && !ids.has(id);) {
    ids.add(id)
    id = (records.personas.get(id) ?? records.forgotten.get(id))?.replaces?.personaId
  }
  return [...ids]
}

/** Whether the owner blocks a persona, or the one that goes on under its name. */
export function isBlocked(personaId: string, records: Pick<Records, 'personas' | 'forgotten'>): boolean {
  return records.personas.get(currentId(personaId, records))?.entry?.blocked === true
}

/** Both records of the owner; null without a persona. */
export function ownOf(records: Records): { own: OwnRecord; persona: HeadedPersona } | null {
  const own = records.own.get(OWN)
  const persona = own === undefined ? undefined : records.personas.get(own.personaId)
  return own === undefined || persona === undefined || !hasHead(persona) ? null : { own, persona }
}

/** Compares the clock with the latest time that this daemon has written. */
export function clockAt(nowSec: number, records: Records): Clock {
  const lastSec = records.clock.get(CLOCK)?.lastSec ?? 0
  return { nowSec, isWrong: nowSec < lastSec - MAX_CLOCK_AHEAD_SEC }
}

/** How fresh a contact's head is: a time that was ahead of this clock counts from the moment it was seen. */
function freshnessOf({ timeSec, seenSec = timeSec }: PersonaRecord, clock: Clock): Freshness | null {
  return freshnessAt(Math.min(timeSec, seenSec), clock)
}

/** How fresh a signature of this time is; null if this daemon's own clock is wrong. */
export function freshnessAt(timeSec: number, clock: Clock): Freshness | null {
  return clock.isWrong ? null : freshness(timeSec, clock.nowSec)
}

/** Shows a persona as a contact. The owner's devices count as confirmed, because the owner bound them. */
export function personaContact(persona: PersonaRecord, { records, clock, ownId }: Reader): Contact {
  const isOwn = persona.personaId === ownId
  const listed = persona.devices.map(({ key, name, companion }, i) => {
    const view = deviceView(persona, key, name, i + 1, records, isOwn)
    return view !== null && companion ? { ...view, companion } : view
  })
  const others = persona.others
    .map((key) => deviceView(persona, key, nameOf(persona, key), null, records, false))
    .filter((device) => device !== null)
  const known = listed.filter((device) => device !== null)
  const confirmed = known.filter((device) => device.state === 'confirmed')
  const devices = [...confirmed.filter(isChatting), ...confirmed.filter((device) => !isChatting(device))]
  const first = activeDevice(persona.devices)?.key ?? null
  const active = activeDevice(devices)?.key ?? null
  const question = questionOf(persona)
  const contact: Contact = {
    kind: isOwn ? 'own' : 'persona',
    name: persona.entry?.name ?? 'me',
    aliases: [...(persona.entry?.aliases ?? [])],
    personaId: persona.personaId,
    policy: persona.entry?.policy ?? 'auto',
    blocked: persona.entry?.blocked ?? false,
    ...orderOf(persona, clock),
    minEpoch: persona.minEpoch,
    verifiedAtSec: persona.verifiedAtSec,
    ...(question === null ? {} : { elsewhere: reportView(question) }),
    needsNewerPersona: persona.needsNewerPersona,
    pending: pendingKinds(persona).some((kind) => kind !== 'held'),
    active,
    activeUnconfirmed: first === active ? null : first,
    devices,
    claims: known.filter((device) => device.state !== 'confirmed'),
    others,
  }
  return contact.blocked ? outOfUse(contact) : contact
}

/** The report of another of the owner's devices, as the owner sees it. */
export function reportView({ source, verifiedAtSec, minEpoch }: Question): ElsewhereReport {
  return { device: siblingOf(source), verifiedAtSec, minEpoch: minEpoch === 0 ? null : minEpoch }
}

/** Leaves a blocked contact no device to use. A client that ignores `blocked` then cannot message or befriend them by mistake. */
function outOfUse(contact: Contact): Contact {
  const others = [...contact.devices, ...contact.claims, ...contact.others]
  return { ...contact, active: null, activeUnconfirmed: null, devices: [], claims: [], others }
}

function isChatting(device: ContactDevice): boolean {
  return !device.companion
}

/** Position and age of the head; null while we know only a link. */
function orderOf(persona: PersonaRecord, clock: Clock): Pick<Contact, 'epoch' | 'seq' | 'timeSec' | 'freshness'> {
  if (persona.head === null) return { epoch: null, seq: null, timeSec: null, freshness: null }
  const { epoch, seq, timeSec } = persona
  return { epoch, seq, timeSec, freshness: freshnessOf(persona, clock) }
}

/** The last known nickname of a key. */
export function nameOf(persona: PersonaRecord, key: string): string {
  return persona.names.find(([named]) => named === key)?.[1] ?? fallbackName(key)
}

function deviceView(
  persona: PersonaRecord,
  key: string,
  name: string,
  position: number | null,
  records: Records,
  isOwn: boolean,
): ContactDevice | null {
  const device = records.devices.get(key) ?? NEW_DEVICE
  const isOwners = isOwn && device.bound === persona.personaId
  const state = isOwners ? 'confirmed' : pairOf(persona.personaId, position !== null, device)
  if (state === null) return null
  const formerId = persona.replaces?.personaId ?? null
  // A friend whose upgrade is pending consents, so nobody claims them against their will.
  const isWaiting =
    state === 'claimed' && device.pending !== null && consentsToPersona(device.reports, persona.personaId)
  const isFriend = device.entry !== null && !isMadeByShort(device, records.shorts.get(key))
  const contested =
    !isWaiting && isContested(persona.personaId, state, device.bound, isFriend, device.reports, formerId)
  return { name, key, state, contested, position, seenAtSec: device.seenAtSec, sources: sourcesOf(device) }
}

function sourcesOf(device: DeviceRecord): string[] {
  return device.reports.map((report) => report.source)
}

/** Shows a friend without a persona as a contact: one device, or several that the owner joined. */
function provisionalContact(key: string, records: Records): Contact | null {
  const joined = joinedWith(key, (each) => records.devices.get(each))
  const entry = joinedEntry(joined)
  if (entry === null) return null
  const devices = joined.map((one): ContactDevice => {
    const { seenAtSec } = one.device
    const sources = sourcesOf(one.device)
    const { name } = one.device.entry
    return { name, key: one.key, state: 'provisional', contested: false, position: null, seenAtSec, sources }
  })
  const contact: Contact = {
    kind: 'provisional',
    name: entry.name,
    aliases: [...entry.aliases],
    personaId: null,
    policy: entry.policy,
    blocked: entry.blocked,
    epoch: null,
    seq: null,
    timeSec: null,
    freshness: null,
    minEpoch: null,
    verifiedAtSec: null,
    needsNewerPersona: false,
    pending: joined.some(({ device }) => device.pending !== null && !device.pending.rejected),
    active: joined[0]!.key,
    activeUnconfirmed: null,
    devices,
    claims: [],
    others: [],
  }
  return contact.blocked ? outOfUse(contact) : contact
}

/** Finds a contact by PersonaID, or by the device key of a friend without a persona; null if there is none any more. */
export function contactOf(id: string, reader: Reader): Contact | null {
  const persona = reader.records.personas.get(id)
  return persona === undefined ? holderOf(id, reader).contact : personaContact(persona, reader)
}

/** The key of a friend without a persona, the first one if the owner joined several. If the friend is blocked, it is in `others`. */
export function keyOfProvisional({ devices, others }: Contact): string {
  return [...devices, ...others][0]!.key
}

/** The owner of a device: the contact it is bound to, or its own provisional entry. Also the personas that merely claim it. */
export function holderOf(
  key: string,
  reader: Reader,
): { contact: Contact | null; device: ContactDevice | null; claimedBy: string[] } {
  const { records } = reader
  const device = records.devices.get(key)
  if (device === undefined) return { contact: null, device: null, claimedBy: [] }
  const persona = device.bound === null ? undefined : records.personas.get(device.bound)
  const bound = persona === undefined ? null : personaContact(persona, reader)
  const view = bound === null ? null : findDevice(bound, key)
  // A device that its persona lists but that no longer shows it is only claimed.
  const isTheirs = view !== null && view.state !== 'claimed'
  const contact = isTheirs ? bound : provisionalContact(key, records)
  const claimedBy = device.claimedBy.filter((id) => contact === null || id !== contact.personaId)
  return { contact, device: isTheirs ? view : contact && findDevice(contact, key), claimedBy }
}

export function findDevice(contact: Contact, key: string): ContactDevice | null {
  const isIt = (device: ContactDevice): boolean => device.key === key
  return contact.devices.find(isIt) ?? contact.claims.find(isIt) ?? contact.others.find(isIt) ?? null
}
