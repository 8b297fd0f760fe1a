/**
 * Friends without a persona whom the owner joined by hand, because they are one person. Each keeps its own record and entry, so that a split
 * only cuts the tie.
 */
import { joinEntries, type ContactEntry } from '../../core/consent.ts'
import type { DeviceRecord } from './device-record.ts'

/** Reads a record; undefined if the device is not known. */
export type Devices = (key: string) => DeviceRecord | undefined

/** The record of an entry, by the key of its device. */
export interface Joined {
  readonly key: string
  readonly device: DeviceRecord & { readonly entry: ContactEntry }
}

/**
 * All friends that are one contact with this one: first the one whose name the contact has, then those that were joined with it, in that
 * order. A tie counts only if both sides have it.
 */
export function joinedWith(key: string, read: Devices): Joined[] {
  const own = entryAt(key, read)
  if (own === null) return []
  const leader = own.device.joinedTo === undefined ? null : entryAt(own.device.joinedTo, read)
  const first = leader?.device.joins?.includes(key) === true ? leader : own
  const others = (first.device.joins ?? []).map((other) => entryAt(other, read))
  return [first, ...others.filter((other) => other?.device.joinedTo === first.key)].filter((one) => one !== null)
}

function entryAt(key: string, read: Devices): Joined | null {
  const device = read(key)
  return device === undefined || device.entry === null ? null : { key, device: { ...device, entry: device.entry } }
}

/** The entry that people see: the name of the first, the names of the others as aliases, the strictest policy, any block. */
export function joinedEntry([first, ...others]: readonly Joined[]): ContactEntry | null {
  if (first === undefined) return null
  const { entry } = first.device
  return others.reduce((joined, { device }) => {
    const { policy, blocked } = joinEntries(joined, device.entry)
    const aliases = [...new Set([...joined.aliases, device.entry.name, ...device.entry.aliases])]
    return { ...joined, policy, blocked, aliases: aliases.filter((alias) => alias !== joined.name) }
  }, entry)
}

/** Whether the owner joined the friend with others. */
export function isJoined({ joins, joinedTo }: DeviceRecord): boolean {
  return joins !== undefined || joinedTo !== undefined
}

/** The record without ties to others. */
export function untied(device: DeviceRecord): DeviceRecord {
  const { joins, joinedTo, ...rest } = device
  return joins === undefined && joinedTo === undefined ? device : rest
}

/** The record of the first of a contact, with these friends joined to it; without any, without ties. */
export function joining(device: DeviceRecord, keys: readonly string[]): DeviceRecord {
  return keys.length === 0 ? untied(device) : { ...untied(device), joins: keys }
}

/** The part of the state that a tie touches. */
export interface TieHost {
  device(key: string): DeviceRecord
  putDevice(key: string, device: DeviceRecord): void
}

/** Cuts the ties of a friend to those that the owner joined with it. The others stay joined. Inside of a change. */
export function untie(key: string, state: TieHost): void {
  const { joins = [], joinedTo } = state.device(key)
  if (joinedTo !== undefined) {
    const leader = state.device(joinedTo)
    const others = leader.joins?.filter((other) => other !== key) ?? []
    state.putDevice(joinedTo, joining(leader, others))
  }
  const [next, ...others] = joins
  if (next !== undefined) state.putDevice(next, joining(untied(state.device(next)), others))
  for (const other of others) state.putDevice(other, { ...untied(state.device(other)), joinedTo: next! })
  state.putDevice(key, untied(state.device(key)))
}
