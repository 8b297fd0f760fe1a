/** The collections of a store, kind by kind, and the items of a snapshot. No value is secret, but for those in `sealed`, which are sealed; docs/threat-model.md lists which are public. Keys and hashes are upper-case hex. */
import { parseHex } from '../../core/encoding/bytes.ts'
import type { Intent } from '../../core/intents.ts'
import type { RecordCache } from '../../store/record-cache.ts'
import { Collection, type Store } from '../../store/store.ts'
import { baseKind, bytesKind, type Kind } from './kind.ts'
import type { PersonaRecord } from './persona-record.ts'
import type { DeviceRecord } from './device-record.ts'
import type { ShortRecord } from './short-record.ts'
import { type OwnRecord, OWN_DEFAULTS, type PastTable } from './own-record.ts'
import type {
  PendingRecord,
  NameRecord,
  Counts,
  AppNameRecord,
  AppRecord,
  AlarmRecord,
  HistoryTip,
  EntryRecord,
  KeptEntries,
  NoisyRecord,
  PlaceRecord,
  ClockRecord,
  ImportRecord,
} from './local-records.ts'

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
  readonly shorts: Collection<ShortRecord>
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
  readonly appNames: Collection<AppNameRecord>
  readonly alarms: Collection<AlarmRecord>
  readonly places: Collection<PlaceRecord>
  readonly imports: Collection<ImportRecord>
  /** Records of a snapshot, kept beside the state until it is complete. They are applied in the order of their ids. */
  readonly arrivals: Collection<SnapshotItem>
  readonly pending: Collection<PendingRecord>
  /** The records of apps, sealed by the apps key: see daemon/sealed. The id is the name of a sealed kind, a slash, and the id in that kind. */
  readonly sealed: Collection<Uint8Array>
}

/** Each kind must declare whether it travels; the compiler checks that. */
const BASE_KINDS: { readonly [Name in keyof BaseRecords]: Kind<ReturnType<BaseRecords[Name]['read']>[1]> } = {
  personas: baseKind('persona', 'always', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  // The other device need not know which contacts the owner forgot.
  forgotten: baseKind('forgotten', 'never', { defaults: { pending: null, verifiedAtSec: null }, isCached: true }),
  devices: baseKind('device', 'always', { defaults: { pending: null }, isCached: true }),
  // Each device of the owner sees for itself.
  shorts: baseKind('short', 'never', { isCached: true }),
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
  // As the apps that have them.
  appNames: baseKind('appname', 'never', { isCached: true }),
  // A sibling raises its own alarms; a restored daemon must show those that the owner has not dismissed.
  alarms: baseKind('alarm', 'backup'),
  places: baseKind('place', 'never'),
  imports: baseKind('import', 'never', { isCached: true }),
  arrivals: baseKind('arrival', 'never'),
  // Rebuilt from personas and devices.
  pending: baseKind('pending', 'never'),
  // The key that opens them never leaves this device.
  sealed: bytesKind('sealed'),
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
    shorts: of(BASE_KINDS.shorts),
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
    appNames: of(BASE_KINDS.appNames),
    alarms: of(BASE_KINDS.alarms),
    places: of(BASE_KINDS.places),
    imports: of(BASE_KINDS.imports),
    arrivals: of(BASE_KINDS.arrivals),
    pending: of(BASE_KINDS.pending),
    sealed: of(BASE_KINDS.sealed),
    kinds,
    of,
  }
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
