/** What the store holds, kind by kind (docs/threat-model.md says what is public; nothing secret is among it). Keys and hashes are upper-case hex. */
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Evidence } from '../../core/evidence.ts'
import type { HistoryEntry } from '../../core/history.ts'
import type { Intent, TablePoint } from '../../core/intents.ts'
import type { Device } from '../../core/table.ts'
import type { DeviceReports, ContactEntry } from '../../core/trust.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import type { PendingKind } from '../../ipc/shapes/pending.ts'
import type { RecordCache } from '../../store/record-cache.ts'
import { Collection, type Store } from '../../store/store.ts'
import { baseKind, type Kind } from './kind.ts'

/** Bounds what a persona's record can grow to, whoever writes its blobs; the least telling goes first. */
export const MAX_KNOWN_NAMES = 64 // sanity: nicknames remembered for keys, so that a table without names keeps them

export const MAX_OTHERS = 64 // sanity: devices that left or that only assert

export const MAX_CLAIMANTS = 64 // sanity: personas that list one device; all but one of them are wrong

export const MAX_TOMBSTONES = 1024 // sanity: removed devices of a lifetime

export const MAX_PAST_TABLES = 64 // sanity: own tables remembered to tell what descends from what

/** A persona whose chain is pinned, by a verified blob or by a contact link: a contact, or the owner. The id is the PersonaID. */
export interface PersonaRecord {
  readonly personaId: string
  /** Pinned c_0. */
  readonly root: string
  /** The highest epoch of a contact link, below which nothing is taken; 0 without one. */
  readonly minEpoch: number
  /**
   * The head, base64url; with its order fields beside it so that a lookup decodes nothing. Null as long as only a link is known: then the
   * order fields are zeros, and no device is listed.
   */
  readonly head: string | null
  readonly epoch: number
  readonly seq: number
  readonly timeSec: number
  readonly devices: readonly Device[]
  /** The head's document was not understood: nicknames are those known before. */
  readonly needsNewerPersona: boolean
  /** The policy holds back what the head lists, and `devices` is what apps see; null when both are the same. */
  readonly pending: { readonly tableHash: string; readonly sinceSec: number; readonly rejected: boolean } | null
  /** A blob that jumps too far ahead to be taken. */
  readonly held: string | null
  readonly names: readonly (readonly [key: string, name: string])[]
  /** Devices that are not listed but bound to this persona, or asserting it. */
  readonly others: readonly string[]
  readonly evidence: readonly Evidence[]
  /** When the owner last compared the safety number or a link, with his own eyes; null when he never did. */
  readonly verifiedAtSec: number | null
  /** null for the owner. */
  readonly entry: ContactEntry | null
}

/** One of which a table was seen, as of the owner's always. */
export type HeadedPersona = PersonaRecord & { readonly head: string }

export function hasHead(persona: PersonaRecord): persona is HeadedPersona {
  return persona.head !== null
}

/** A device that was seen or claimed. The id is its key. */
export interface DeviceRecord {
  readonly reports: DeviceReports
  /** The first persona that it confirmed; only the user unbinds. */
  readonly bound: string | null
  /** When and by which table the bound persona dropped it. */
  readonly left: { readonly atSec: number; readonly epoch: number; readonly seq: number } | null
  /** PersonaIDs whose head lists it. */
  readonly claimedBy: readonly string[]
  /** A friend without a blob has an entry of its own. */
  readonly entry: ContactEntry | null
  /** The newest blob that would make the entry a persona's, if its policy were not to ask first. */
  readonly pending: {
    readonly blob: string
    readonly tableHash: string
    readonly sinceSec: number
    readonly rejected: boolean
  } | null
  readonly seenAtSec: number | null
  /** This daemon's clock at the last write, to bound writes. */
  readonly heardAtSec: number
}

