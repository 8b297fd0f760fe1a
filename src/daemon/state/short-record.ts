/** The record of a device that shows a short status (docs/announce.md, section 10). */
import type { DeviceRecord } from './device-record.ts'
import { isJoined } from './joined.ts'

/** A persona, and c_0 of its chain: the short status of a second chain does not name the same. Both have 64 hex digits. */
export interface NamedChain {
  readonly personaId: string
  readonly root: string
}

/** The id is the key of the device. It is gone once the device shows anything else. */
export interface ShortRecord {
  /** K_e, 64 hex digits. */
  readonly signingKey: string
  /** r, 64 hex digits. */
  readonly readingKey: string
  /** The persona that it names, once a blob has shown that; else null. From then on it stays, also after a rotation or another `read`. */
  readonly names: NamedChain | null
  /** The source that reported it. */
  readonly source: string
  /** When the device was last seen with it, unix seconds. */
  readonly atSec: number
  /**
   * The name of the entry that this short status made, because the device was never seen with anything else; else null. The owner does not
   * know the device by that name yet, as long as the entry is as it was made.
   */
  readonly made: string | null
  /** The name that the client shows for the friend; '' if it did not report one. */
  readonly name: string
}

/** Whether the entry of a device is only there because its short status could not be explained at first sight. */
export function isMadeByShort({ entry, ...device }: DeviceRecord, short: ShortRecord | undefined): boolean {
  if (entry === null || short === undefined || short.made !== entry.name) return false
  return !entry.blocked && entry.aliases.length === 0 && !isJoined({ entry, ...device })
}
