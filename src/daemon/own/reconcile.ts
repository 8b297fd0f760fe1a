/** What goes on after a restore: copies of the own blob are read, or the owner says that there are none (docs/backup.md, section 4). */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { State } from '../state/state.ts'
import type { OwnPersona } from './persona.ts'
import { blobOf, judgeAgainst } from '../personas/heads.ts'
import type { ReconcileResult } from '../../ipc/shapes/backup.ts'

/**
 * Reads status messages that the owner says are copies of the own one; others among them are passed over. Call it inside of a change.
 * @param force signs although no copy was read
 * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED | OWN_DEVICE_UNLISTED @throws {TableError} SEQ_EXHAUSTED
 */
export function reconcile(
  { own, state }: { readonly own: OwnPersona; readonly state: State },
  copies: readonly string[],
  force: boolean,
): ReconcileResult {
  // First of all: without a persona there is nothing to compare with.
  own.table()
  let found = 0
  for (const text of copies) {
    const blob = blobOf(text, state)
    const persona = blob === null ? undefined : state.persona(formatHex(blob.personaId))
    if (blob === null || persona === undefined || persona.personaId !== own.personaId) continue
    const verdict = judgeAgainst(persona, blob, state)
    if (verdict.verdict === 'refused') continue
    // By the owner's own hand, and so as good as seen now; also by a clock that has stepped back.
    const copySec = Math.max(state.nowSec, state.own()?.restoredSec ?? 0)
    own.adopt(blob, verdict, { from: '', copySec, mayNote: true })
    found++
  }
  if (force) own.signAhead()
  return { waiting: state.own()?.restoredSec !== null, copies: found, table: own.table() }
}
