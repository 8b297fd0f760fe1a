/**
 * Decisions of the owner about a contact on another device, as that device reports them. They count here only after the owner agrees, because
 * a thief may have the other device (docs/backup.md, section 2). Pure.
 */
import type { Elsewhere, PersonaRecord } from './persona-record.ts'

/** The facts that are not so here, and wait for the owner's answer. */
export type Question = Pick<Elsewhere, 'source' | 'sinceSec' | 'verifiedAtSec' | 'minEpoch'>

/** Null if nothing is to be asked: the owner may have compared or pinned here meanwhile. */
export function questionOf({ elsewhere, root, verifiedAtSec, minEpoch }: PersonaRecord): Question | null {
  if (elsewhere === undefined || elsewhere.root !== root) return null
  const asked = {
    source: elsewhere.source,
    sinceSec: elsewhere.sinceSec,
    verifiedAtSec: verifiedAtSec === null ? elsewhere.verifiedAtSec : null,
    minEpoch: elsewhere.minEpoch > minEpoch ? elsewhere.minEpoch : 0,
  }
  return asked.verifiedAtSec === null && asked.minEpoch === 0 ? null : asked
}

/** Adds a sibling's report to the record. The owner is not asked again about a report that they refused. */
export function withReport(
  persona: PersonaRecord,
  incoming: Pick<PersonaRecord, 'root' | 'verifiedAtSec' | 'minEpoch'>,
  source: string,
  nowSec: number,
): PersonaRecord {
  const { root } = persona
  if (incoming.root !== root) return persona
  const known = persona.elsewhere?.root === root ? persona.elsewhere : undefined
  const refused = known?.refused ?? { verified: false, minEpoch: 0 }
  const compared = refused.verified || incoming.verifiedAtSec === null ? null : Math.min(incoming.verifiedAtSec, nowSec)
  const verifiedAtSec = known?.verifiedAtSec ?? compared
  const minEpoch = Math.max(known?.minEpoch ?? 0, incoming.minEpoch > refused.minEpoch ? incoming.minEpoch : 0)
  const asked = questionOf({
    ...persona,
    elsewhere: { source, root, sinceSec: nowSec, verifiedAtSec, minEpoch, refused },
  })
  const before = questionOf(persona)
  const isNews = asked !== null && (asked.verifiedAtSec !== before?.verifiedAtSec || asked.minEpoch !== before.minEpoch)
  return isNews
    ? { ...persona, elsewhere: { source, root, sinceSec: nowSec, verifiedAtSec, minEpoch, refused } }
    : persona
}

/** The record after a yes or no to its question. After a yes the caller sets the facts themselves. */
export function answered(persona: PersonaRecord, isYes: boolean): PersonaRecord {
  const [question, { elsewhere }] = [questionOf(persona), persona]
  if (question === null || elsewhere === undefined) return persona
  const { refused } = elsewhere
  const no = {
    verified: refused.verified || question.verifiedAtSec !== null,
    minEpoch: Math.max(refused.minEpoch, question.minEpoch),
  }
  return { ...persona, elsewhere: { ...elsewhere, verifiedAtSec: null, minEpoch: 0, refused: isYes ? refused : no } }
}

/** The record without what other devices report. */
export function withoutElsewhere(persona: PersonaRecord): PersonaRecord {
  const { elsewhere, ...rest } = persona
  return elsewhere === undefined ? persona : rest
}
