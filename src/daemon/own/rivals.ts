/** Rivals: own tables that a rotation here did not know of. Their signer may hold the key that we just made (docs/format.md, section 4). Pure. */
import { formatHex } from '../../core/encoding/bytes.ts'
import { deviceKeysOf } from '../../core/table.ts'
import type { Intent } from '../../core/intents.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { PastTables } from './past-tables.ts'
import type { OwnRecord } from '../state/own-record.ts'

const FIRST_PREV = /^0+$/

/**
 * Whether an own blob, at or above the epoch of our last rotation, was signed without knowledge of it: by a rotation elsewhere that we
 * missed. Our rotation does not shut out a device that held the key then. A table that descends from ours is no rival: a sibling that
 * got the new key signs such tables.
 */
export function isRival(
  blob: VerifiedBlob,
  own: Pick<OwnRecord, 'rotation' | 'tombstones'>,
  past: Pick<PastTables, 'find'>,
): boolean {
  const { rotation } = own
  if (rotation === null || blob.epoch < rotation.epoch) return false
  const tableHash = formatHex(blob.tableHash)
  if (tableHash === rotation.tableHash || tableHash === rotation.rival) return false
  // Signed here, or it raised its alarm when it came.
  if (past.find(tableHash) !== undefined) return false
  const prev = formatHex(blob.prev)
  if (blob.epoch === rotation.epoch) {
    if (blob.seq <= rotation.seq) return true
    return blob.seq === rotation.seq + 1 && !rotation.tableHash.startsWith(prev)
  }
  if (FIRST_PREV.test(prev)) return true
  const before = past.find(prev)
  if (before !== undefined) return before.epoch < rotation.epoch
  // We never saw its predecessor. A signer who knew of our rotation would not list the devices that it left out.
  return deviceKeysOf(blob).some((key) => own.tombstones.includes(key))
}

/**
 * Whether an own blob of our last rotation's epoch lists a device that the rotation left out. It may descend from our table: a device that
 * got the key of this epoch elsewhere needs only our table to chain its own onto it. A sibling signs such a table only if the owner added
 * the device again there.
 * @param live own intents; the rotation made one for each device that it left out
 */
export function bringsBack(
  blob: VerifiedBlob,
  { rotation }: Pick<OwnRecord, 'rotation'>,
  live: readonly Intent[],
  past: Pick<PastTables, 'find'>,
): boolean {
  if (rotation === null || blob.epoch !== rotation.epoch || blob.seq <= rotation.seq) return false
  const tableHash = formatHex(blob.tableHash)
  if (tableHash === rotation.rival || past.find(tableHash) !== undefined) return false
  const listed = deviceKeysOf(blob)
  return live.some(
    ({ edit, published }) =>
      edit.kind === 'remove' && listed.includes(edit.key) && published?.tableHash === rotation.tableHash,
  )
}
