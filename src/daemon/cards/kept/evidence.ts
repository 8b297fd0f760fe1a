/** The cards that prove a second chain of a persona, beside one of the chain that is known, for others to check (docs/card.md, section 9). */
import type { EvidenceCard } from '../../../ipc/shapes/alarms.ts'
import type { Records } from '../../state/records.ts'
import { CARDS } from './records.ts'

/** @returns nothing while no second chain was seen */
export function cardEvidence(personaId: string, records: Pick<Records, 'of'>): EvidenceCard[] {
  const record = records.of(CARDS).get(personaId)
  if (record?.rival === undefined) return []
  const [known] = record.cards
  return [
    ...(known === undefined ? [] : [{ kind: 'head' as const, seenAtSec: known.sinceSec, card: known.text }]),
    { kind: 'violation', seenAtSec: record.rivalSec ?? null, card: record.rival },
  ]
}
