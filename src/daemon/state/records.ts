/** The records of the store, kind by kind. None is secret; docs/threat-model.md lists which are public. Keys and hashes are upper-case hex. */
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { HistoryEntry } from '../../core/history.ts'
import type { LinkedPoint, TablePoint } from '../../core/order.ts'
import type { Intent } from '../../core/intents.ts'
import type { Settings } from '../../core/document.ts'
import type { Device } from '../../core/table.ts'
import type { DeviceReports, ContactEntry } from '../../core/consent.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import type { PendingKind } from '../../ipc/shapes/pending.ts'
import type { RecordCache } from '../../store/record-cache.ts'
import { Collection, type Store } from '../../store/store.ts'
import { baseKind, type Kind } from './kind.ts'

// These limits bound a persona's record, whoever writes its blobs.
export const MAX_KNOWN_NAMES = 64 // sanity: nicknames remembered for keys, so that a table without names keeps them

export const MAX_OTHERS = 64 // sanity: devices that left, or that assert the persona without being listed

export const MAX_CLAIMANTS = 64 // sanity: personas that list one device; all but one of them are wrong

export const MAX_TOMBSTONES = 1024 // sanity: removed devices of a lifetime

export const MAX_PAST_TABLES = 64 // sanity: own tables remembered, to find out which table descends from which

/** A persona whose chain a verified blob or a contact link has pinned: a contact, or the owner. The id is the PersonaID. */
export interface PersonaRecord {
  readonly personaId: string
  /** Pinned c_0. */
  readonly root: string
  /** The highest epoch of a contact link; tables of a lower epoch are refused. 0 without a link. */
  readonly minEpoch: number
  /**
   * The head, base64url. Its order fields stand beside it, so that a lookup decodes nothing. Null while we know only a link: then the order
   * fields are zeros, and no device is listed.
   */
  readonly head: string | null
  readonly epoch: number
  readonly seq: number
  readonly timeSec: number
  /** When the head was first seen here, if it was dated more than two hours ahead of this clock then. It counts as signed at that moment. */
  readonly seenSec?: number
  readonly devices: readonly Device[]
  /** We could not read the head's document, so the nicknames are those known before. */
  readonly needsNewerPersona: boolean
  /** The policy holds back the head's devices, and apps see `devices` instead; null if both are the same. */
  readonly pending: { readonly tableHash: string; readonly sinceSec: number; readonly rejected: boolean } | null
  /** A blob that jumps too far ahead to be accepted without the owner. */
  readonly held: string | null
  readonly names: readonly (readonly [key: string, name: string])[]
  /** Devices that the table does not list, but that are bound to this persona or assert it. */
  readonly others: readonly string[]
  readonly evidence: readonly Evidence[]
  /** When the owner last compared the safety number or a link; null if never. */
  readonly verifiedAtSec: number | null
  /** What the owner decided about it on another device, as that device reports it. */
  readonly elsewhere?: Elsewhere
  /** Null for the owner. */
  readonly entry: ContactEntry | null
  /** A statement names a successor, and waits for the owner's answer. Absent without one. */
  readonly successor?: {
    /** The successor's newest table, base64url. */
    readonly blob: string
    readonly tableHash: string
    readonly sinceSec: number
    readonly rejected: boolean
  }
  /** The persona whose place this one took. Absent for most. */
  readonly replaces?: { readonly personaId: string; readonly root: string }
  /** PersonaID of the successor that took its place. Only records out of sight have it. */
  readonly replacedBy?: string
}

/** What the owner decided about a contact on another device, as that device reports it. */
export interface Elsewhere {
  /** `sibling:NAME`, as the other device calls itself. */
  readonly source: string
  /** c_0 of the chain that it is about, 64 hex digits. */
  readonly root: string
  readonly sinceSec: number
  /** When the owner compared the safety number there, at most when the report came; null if they did not, or after a no. */
  readonly verifiedAtSec: number | null
  /** The epoch of a contact link there; 0 without one, or after a no. */
  readonly minEpoch: number
  /** The owner's no: neither a comparison nor a link up to this epoch is asked about again. */
  readonly refused: { readonly verified: boolean; readonly minEpoch: number }
}

/** A persona with a head. The owner's always has one. */
export type HeadedPersona = PersonaRecord & { readonly head: string }

export function hasHead(persona: PersonaRecord): persona is HeadedPersona {
  return persona.head !== null
}

