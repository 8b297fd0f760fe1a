/** Detects a store that is older than the tables that this device signed, as after a disk was put back (docs/threat-model.md, what a rollback shows). Pure. */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { PastTables } from './past-tables.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'

/** Why the store should know the table: `sole`, only this daemon could sign it; `shown`, its own device shows it. */
export type Forgotten = 'sole' | 'shown'

/**
 * Whether this daemon must have signed or shown an own blob that its store does not know. A table does not name its writer, so only two
 * cases prove it: nobody else ever got the key of its epoch, or a device shows it that gets tables from this daemon only. That is the
 * device that the daemon runs for, with its profile on this machine.
 * @param persona the owner's, before the blob changed it
 * @param from the device whose profile on this machine holds the blob; null for any other copy, because an app may invent it
 */
export function forgottenBy(
  blob: VerifiedBlob,
  own: Pick<OwnRecord, 'epoch' | 'soleEpoch' | 'localDevices' | 'restoredSec'>,
  past: Pick<PastTables, 'find' | 'hadAt'>,
  persona: Pick<PersonaRecord, 'epoch' | 'seq'>,
  from: string | null,
): Forgotten | null {
  // We know already that this state was put back, and sign nothing until it is reconciled.
  if (own.restoredSec !== null) return null
  const { epoch, seq } = blob
  if (past.find(formatHex(blob.tableHash)) !== undefined) return null
  const isHigher = epoch > persona.epoch || (epoch === persona.epoch && seq > persona.seq)
  const isSole = epoch === own.epoch && own.soleEpoch === own.epoch
  if (isSole && (isHigher || past.hadAt(epoch, seq))) return 'sole'
  return isHigher && from !== null && own.localDevices.includes(from) ? 'shown' : null
}
