/** Why a backup, a restore or a snapshot from another device is refused. */
import { Refusal } from '../../errors/refusal.ts'

export type SnapshotErrorCode =
  | 'SNAPSHOT_CUT'
  | 'SNAPSHOT_DAMAGED'
  | 'SNAPSHOT_UNKNOWN_VERSION'
  | 'SNAPSHOT_UNKNOWN_KIND' // a record or field of a later version
  | 'SNAPSHOT_INVALID' // a blob or chain in it does not verify
  | 'SNAPSHOT_FOREIGN' // it belongs to another persona
  | 'TRANSFER_ENDED' // this backup or restore is not in progress any more

export class SnapshotError extends Refusal<SnapshotErrorCode> {
  override readonly name = 'SnapshotError'
}
