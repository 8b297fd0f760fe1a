/** Signs that this store is older than what this device has signed, as after the disk was put back to an earlier day (docs/threat-model.md, what a rollback shows). Pure. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { PastTables } from './past-tables.ts'
import type { OwnRecord, PersonaRecord } from '../state/records.ts'

/** How the store comes to lack a table: it is the only one that could have signed it, or its own device shows it. */
export type Forgotten = 'sole' | 'shown'

/**
 * Whether an own blob must have been signed or shown by this daemon, and this store knows nothing of it. A table names no writer, so this
 * can be told in two cases only: nobody else was ever given the key of its epoch, or a device shows it to which nobody but this daemon
 * gives tables: the profile, on this machine, of the device that the daemon runs for.
 * @param persona the owner's, before the blob was taken
 * @param from the device in whose profile on this machine it stands; null for any other copy, of which an app may say what it likes
 */
export function forgottenBy(
  blob: VerifiedBlob,
  own: Pick<OwnRecord, 'epoch' | 'soleEpoch' | 'localDevices' | 'restoredSec'>,
  past: Pick<PastTables, 'find' | 'hadAt'>,
  persona: Pick<PersonaRecord, 'epoch' | 'seq'>,
  from: string | null,
): Forgotten | null {
  // A state that is known to have been put back says so, and signs nothing before it was reconciled.
  if (own.restoredSec !== null) return null
  const { epoch, seq } = blob
  if (past.find(formatHex(blob.tableHash)) !== undefined) return null
  const isHigher = epoch > persona.epoch || (epoch === persona.epoch && seq > persona.seq)
  const isSole = epoch === own.epoch && own.soleEpoch === own.epoch
  if (isSole && (isHigher || past.hadAt(epoch, seq))) return 'sole'
  return isHigher && from !== null && own.localDevices.includes(from) ? 'shown' : null
}