/** A device that was seen or claimed. The id is its key. */
export interface DeviceRecord {
  readonly reports: DeviceReports
  /** The first persona that it confirmed. Only the owner unbinds it. */
  readonly bound: string | null
  /** When and by which table the bound persona dropped it. */
  readonly left: { readonly atSec: number; readonly epoch: number; readonly seq: number } | null
  /** PersonaIDs whose head lists it. */
  readonly claimedBy: readonly string[]
  /** The entry of a friend without a persona. */
  readonly entry: ContactEntry | null
  /** Keys of the friends without a persona that the owner joined with this one (state/joined.ts). */
  readonly joins?: readonly string[]
  /** Key of the friend that has this one among its `joins`. */
  readonly joinedTo?: string
  /** The newest blob that would turn the entry into a persona's, but that the entry's policy holds back. */
  readonly pending: {
    readonly blob: string
    readonly tableHash: string
    readonly sinceSec: number
    readonly rejected: boolean
  } | null
  readonly seenAtSec: number | null
  /** This daemon's clock at the last write. It limits how often we write. */
  readonly heardAtSec: number
}

/** The owner's data beside their own PersonaRecord. The id is `own`. */
export interface OwnRecord {
  readonly personaId: string
  /** Position in the chain: links, next and signing key as hex, inception null at epoch 0. */
  readonly epoch: number
  readonly signingKey: string
  readonly links: string
  readonly next: string
  readonly inception: string | null
  readonly named: boolean
  readonly recoveryConfirmed: boolean
  /** Keys removed here. Without the owner's consent they are never replayed, imported or restored. */
  readonly tombstones: readonly string[]
  /** We accepted a sibling's table while the key was locked, so the unlock replays the own intents. */
  readonly replayDue: boolean
  /** Number of the next intent. */
  readonly nextIntent: number
  /** For each device of the table: the device that added it. */
  readonly notes: readonly DeviceNote[]
  /** Keys of the devices on this machine, named at init or when it joined; empty in older records. */
  readonly localDevices: readonly string[]
  /** Key of the companion that this daemon runs; null without one. */
  readonly companion: string | null
  /** The highest epoch of any own blob ever seen. It never decreases. */
  readonly highestEpoch: number
  /** When the freshest copy of the own blob that a sibling or the owner gave was signed, at most when we read it; null without one. */
  readonly copySec: number | null
  /** The last rotation made here. */
  readonly rotation: OwnRotation | null
  /** When this state was restored from a backup or copied. Nothing is signed until we have read a copy of the own blob since. */
  readonly restoredSec: number | null
  /**
   * The epoch whose key was created here and has not left for another device or a backup; null if it has, or if unknown. A key of a later
   * epoch came from the recovery words.
   */
  readonly soleEpoch: number | null
  /** The seed was on this device. False on a device that joined, and in older records until they are open beside the seed. */
  readonly hadSeed: boolean
  /** The settings that the owner made on this device. A rotation keeps them, and no other value of `announce` and `at`. */
  readonly settings?: Settings
  /** The whole statement by which the persona before named this one, base64url. Absent or null without one. */
  readonly predecessor?: string | null
  /** PersonaID of the successor that another device made with the recovery words: nothing is signed any more. Absent or null without one. */
  readonly succeededBy?: string | null
  /** Newest first. Only stores and backups from before these tables had their own records have it: see {@link PastTable}. */
  readonly recent?: readonly PastTable[]
}

/** The values for a new persona, and for records older than these fields. */
export const OWN_DEFAULTS: Pick<
  OwnRecord,
  | 'notes'
  | 'localDevices'
  | 'companion'
  | 'highestEpoch'
  | 'copySec'
  | 'rotation'
  | 'restoredSec'
  | 'soleEpoch'
  | 'hadSeed'
> = {
  notes: [],
  localDevices: [],
  companion: null,
  highestEpoch: 0,
  copySec: null,
  rotation: null,
  restoredSec: null,
  soleEpoch: null,
  hadSeed: false,
}

/** An own table that was once the head. The id has ten digits and sorts the newest last. */
export type PastTable = LinkedPoint

/** Marks a persona or device with pending changes. The id is the PersonaID, or the device's key. */
export interface PendingRecord {
  readonly kinds: readonly PendingKind[]
}

/** The record that a name leads to. The id is the folded name, so that contacts are listed in its order. */
export interface NameRecord {
  readonly kind: 'persona' | 'device'
  readonly id: string
}

export interface Counts {
  readonly contacts: number
  readonly provisional: number
  readonly devices: number
}

/** A local app. The id is its name. */
export interface AppRecord {
  readonly name: string
  /** First 32 bytes of SHA-512 over LABEL_APP and the token, 64 hex digits. The token itself is not stored. */
  readonly tokenHash: string
  readonly can: readonly Capability[]
  readonly createdSec: number
  readonly expiresAtSec: number | null
  readonly usedAtSec: number | null
  readonly asks: { readonly can: readonly Capability[]; readonly why: string; readonly atSec: number } | null
  /** The app is revoked, and its observations are being dropped. */
  readonly revoking: boolean
}

