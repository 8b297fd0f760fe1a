/** Continues after a restore: reads copies of the own blob, or goes on without one if the owner says so (docs/backup.md, section 4). */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from './persona.ts'
import { judgeAgainst } from '../personas/decide.ts'
import { blobOf } from '../personas/heads.ts'
import type { ReconcileResult } from '../../ipc/shapes/backup.ts'

/**
 * Reads status messages that the owner gives as copies of the own one, and skips all others. Inside of a change.
 * @param force sign even without a copy
 * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED | OWN_DEVICE_UNLISTED @throws {TableError} SEQ_EXHAUSTED
 */
export function reconcile(
  { own, state }: { readonly own: OwnPersona; readonly state: State },
  copies: readonly string[],
  force: boolean,
): ReconcileResult {
  // Throws first if there is no persona to compare with.
  own.table()
  let found = 0
  for (const text of copies) {
    const blob = blobOf(text, state)
    const persona = blob === null ? undefined : state.persona(formatHex(blob.personaId))
    if (blob === null || persona === undefined || persona.personaId !== own.personaId) continue
    const verdict = judgeAgainst(persona, blob, state)
    if (verdict.verdict === 'refused') continue
    // The owner gives the copy, so it ends the wait as one seen now, even if the clock has stepped back. It is as fresh as the time in it.
    const copySec = Math.max(state.nowSec, state.own()?.restoredSec ?? 0)
    own.seeOwnBlob(blob, verdict, { from: '', copySec, mayNote: true })
    found++
  }
  if (force) own.signAhead()
  return { waiting: state.own()?.restoredSec !== null, copies: found, table: own.table() }
}
