/** The values that travel over the socket and that `--json` prints (docs/ipc.md, section 4): each interface beside the schema that checks it. Here: devices and contacts. */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'

/** State of a pair (persona, device) (docs/format.md, section 10). */
export type PairState = 'claimed' | 'confirmed' | 'former' | 'asserted'
export type Freshness = 'fresh' | 'stale' | 'expired'
export type Policy = 'auto' | 'ask' | 'pin'

/** One device of a table: a nickname and a key. */
export interface TableDevice {
  name: string
  key: string
  /** Only with a device that does not chat, and so is never the active one. */
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
  /** Listed by this contact while it is confirmed or provisional elsewhere, or shows another persona. */
  contested: boolean
  /** Place in the table from 1; null when it is not listed. */
  position: number | null
  /** When the device was last seen showing a status message, and by whose report. */
  seenAtSec: number | null
  sources: string[]
  /** Only with a device that does not chat: nothing for the contact goes there. */
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

/** A persona known locally that is not the owner's (`persona`), a friend without a blob (`provisional`), or the owner (`own`). */
export interface Contact {
  kind: 'persona' | 'provisional' | 'own'
  name: string
  aliases: string[]
  /** null for a provisional entry, whose one device is its name. */
  personaId: string | null
  policy: Policy
  /** The owner wants to hear nothing of it: all its devices are among `others`. */
  blocked: boolean
  epoch: number | null
  seq: number | null
  /** The writer's clock in the head. */
  timeSec: number | null
  freshness: Freshness | null
  /** The epoch of the contact link, below which no table is taken; 0 without a link, null for a provisional entry. */
  minEpoch: number | null
  /** When the owner compared the safety number or a link; null when he did not. */
  verifiedAtSec: number | null
  /** The head's names could not be read by this version; keys are current. */
  needsNewerPersona: boolean
  /** A newer table waits for the owner's answer. */
  pending: boolean
  /** Key of the first confirmed device that chats: what apps talk to. */
  active: string | null
  /** Key of the table's first device that chats when that is another one, not yet confirmed. */
  activeUnconfirmed: string | null
  /** Confirmed (or the provisional one), active first, companions last: what an app may use. */
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
  needsNewerPersona: z.boolean(),
  pending: z.boolean(),
  active: keyHex.nullable(),
  activeUnconfirmed: keyHex.nullable(),
  devices: z.array(contactDevice),
  claims: z.array(contactDevice),
  others: z.array(contactDevice),
})

/** Who a key or a name is. `contact` is null when nobody is known by it; a device that is only claimed is in `claimedBy`. */
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