/** An alarm that the owner has not dismissed. The id is made of code and PersonaID. */
export interface AlarmRecord {
  readonly code: string
  readonly personaId: string | null
  /** The devices of its last occurrence. */
  readonly keys: readonly string[]
  readonly message: string
  readonly sinceSec: number
  readonly lastSec: number
  readonly count: number
  /** When it becomes an alarm, unless it is resolved before; null if it is one already. */
  readonly dueSec: number | null
}

/** The ends of the history. The id is `last`. */
export interface HistoryTip {
  /** Number of the newest entry; 0 without one. */
  readonly number: number
  /** Hash of the newest entry. */
  readonly hash: string
  /** Number of the oldest entry in the store. */
  readonly oldest: number
  /** Hash of the entry before the oldest one in the store. */
  readonly base: string
}

/** An entry of the history. */
export interface EntryRecord extends HistoryEntry {
  /** Hash of the entry before. Only where that one is gone, since this entry outlives it (state/kept-entries.ts). */
  readonly before?: string
}

/** The entries of one group that outlive the others, the oldest first. The id is the name of the group. */
export interface KeptEntries {
  readonly numbers: readonly number[]
}

/** A contact that made more news than the history keeps. The id is the contact's, or `own` (state/noise.ts). */
export interface NoisyRecord {
  /** The source of the news that was left out last. */
  readonly source: string
}

/** The place of the state at the last start. The id is `here`. */
export interface PlaceRecord {
  /** A hash of the machine's id; null if it has none. */
  readonly machine: string | null
  /** Mark of the witness (store/witness.ts). Without `store`: inode number and creation time of the anchor file, as an earlier version wrote it. */
  readonly file: string
  /** A random id of this store; an earlier version wrote none. */
  readonly store?: string
  /** How often it got a new witness. */
  readonly times?: number
}

/** The latest time that this daemon has written. A clock before it is wrong. */
export interface ClockRecord {
  readonly lastSec: number
}

/** A snapshot that is being imported. The id is `now`. */
export type ImportRecord =
  /** Its last line has not confirmed it yet. */
  | { readonly state: 'arriving'; readonly id: string }
  | {
      readonly state: 'taking'
      /** The source of its sightings: `sibling:NAME`; null for this persona's own past. */
      readonly source: string | null
      readonly withKeys: boolean
      readonly ownId: string | null
    }

/** Decodes a key or hash of a record. Anything but hex is a fault of the store, and never an empty key. */
export function storedBytes(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === null) throw new Error('the store holds a key that is not hex')
  return bytes
}

/** The records that the daemon has without any wing. */
interface BaseRecords {
  readonly personas: Collection<PersonaRecord>
  /** Personas that the owner forgot, with only their pins and heads. */
  readonly forgotten: Collection<PersonaRecord>
  readonly devices: Collection<DeviceRecord>
  readonly names: Collection<NameRecord>
  readonly own: Collection<OwnRecord>
  readonly past: Collection<PastTable>
  readonly intents: Collection<Intent>
  readonly counts: Collection<Counts>
  readonly clock: Collection<ClockRecord>
  readonly history: Collection<EntryRecord>
  readonly tip: Collection<HistoryTip>
  readonly kept: Collection<KeptEntries>
  readonly noisy: Collection<NoisyRecord>
  readonly apps: Collection<AppRecord>
  readonly alarms: Collection<AlarmRecord>
  readonly places: Collection<PlaceRecord>
  readonly imports: Collection<ImportRecord>
  /** Records of a snapshot, kept beside the state until it is complete. They are applied in the order of their ids. */
  readonly arrivals: Collection<SnapshotItem>
  readonly pending: Collection<PendingRecord>
}

