/** The record of the owner: position in the chain, notes on devices, standing, and the own tables of the past. */
import type { LinkedPoint, TablePoint } from '../../core/order.ts'
import type { Settings } from '../../core/document.ts'

export const MAX_TOMBSTONES = 1024 // sanity: removed devices of a lifetime

export const MAX_PAST_TABLES = 64 // sanity: own tables remembered, to find out which table descends from which

export const OWN = 'own'

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

/** An own table that was once the head. The id has ten digits and sorts the newest last. */
export type PastTable = LinkedPoint
