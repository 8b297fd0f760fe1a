/** The values that travel over the socket and that `--json` prints (docs/ipc.md, section 4): each interface beside the schema that checks it. */
import { z } from 'zod'
import { count, keyHex, seconds } from './scalars.ts'
import { toxStatus, type ToxStatus } from './shapes-tox.ts'

export { count, keyHex }

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

const freshness = z.enum(['fresh', 'stale', 'expired'])
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

/** The owner's table, whole. */
export interface OwnTable {
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  /** Names are published; false after `--unnamed` or when they no longer fit. */
  named: boolean
  devices: TableDevice[]
  /** Bytes left of 1006 in the status message for own words and further devices. */
  bytesFree: number
}

export const ownTable: z.ZodType<OwnTable> = z.strictObject({
  personaId: keyHex,
  epoch: count,
  seq: count,
  timeSec: seconds,
  named: z.boolean(),
  devices: z.array(tableDevice),
  bytesFree: z.int(),
})

/** What an edit did: the table after it, and what it had to give up to fit. */
export interface EditResult {
  table: OwnTable
  /** "names": the table is published without nicknames from now on. */
  gaveUp: 'names'[]
  notices: string[]
}

export const editResult: z.ZodType<EditResult> = z.strictObject({
  table: ownTable,
  gaveUp: z.array(z.literal('names')),
  notices: z.array(z.string()),
})

/** The status message to show: own words, a space, the token. */
export interface StatusMessage {
  text: string
  bytes: number
  words: string
  token: string
  table: OwnTable
}

export const statusMessage: z.ZodType<StatusMessage> = z.strictObject({
  text: z.string(),
  bytes: count,
  words: z.string(),
  token: z.string(),
  table: ownTable,
})

/** A blob whose signature and chain are good, in words and hex. */
export interface BlobView {
  version: number
  personaId: string
  epoch: number
  seq: number
  timeSec: number
  freshness: Freshness
  /** Dated more than two hours ahead of this clock. */
  clockAhead: boolean
  /** c_0, the commitment that a newcomer pins beside the PersonaID. */
  chainRoot: string
  prev: string
  tableHash: string
  devices: TableDevice[]
  /** null, or why the names could not be read while everything else is good. */
  documentCode: string | null
  bytes: number
}

export const blobView: z.ZodType<BlobView> = z.strictObject({
  version: z.literal(1),
  personaId: keyHex,
  epoch: count,
  seq: count,
  timeSec: seconds,
  freshness,
  clockAhead: z.boolean(),
  chainRoot: keyHex,
  prev: z.string(),
  tableHash: keyHex,
  devices: z.array(tableDevice),
  documentCode: z.string().nullable(),
  bytes: count,
})

/** How a blob stands against the head that is kept of its persona (docs/format.md, section 8). */
export type OrderVerdict = 'new' | 'accept' | 'refresh' | 'fork' | 'stale' | 'held' | 'violation'
export const orderVerdict: z.ZodType<OrderVerdict> = z.enum([
  'new',
  'accept',
  'refresh',
  'fork',
  'stale',
  'held',
  'violation',
])

/** The judgement of one status message. */
export interface VerifyResult {
  valid: boolean
  /** null when valid. */
  code: string | null
  message: string
  blob: BlobView | null
  /** The text without the token. */
  words: string
  bytes: number
  /** More than 1006 bytes: judged all the same, but no client may show it. */
  overLimit: boolean
  /** Against the stored head; null without a daemon or for an invalid text. */
  verdict: OrderVerdict | null
  /** Whether the table lists the device that shows it; null when `from` was not given. */
  listsSender: boolean | null
}

export const verifyResult: z.ZodType<VerifyResult> = z.strictObject({
  valid: z.boolean(),
  code: z.string().nullable(),
  message: z.string(),
  blob: blobView.nullable(),
  words: z.string(),
  bytes: count,
  overLimit: z.boolean(),
  verdict: orderVerdict.nullable(),
  listsSender: z.boolean().nullable(),
})

/** In the order in which they are told. */
const CHANGE_KINDS = [
  'created', // first seen
  'upgraded', // a provisional entry became a persona
  'rotated', // a higher epoch
  'removed',
  'added', // the table lists a new device
  'renamed',
  'activated', // another first device
  'confirmed',
  'unconfirmed',
  'repinned', // the owner took another chain for the true one
  'called', // so by the owner from now on
  'blocked',
  'unblocked',
  'split', // the owner took a device from it
  'verified', // the owner compared the safety number
  'policy', // by the owner; `name` says which
] as const
export type ChangeKind = (typeof CHANGE_KINDS)[number]
export const changeKind: z.ZodType<ChangeKind> = z.enum(CHANGE_KINDS)

/** One thing a device showed. */
export interface ObservationParams {
  from: string
  text: string
  /** The friend's name in the client, kept as the contact's name at first sight. */
  name?: string
  /** When it was shown; now when absent. Never in the future: a later time is taken as now. */
  seenAtSec?: number
}

