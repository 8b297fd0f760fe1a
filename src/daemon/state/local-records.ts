/** Records that concern this daemon alone: lists and counts made from others, apps, alarms, history, clock, place, and a snapshot that arrives. */
import type { HistoryEntry } from '../../core/history.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import type { PendingKind } from '../../ipc/shapes/pending.ts'

/** The record that a name leads to. The id is the folded name, so that contacts are listed in its order. */
export interface NameRecord {
  readonly kind: 'persona' | 'device'
  readonly id: string
}

/** Marks a persona or device with pending changes. The id is the PersonaID, or the device's key. */
export interface PendingRecord {
  readonly kinds: readonly PendingKind[]
}

export const COUNTS = 'all'

export interface Counts {
  readonly contacts: number
  readonly provisional: number
  readonly devices: number
}

export const NO_COUNTS: Counts = { contacts: 0, provisional: 0, devices: 0 }

/** A local app. The id is its name. */
export interface AppRecord {
  readonly name: string
  /** The name that the owner gave it for apps of others; without it, its own name. */
  readonly as?: string
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

/** A name under which an app speaks to the apps of others. The id is that name. It outlives the app, since channels and cards do. */
export interface AppNameRecord {
  /** The app that has it, as in the list of apps; null once that one was revoked. */
  readonly holder: string | null
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
  /** The table that raised it last, if the alarm is about one. */
  readonly table?: { readonly epoch: number; readonly seq: number }
  /** When it becomes an alarm, unless it is resolved before; null if it is one already. */
  readonly dueSec: number | null
}

export const TIP = 'last'

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

export const PLACE = 'here'

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

export const CLOCK = 'last'

/** The latest time that this daemon has written. A clock before it is wrong. */
export interface ClockRecord {
  readonly lastSec: number
}

export const IMPORT = 'now'

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