/** What the owner's daemon keeps beside the owner's own PersonaRecord. The id is `own`. */
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
  /** Keys removed here: never replayed, imported or restored without the owner's word. */
  readonly tombstones: readonly string[]
  /** A sibling's table was taken while the key was locked: the own intents are replayed at the unlock. */
  readonly replayDue: boolean
  /** Number of the next intent. */
  readonly nextIntent: number
  /** By whose word each device of the table is there. */
  readonly notes: readonly DeviceNote[]
  /** Keys of the devices that this daemon runs for: named at init, or when it joined. None is known of an older record. */
  readonly localDevices: readonly string[]
  /** Key of the companion that this daemon runs; null without one. */
  readonly companion: string | null
  /** The highest epoch of any own blob that was ever seen. It never sinks. */
  readonly highestEpoch: number
  /** When a copy of the own blob was last read, on a sibling or by the hand of the owner; null for never. */
  readonly copySec: number | null
  /** The last rotation made here. */
  readonly rotation: OwnRotation | null
  /** When this state was put back from a backup or copied from elsewhere: nothing is signed until a copy of the own blob was read since. */
  readonly restoredSec: number | null
  /** The epoch whose key was drawn here and has left to no other device and no backup; null when it has, or it is not known. A key of a later epoch came from the words. */
  readonly soleEpoch: number | null
  /** Newest first, in stores and backups that were written before these tables had records of their own: see {@link PastTable}. */
  readonly recent?: readonly PastTable[]
}

/** Of a new persona, and of records that were written before these fields. */
export const OWN_DEFAULTS: Pick<
  OwnRecord,
  'notes' | 'localDevices' | 'companion' | 'highestEpoch' | 'copySec' | 'rotation' | 'restoredSec' | 'soleEpoch'
> = {
  notes: [],
  localDevices: [],
  companion: null,
  highestEpoch: 0,
  copySec: null,
  rotation: null,
  restoredSec: null,
  soleEpoch: null,
}

/** An own table that was head. The id has ten digits and sorts the newest last. */
export interface PastTable extends TablePoint {
  /** First 16 bytes of the previous T, 32 hex digits. */
  readonly prev: string
}

/** That something of a persona or device waits for the owner's answer. The id is the PersonaID, or the device's key. */
export interface PendingRecord {
  readonly kinds: readonly PendingKind[]
}

/** Where a name leads. The id is the folded name, so that contacts are listed in its order. */
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
  /** First 32 bytes of SHA-512 over LABEL_APP and the token, 64 hex digits; the token itself is nowhere. */
  readonly tokenHash: string
  readonly can: readonly Capability[]
  readonly createdSec: number
  readonly expiresAtSec: number | null
  readonly usedAtSec: number | null
  readonly asks: { readonly can: readonly Capability[]; readonly why: string; readonly atSec: number } | null
  /** Revoked, and its observations are being dropped. */
  readonly revoking: boolean
}

/** What the owner was alarmed of, and has not dismissed. The id is made of code and PersonaID. */
export interface AlarmRecord {
  readonly code: string
  readonly personaId: string | null
  /** The devices that it was raised for last. */
  readonly keys: readonly string[]
  readonly message: string
  readonly sinceSec: number
  readonly lastSec: number
  readonly count: number
  /** It becomes an alarm then, if nothing settles it; null for one that is. */
  readonly dueSec: number | null
}

/** Where the history stands. The id is `last`. */
export interface HistoryTip {
  /** Of the newest entry; 0 without one. */
  readonly number: number
  /** Of the newest entry. */
  readonly hash: string
  /** Number of the oldest entry that is kept. */
  readonly oldest: number
  /** Hash in front of the oldest entry that is kept. */
  readonly base: string
}

/** Where the state lay at the last start. The id is `here`. */
export interface PlaceRecord {
  /** A hash of the machine's id; null where it has none. */
  readonly machine: string | null
  /** Number of the anchor file, and when it was made, in nanoseconds; 0 where the file system does not say. */
  readonly file: string
}

/** The latest time this daemon has written: a clock before it is wrong. */
export interface ClockRecord {
  readonly lastSec: number
}

/** A snapshot that is being taken in. The id is `now`. */
export type ImportRecord =
  /** Not confirmed by its last line yet. */
  | { readonly state: 'arriving'; readonly id: string }
  | {
      readonly state: 'taking'
      /** Of what it says was seen: `sibling:NAME`; null for this persona's own past. */
      readonly source: string | null
      readonly withKeys: boolean
      readonly ownId: string | null
    }

/** Bytes of a key or hash that a record holds. Anything else than hex there is a fault of the store, never an empty key. */
export function storedBytes(hex: string): Uint8Array {
  const bytes = parseHex(hex)
  if (bytes === null) throw new Error('the store holds a key that is no hex')
  return bytes
}

