/** Devices and contacts on the socket and in `--json` (docs/ipc.md, section 3, Contact): each interface beside its schema. */
import * as z from '../../schema/zod.ts'
import { count, keyHex, seconds } from './scalars.ts'

/** State of a pair (persona, device) (docs/format.md, section 10). */
export type PairState = 'claimed' | 'confirmed' | 'former' | 'asserted'
export type Freshness = 'fresh' | 'stale' | 'expired'
export type Policy = 'auto' | 'ask' | 'pin'

/** One device of a table: a nickname and a key. */
export interface TableDevice {
  name: string
  key: string
  /** Present only if the device does not chat, so that it is never the active one. */
  companion?: true
}

const companion = z.literal(true).exactOptional()
export const tableDevice: z.ZodType<TableDevice> = z.strictObject({ name: z.string(), key: keyHex, companion })

/** One device as this daemon sees it. */
export interface ContactDevice {
  /** Nickname in the table, or the Tox name of a provisional entry. */
  name: string
  key: string
  state: PairState | 'provisional'
  /** This contact lists the device, but it is confirmed or provisional elsewhere, or shows another persona. */
  contested: boolean
  /** Place in the table from 1; null if it is not listed. */
  position: number | null
  /** When the device was last seen with a status message; `sources` says who reported it. */
  seenAtSec: number | null
  sources: string[]
  /** Present only if the device does not chat: send nothing for the contact there. */
  companion?: true
}

export const contactDevice: z.ZodType<ContactDevice> = z.strictObject({
  name: z.string(),
  key: keyHex,
  state: z.enum(['claimed', 'confirmed', 'former', 'asserted', 'provisional']),
  contested: z.boolean(),
  position: z.int().min(1).nullable(),
  seenAtSec: seconds.nullable(),
  sources: z.array(z.string()),
  companion,
})

/** A report of another of the owner's devices. It counts here only once the owner accepts it. */
export interface ElsewhereReport {
  /** The name by which the other device calls itself. */
  device: string
  /** When the owner compared the safety number there; null if that is not asked. */
  verifiedAtSec: number | null
  /** Tables of lower epochs are refused there, because of a contact link; null if that is not asked. */
  minEpoch: number | null
}

export const elsewhereReport: z.ZodType<ElsewhereReport> = z.strictObject({
  device: z.string(),
  verifiedAtSec: seconds.nullable(),
  minEpoch: z.int().min(1).nullable(),
})

/** A persona that is not the owner's (`persona`), a friend without a blob (`provisional`), or the owner (`own`). */
export interface Contact {
  kind: 'persona' | 'provisional' | 'own'
  name: string
  aliases: string[]
  /** null for a provisional entry, whose one device is its name. */
  personaId: string | null
  policy: Policy
  /** The owner blocked it: all its devices are among `others`. */
  blocked: boolean
  epoch: number | null
  seq: number | null
  /** The head's time, by its writer's clock. */
  timeSec: number | null
  freshness: Freshness | null
  /** The epoch of the contact link: tables of lower epochs are refused; 0 without a link, null for a provisional entry. */
  minEpoch: number | null
  /** When the owner compared the safety number or a link; null if they did not. */
  verifiedAtSec: number | null
  /** Present only while the owner has not answered (a pending change of the kind `elsewhere`). */
  elsewhere?: ElsewhereReport
  /** This version cannot read the head's names; the keys are current. */
  needsNewerPersona: boolean
  /** A newer table waits for the owner's decision. */
  pending: boolean
  /** Key of the first confirmed device that chats: apps send messages there. */
  active: string | null
  /** Key of the table's first device that chats, if that is another one and not confirmed yet. */
  activeUnconfirmed: string | null
  /** Confirmed (or the provisional one), the active first, companions last: an app may use these. */
  devices: ContactDevice[]
  /** Listed, not confirmed. */
  claims: ContactDevice[]
  /** No longer listed (former) or never listed (asserted). */
  others: ContactDevice[]
}

export const freshness: z.ZodType<Freshness> = z.enum(['fresh', 'stale', 'expired'])
export const policy: z.ZodType<Policy> = z.enum(['auto', 'ask', 'pin'])

export const contact: z.ZodType<Contact> = z.strictObject({
  kind: z.enum(['persona', 'provisional', 'own']),
  name: z.string(),
  aliases: z.array(z.string()),
  personaId: keyHex.nullable(),
  policy,
  blocked: z.boolean(),
  epoch: count.nullable(),
  seq: count.nullable(),
  timeSec: seconds.nullable(),
  freshness: freshness.nullable(),
  minEpoch: count.nullable(),
  verifiedAtSec: seconds.nullable(),
  elsewhere: elsewhereReport.exactOptional(),
  needsNewerPersona: z.boolean(),
  pending: z.boolean(),
  active: keyHex.nullable(),
  activeUnconfirmed: keyHex.nullable(),
  devices: z.array(contactDevice),
  claims: z.array(contactDevice),
  others: z.array(contactDevice),
})

/** The contact of a key or a name; null if there is none. A device that is only claimed has `claimedBy` instead. */
export interface LookupResult {
  query: string
  by: 'device' | 'persona' | 'name' | 'none'
  contact: Contact | null
  device: ContactDevice | null
  /** PersonaIDs that list the device without being confirmed for it. */
  claimedBy: string[]
}

export const lookupResult: z.ZodType<LookupResult> = z.strictObject({
  query: z.string(),
  by: z.enum(['device', 'persona', 'name', 'none']),
  contact: contact.nullable(),
  device: contactDevice.nullable(),
  claimedBy: z.array(keyHex),
})

export interface ContactPage {
  contacts: Contact[]
  /** Pass as `after` for the next page; null on the last. */
  next: string | null
  total: number
}

export const contactPage: z.ZodType<ContactPage> = z.strictObject({
  contacts: z.array(contact),
  next: z.string().nullable(),
  total: count,
})
