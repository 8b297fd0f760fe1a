/** Reminds the owner of a locked daemon that the table grows old (docs/format.md, section 8). */
import type { Keeper } from './keeper.ts'
import { UNSIGNED_NOTICE_SEC } from '../own/standing.ts'

const REMIND_STEP_SEC = 86_400 // sanity: more than once a day would be a nuisance

/** @returns a function to call now and then. While the key is locked it reminds once a day, from the tenth day without a signature. */
export function unsignedReminder(
  keeper: Pick<Keeper, 'ownTable' | 'custody' | 'nowSec' | 'clock' | 'emit'>,
): () => Promise<void> {
  let remindedSec = 0
  return async () => {
    const { ownTable: table, nowSec } = keeper
    if (table === null || !keeper.custody.isLocked || keeper.clock().isWrong) return
    if (nowSec < Math.max(table.timeSec + UNSIGNED_NOTICE_SEC, remindedSec + REMIND_STEP_SEC)) return
    remindedSec = nowSec
    const days = Math.floor((nowSec - table.timeSec) / 86_400)
    const message = `your table was signed ${days} days ago, and contacts see that it gets old: unlock the signing key`
    await keeper.emit({ event: 'own.unsigned', data: { timeSec: table.timeSec, message } })
  }
}
