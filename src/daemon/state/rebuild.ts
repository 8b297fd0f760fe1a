/**
 * Rebuilds what follows from other records, after salvage has lost some (docs/backup.md, section 6). It runs before anything else reads the
 * state. A crash in it leaves the mark of the salvaged store, so it runs again.
 */
import type { ContactEntry } from '../../core/consent.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Store, Write } from '../../store/store.ts'
import { rebuiltHistory } from './history-rebuild.ts'
import { foldName } from './name-form.ts'
import { COUNTS, type NameRecord, type PendingRecord } from './local-records.ts'
import { NEW_DEVICE, type DeviceRecord } from './device-record.ts'
import { OWN } from './own-record.ts'
import { recordsOf, type Records } from './records.ts'
import { pendingKinds, upgradeKinds } from './waiting.ts'

const BATCH_WRITES = 512 // sanity: records of contacts with evidence, some 32 KiB each, stay below a commit of 8 MiB in practice

/** @throws {StoreError} */
export async function rebuildSalvaged(store: Store, engine: CryptoEngine): Promise<void> {
  const records = recordsOf(store)
  await commitAll(store, await withoutHeadlessOwner(records))
  await commitAll(store, await missingDevices(records))
  await commitAll(store, await rebuiltNames(records))
  await commitAll(store, await rebuiltIndexes(records))
  await commitAll(store, await rebuiltHistory(records, engine))
}

async function commitAll(store: Store, writes: readonly Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += BATCH_WRITES) await store.commit(writes.slice(at, at + BATCH_WRITES))
}

/** An owner whose table is lost can sign nothing. Without their record the owner can recover the persona from the words. */
async function withoutHeadlessOwner(records: Records): Promise<Write[]> {
  const own = records.own.get(OWN)
  if (own === undefined || (records.personas.get(own.personaId)?.head ?? null) !== null) return []
  const writes = [records.own.remove(OWN), records.personas.remove(own.personaId)]
  for await (const [id] of records.past.iterate()) writes.push(records.past.remove(id))
  for await (const [id] of records.intents.iterate()) writes.push(records.intents.remove(id))
  return writes
}

/** Devices that a table lists are claimed by it; those of the owner are theirs. */
async function missingDevices(records: Records): Promise<Write[]> {
  const ownId = records.own.get(OWN)?.personaId
  const made = new Map<string, DeviceRecord>()
  for await (const [personaId, { devices }] of records.personas.iterate()) {
    for (const { key } of devices) {
      if (records.devices.get(key) !== undefined) continue
      const before = made.get(key) ?? NEW_DEVICE
      const bound = personaId === ownId ? personaId : before.bound
      made.set(key, { ...before, bound, claimedBy: [...before.claimedBy, personaId] })
    }
  }
  return [...made].map(([key, device]) => records.devices.put(key, device))
}

/** Every name leads to its entry. An older record that came back may have a name that another contact has now: that one gets a number. */
async function rebuiltNames(records: Records): Promise<Write[]> {
  const wanted = new Map<string, NameRecord>()
  const writes: Write[] = []
  const aliases: [string, NameRecord][] = []
  const take = (entry: ContactEntry, leadsTo: NameRecord): ContactEntry => {
    const name = freeName(entry.name, wanted)
    wanted.set(foldName(name), leadsTo)
    for (const alias of entry.aliases) aliases.push([foldName(alias), leadsTo])
    return name === entry.name ? entry : { ...entry, name }
  }
  for await (const [id, persona] of records.personas.iterate()) {
    const entry = persona.entry === null ? null : take(persona.entry, { kind: 'persona', id })
    if (entry !== persona.entry) writes.push(records.personas.put(id, { ...persona, entry }))
  }
  for await (const [id, device] of records.devices.iterate()) {
    const entry = device.entry === null ? null : take(device.entry, { kind: 'device', id })
    if (entry !== device.entry) writes.push(records.devices.put(id, { ...device, entry }))
  }
  for (const [alias, leadsTo] of aliases) if (!wanted.has(alias)) wanted.set(alias, leadsTo)
  return [...writes, ...(await difference(records.names, wanted, isSameName))]
}

function freeName(name: string, taken: ReadonlyMap<string, NameRecord>): string {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? name : `${name}#${n}`
    if (!taken.has(foldName(candidate))) return candidate
  }
}

function isSameName(a: NameRecord, b: NameRecord): boolean {
  return a.kind === b.kind && a.id === b.id
}

/** The counts, and the list of what waits for the owner. */
async function rebuiltIndexes(records: Records): Promise<Write[]> {
  const counts = { contacts: 0, provisional: 0, devices: 0 }
  const pending = new Map<string, PendingRecord>()
  const note = (id: string, kinds: PendingRecord['kinds']): void => {
    if (kinds.length > 0) pending.set(id, { kinds })
  }
  for await (const [id, persona] of records.personas.iterate()) {
    if (persona.entry !== null) counts.contacts++
    note(id, pendingKinds(persona))
  }
  for await (const [id, device] of records.devices.iterate()) {
    counts.devices++
    if (device.entry !== null) counts.provisional++
    note(id, upgradeKinds(device))
  }
  const isSame = (a: PendingRecord, b: PendingRecord): boolean => a.kinds.join() === b.kinds.join()
  return [records.counts.put(COUNTS, counts), ...(await difference(records.pending, pending, isSame))]
}

/** The writes that make a kind of records equal to `wanted`. */
async function difference<T>(
  collection: {
    iterate(): AsyncIterable<readonly [string, T]>
    put(id: string, value: T): Write
    remove(id: string): Write
  },
  wanted: ReadonlyMap<string, T>,
  isSame: (a: T, b: T) => boolean,
): Promise<Write[]> {
  const missing = new Map(wanted)
  const writes: Write[] = []
  for await (const [id, value] of collection.iterate()) {
    const right = wanted.get(id)
    if (right === undefined) writes.push(collection.remove(id))
    else if (isSame(right, value)) missing.delete(id)
  }
  return [...writes, ...[...missing].map(([id, value]) => collection.put(id, value))]
}