export const observationParams: z.ZodType<ObservationParams> = z.strictObject({
  from: keyHex,
  text: z.string().max(4096), // sanity: four times a status message; a text over 1006 bytes is judged and refused with its own code
  name: z.string().max(512).exactOptional(), // sanity: a Tox name has at most 128 bytes
  seenAtSec: seconds.exactOptional(),
})

export interface ObserveResult {
  from: string
  /** What the text held. `empty`: Tox sends one at each connect, it says nothing. */
  shown: 'valid' | 'none' | 'empty' | 'damaged' | 'invalid'
  code: string | null
  personaId: string | null
  verdict: OrderVerdict | null
  /** The pair's state after it. */
  state: PairState | 'provisional' | null
  contact: string | null
  /** What changed by it, for this contact and for one that the device left. */
  changes: ChangeKind[]
}

export const observeResult: z.ZodType<ObserveResult> = z.strictObject({
  from: keyHex,
  shown: z.enum(['valid', 'none', 'empty', 'damaged', 'invalid']),
  code: z.string().nullable(),
  personaId: keyHex.nullable(),
  verdict: orderVerdict.nullable(),
  state: z.enum(['claimed', 'confirmed', 'former', 'asserted', 'provisional']).nullable(),
  contact: z.string().nullable(),
  changes: z.array(z.enum(CHANGE_KINDS)),
})

export interface DaemonStatus {
  version: string
  pid: number
  startedAtSec: number
  home: { stateDir: string; appSocket: string; adminSocket: string; configFile: string | null }
  engine: 'sodium' | 'portable'
  store: { kind: string; schema: number }
  persona: OwnTable | null
  /** Signing is possible: a persona is there and its secrets are open. */
  locked: boolean
  /** false until the recovery words were confirmed: a stolen device could then take the persona. */
  theftProtection: boolean
  /** Devices that came only through a sibling's table, and were not approved here. */
  unapproved: TableDevice[]
  freshness: Freshness | null
  counts: { contacts: number; provisional: number; devices: number; connections: number }
  /** Tox profiles that are watched, and own ones among them that show an older table than the present one. */
  profiles: { watched: number; older: number }
  /** The companion; null where the configuration has none. */
  tox: ToxStatus | null
  notices: string[]
}

export const daemonStatus: z.ZodType<DaemonStatus> = z.strictObject({
  version: z.string(),
  pid: z.int(),
  startedAtSec: seconds,
  home: z.strictObject({
    stateDir: z.string(),
    appSocket: z.string(),
    adminSocket: z.string(),
    configFile: z.string().nullable(),
  }),
  engine: z.enum(['sodium', 'portable']),
  store: z.strictObject({ kind: z.string(), schema: z.int() }),
  persona: ownTable.nullable(),
  locked: z.boolean(),
  theftProtection: z.boolean(),
  unapproved: z.array(tableDevice),
  freshness: freshness.nullable(),
  counts: z.strictObject({
    contacts: count,
    provisional: count,
    devices: count,
    connections: count,
  }),
  profiles: z.strictObject({ watched: count, older: count }),
  tox: toxStatus.nullable(),
  notices: z.array(z.string()),
})

const SHOWN_STATES = [
  'current',
  'older',
  'newer', // a table of the own persona that is not taken here: too far ahead, or of a newer version
  'other', // another persona's, or one of a second chain of keys
  'none', // no token at all
  'damaged', // cut or altered
  'unread', // not known: see `problem`
] as const

/** What the owner's own profile shows to friends as its status message. */
export interface ShownTable {
  state: (typeof SHOWN_STATES)[number]
  /** Of the table that it shows; null where there is none to be read. */
  epoch: number | null
  seq: number | null
}

/** A Tox profile that the daemon watches. */
export interface WatchedProfile {
  path: string
  /** ToxPk of the profile; null while it cannot be read. */
  key: string | null
  /** Nickname in the own table; null when it is none of the owner's devices. */
  device: string | null
  encrypted: boolean
  /** null for a profile that is none of the owner's. */
  shows: ShownTable | null
  /** When it was last read, or tried to be. */
  checkedAtSec: number
  /** A program that seems to run on it and will write it over; null for none that can be seen. */
  client: string | null
  /** Why the table is not written back yet; null when that is not due. */
  repair: string | null
  /** Why it cannot be read. */
  problem: { code: string; message: string } | null
}

export const watchedProfile: z.ZodType<WatchedProfile> = z.strictObject({
  path: z.string(),
  key: keyHex.nullable(),
  device: z.string().nullable(),
  encrypted: z.boolean(),
  shows: z.strictObject({ state: z.enum(SHOWN_STATES), epoch: count.nullable(), seq: count.nullable() }).nullable(),
  checkedAtSec: seconds,
  client: z.string().nullable(),
  repair: z.string().nullable(),
  problem: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
})

export interface ProfileList {
  profiles: WatchedProfile[]
  /** What is not watched as it should be, in words. */
  troubles: string[]
}

export const profileList: z.ZodType<ProfileList> = z.strictObject({
  profiles: z.array(watchedProfile),
  troubles: z.array(z.string()),
})
