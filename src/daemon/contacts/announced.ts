/**
 * The way of a blob that no device shows: an announcement. It goes through the same judgement as a blob in a status message. It moves the
 * head and raises alarms. It confirms no device, and it is no copy that reconciles (docs/announce.md, section 6; decision 0018).
 */
import { formatHex } from '../../core/encoding/bytes.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import { apply } from '../personas/apply.ts'
import { decide, judgeAgainst } from '../personas/decide.ts'
import type { OwnHeads } from '../personas/own-sight.ts'
import type { State } from '../state/state.ts'
import { applyConsent } from './consent.ts'
import { emitAdded } from './observe.ts'

/** The source of the changes that an announcement causes. */
export const ANNOUNCEMENT = 'announcement'

/**
 * Takes a blob of the owner or of a contact. A persona that is neither stays unknown: an announcement introduces nobody.
 * @returns whether the head moved
 */
export function seeAnnounced(blob: VerifiedBlob, own: OwnHeads, state: State): boolean {
  const personaId = formatHex(blob.personaId)
  const known = state.persona(personaId)
  const isOwn = personaId === own.personaId
  if (known === undefined || (known.entry === null && !isOwn)) return false
  const judged = judgeAgainst(known, blob, state)
  if (judged.verdict === 'refused') return false
  if (isOwn) {
    own.seeOwnBlob(blob, judged, { from: '', copySec: null, mayNote: true, source: ANNOUNCEMENT })
  } else {
    const outcome = decide(known, blob, judged, true, state)
    apply(outcome, state)
    emitAdded(outcome, state)
    applyConsent(known, outcome.record, outcome.changes, { source: ANNOUNCEMENT, spoke: null }, state)
  }
  return state.persona(personaId)?.head !== known.head
}