/** The records that the daemon has without any wing. */
interface BaseRecords {
  readonly personas: Collection<PersonaRecord>
  /** Personas that the owner forgot, with their pins and heads and nothing else. */
  readonly forgotten: Collection<PersonaRecord>
  readonly devices: Collection<DeviceRecord>
  readonly names: Collection<NameRecord>
  readonly own: Collection<OwnRecord>
  readonly past: Collection<PastTable>
  readonly intents: Collection<Intent>
  readonly counts: Collection<Counts>
  readonly clock: Collection<ClockRecord>
  readonly history: Collection<HistoryEntry>
  readonly tip: Collection<HistoryTip>
  readonly apps: Collection<AppRecord>
  readonly alarms: Collection<AlarmRecord>
  readonly places: Collection<PlaceRecord>
  readonly imports: Collection<ImportRecord>
  /** Records of a snapshot that wait beside the state. The id says in which order they are taken. */
  readonly arrivals: Collection<SnapshotItem>
  readonly pending: Collection<PendingRecord>
}

/** The compiler asks for a decision on each: does it travel? */
const BASE_KINDS: { readonly [Name in keyof BaseRecords]: Kind<ReturnType<BaseRecords[Name]['read']>[1]> } = {
  personas: baseKind('persona', 'always', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  // The other side need not know whom the owner wants to forget.
  forgotten: baseKind('forgotten', 'never', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  devices: baseKind('device', 'always', { defaults: { pending: null }, isCached: true }),
  // They follow from the entries.
  names: baseKind('name', 'never', { isCached: true }),
  own: baseKind('own', 'always', { defaults: OWN_DEFAULTS, isCached: true }),
  // The order of the own tables is the same on all devices.
  past: baseKind('past', 'always'),
  intents: baseKind('intent', 'backup', { isCached: true }),
  // They are counted again.
  counts: baseKind('counts', 'never', { isCached: true }),
  // Times of this device's clock mean nothing to another one.
  clock: baseKind('clock', 'never', { isCached: true }),
  // It is the history of one store. Its entries are hardly ever read twice.
  history: baseKind('history', 'never'),
  tip: baseKind('tip', 'never', { isCached: true }),
  // A token is for one machine, and one that was revoked since must not come back.
  apps: baseKind('app', 'never', { isCached: true }),
  // The owner was alarmed here, and has not dismissed it.
  alarms: baseKind('alarm', 'backup'),
  places: baseKind('place', 'never'),
  imports: baseKind('import', 'never', { isCached: true }),
  arrivals: baseKind('arrival', 'never'),
  // They follow from personas and devices.
  pending: baseKind('pending', 'never'),
}

export interface Records extends BaseRecords {
  /** Every kind of the store: those of the daemon itself, and those of its wings. */
  readonly kinds: readonly Kind<unknown>[]
  /** The records of a kind of a wing. */
  of<T>(kind: Kind<T>): Collection<T>
}

/**
 * The collections over a store: over the store itself, with a cache, to read what is on disk; over a Writer to change it.
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
    // Unless its wing declares it, nobody has decided about its snapshots.
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

/** A device of the own table, or one that a sibling's table took out. */
export interface DeviceNote {
  readonly key: string
  /** When it came into the table, by this daemon's clock; 0 for one that came before such notes were kept. */
  readonly cameSec: number
  /** The owner added or approved it here; false for one that came only through a sibling's table. */
  readonly approved: boolean
  /** When a sibling's table left it out; null while it is listed. */
  readonly goneSec: number | null
}

/** The last rotation made here. */
export interface OwnRotation extends TablePoint {
  /** T of the rival that was told of last; each is told once. */
  readonly rival: string | null
}

/** One record. The id of a device is its key, of a persona its PersonaID. */
export type SnapshotItem =
  | { readonly kind: 'persona'; readonly id: string; readonly value: PersonaRecord }
  | { readonly kind: 'device'; readonly id: string; readonly value: DeviceRecord }
  | { readonly kind: 'own'; readonly id: string; readonly value: OwnRecord }
  | { readonly kind: 'past'; readonly id: string; readonly value: PastTable }
  | { readonly kind: 'intent'; readonly id: string; readonly value: Intent }
  | { readonly kind: 'alarm'; readonly id: string; readonly value: AlarmRecord }
  | WingItem

/** A record of a wing, whose kind is called `of`. */
export interface WingItem {
  readonly kind: 'wing'
  readonly of: string
  readonly id: string
  readonly value: unknown
}
