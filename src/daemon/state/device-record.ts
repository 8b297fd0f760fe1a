/** The record of a device: its reports, and which personas list it. */
import type { DeviceReports, ContactEntry } from '../../core/consent.ts'

export const MAX_CLAIMANTS = 64 // sanity: personas that list one device; all but one of them are wrong

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
