/** Signs the own table again without an edit: in time, so that it looks fresh, or far ahead after a restore. Inside of a change. */
import { resignBlob } from '../../core/blob.ts'
import { MAX_SEQ } from '../../core/limits.ts'
import { isClockAhead, resignAtSec } from '../../core/order.ts'
import type { Journal } from './journal.ts'
import { isUnlisted, placeOf } from './notes.ts'
import { replay } from './siblings.ts'
import type { OwnHead } from './sign-table.ts'

const AHEAD_BY = 1000 // format: seq is raised by so many when nobody can say how far it came; more than a backup can have missed

/** When this device signs the table again, which depends on its place in it. Null without a persona, its current key, or a place. */
export function resignDueSec(head: OwnHead): number | null {
  const own = head.state.own()
  if (own === undefined) return null
  const { epoch, timeSec, devices } = head.persona
  if (epoch !== own.epoch || own.restoredSec !== null || isUnlisted(own, devices)) return null
  if (own.succeededBy != null) return null
  // Signed by a clock that was ahead, the table would look fresh to friends and not be due here until that time came.
  const { nowSec } = head.state
  return isClockAhead(timeSec, nowSec) ? nowSec : resignAtSec(timeSec, placeOf(own, devices))
}

/** Signs the head again with the current time, so that friends see that the persona is alive. @throws {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED | OWN_DEVICE_UNLISTED */
export function resign(head: OwnHead): void {
  const { persona, blob } = head
  head.checkReconciled()
  head.checkNotSucceeded()
  head.checkKey(blob.epoch)
  head.checkListed()
  const again = resignBlob(blob.bytes, head.state.nowSec, head.custody.signer(blob.epoch))
  head.install(persona, head.checked(again), 'resign')
}

/**
 * Continues after a restore without a copy of the own blob. The new table gets a seq far above the restored one, so that it most likely
 * wins over the tables of friends. Edits that the backup lacks are lost.
 * @throws {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED | OWN_DEVICE_UNLISTED @throws {TableError} SEQ_EXHAUSTED
 */
export function signAhead(head: OwnHead, journal: Journal): void {
  const { record: own, persona } = head
  if (own.restoredSec === null) return
  head.put({ restoredSec: null })
  const draft = head.draft(head.devices)
  const signed = head.sign({ ...draft, seq: Math.min(draft.seq - 1 + AHEAD_BY, MAX_SEQ) }, true)
  head.put({ named: signed.named })
  head.install(persona, signed.blob, 'reconcile')
  replay(head, journal)
}