/** Each kind must declare whether it travels; the compiler checks that. */
const BASE_KINDS: { readonly [Name in keyof BaseRecords]: Kind<ReturnType<BaseRecords[Name]['read']>[1]> } = {
  personas: baseKind('persona', 'always', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  // The other device need not know which contacts the owner forgot.
  forgotten: baseKind('forgotten', 'never', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  devices: baseKind('device', 'always', { defaults: { pending: null }, isCached: true }),
  // Rebuilt from the entries.
  names: baseKind('name', 'never', { isCached: true }),
  own: baseKind('own', 'always', { defaults: OWN_DEFAULTS, isCached: true }),
  // The order of the own tables is the same on all devices.
  past: baseKind('past', 'always'),
  intents: baseKind('intent', 'backup', { isCached: true }),
  // Counted again on the other device.
  counts: baseKind('counts', 'never', { isCached: true }),
  // Times of this device's clock mean nothing to another device.
  clock: baseKind('clock', 'never', { isCached: true }),
  // The history belongs to one store. Not cached: its entries are hardly ever read twice.
  history: baseKind('history', 'never'),
  tip: baseKind('tip', 'never', { isCached: true }),
  kept: baseKind('kept', 'never'),
  noisy: baseKind('noisy', 'never'),
  // A token is for one machine, and a token revoked since must not come back.
  apps: baseKind('app', 'never', { isCached: true }),
  // A sibling raises its own alarms; a restored daemon must show those that the owner has not dismissed.
  alarms: baseKind('alarm', 'backup'),
  places: baseKind('place', 'never'),
  imports: baseKind('import', 'never', { isCached: true }),
  arrivals: baseKind('arrival', 'never'),
  // Rebuilt from personas and devices.
  pending: baseKind('pending', 'never'),
}

export interface Records extends BaseRecords {
  /** Every kind of the store: the daemon's own, and those of its wings. */
  readonly kinds: readonly Kind<unknown>[]
  /** The records of a wing's kind. */
  of<T>(kind: Kind<T>): Collection<T>
}

/**
 * The collections of a store. Pass the store itself, with a cache, to read what is on disk, or a Writer to change it.
 * @param ofWings the kinds that wings bring
 */
export function recordsOf(
  store: Store,
  cache: RecordCache | null = null,
  ofWings: readonly Kind<unknown>[] = [],
): Records {
  const kinds: Kind<unknown>[] = [...Object.values(BASE_KINDS), ...ofWings]
  const byName = new Map<string, Collection<unknown>>()
  for (const { name, codec, isCached } of kinds) {
    if (byName.has(name)) throw new Error(`two kinds of records are called ${name}`)
    byName.set(name, new Collection(store, name, codec, isCached ? cache : null))
  }
  const of = <T>({ name }: Kind<T>): Collection<T> => {
    const collection = byName.get(name)
    // Only its wing can declare whether it travels.
    if (collection === undefined) throw new Error(`no open wing declares records of the kind ${name}`)
    return collection as Collection<T>
  }
  return {
    personas: of(BASE_KINDS.personas),
    forgotten: of(BASE_KINDS.forgotten),
    devices: of(BASE_KINDS.devices),
    names: of(BASE_KINDS.names),
    own: of(BASE_KINDS.own),
    past: of(BASE_KINDS.past),
    intents: of(BASE_KINDS.intents),
    counts: of(BASE_KINDS.counts),
    clock: of(BASE_KINDS.clock),
    history: of(BASE_KINDS.history),
    tip: of(BASE_KINDS.tip),
    kept: of(BASE_KINDS.kept),
    noisy: of(BASE_KINDS.noisy),
    apps: of(BASE_KINDS.apps),
    alarms: of(BASE_KINDS.alarms),
    places: of(BASE_KINDS.places),
    imports: of(BASE_KINDS.imports),
    arrivals: of(BASE_KINDS.arrivals),
    pending: of(BASE_KINDS.pending),
    kinds,
    of,
  }
}

export const OWN = 'own'

export const COUNTS = 'all'

export const CLOCK = 'last'

export const TIP = 'last'

export const IMPORT = 'now'

export const PLACE = 'here'

export const NO_COUNTS: Counts = { contacts: 0, provisional: 0, devices: 0 }

export const NEW_DEVICE: DeviceRecord = {
  reports: [],
  bound: null,
  left: null,
  claimedBy: [],
  entry: null,
  pending: null,
  seenAtSec: null,
  heardAtSec: 0,
}

/** A device of the own table, or one that a sibling's table removed. */
export interface DeviceNote {
  readonly key: string
  /** When it entered the table, by this daemon's clock; 0 if that was before we kept such notes. */
  readonly cameSec: number
  /** The owner added or approved it here; false if it came only from a sibling's table. */
  readonly approved: boolean
  /** When a sibling's table removed it; null while it is listed. */
  readonly goneSec: number | null
  /** Whether it is a companion, if a sibling's table has changed that; absent if none did, and the table is right. */
  readonly companion?: boolean
}

/** The last rotation made here. */
export interface OwnRotation extends TablePoint {
  /** T of the rival that we last reported. Each is reported once. */
  readonly rival: string | null
  /** The rival descends from our rotation, but lists a device that it left out. The owner can approve that device instead of rotating. */
  readonly returned?: true
}

/** One record. The id of a device is its key, that of a persona its PersonaID. */
export type SnapshotItem =
  | { readonly kind: 'persona'; readonly id: string; readonly value: PersonaRecord }
  | { readonly kind: 'device'; readonly id: string; readonly value: DeviceRecord }
  | { readonly kind: 'own'; readonly id: string; readonly value: OwnRecord }
  | { readonly kind: 'past'; readonly id: string; readonly value: PastTable }
  | { readonly kind: 'intent'; readonly id: string; readonly value: Intent }
  | { readonly kind: 'alarm'; readonly id: string; readonly value: AlarmRecord }
  | WingItem

/** A record of a wing. `of` is the name of its kind. */
export interface WingItem {
  readonly kind: 'wing'
  readonly of: string
  readonly id: string
  readonly value: unknown
}
