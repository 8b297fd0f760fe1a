/** The outcome of a decision about a persona: its record, claims, alarms and news. personas/decide.ts makes it, personas/apply.ts writes it. */
import type { ContactChange } from '../../ipc/shapes/events.ts'
import type { PersonaRecord } from '../state/persona-record.ts'

/** Everything that changes. Nothing of it is written yet. */
export interface Outcome {
  readonly before: PersonaRecord
  /** The same object as `before` if the record does not change. */
  readonly record: PersonaRecord
  /** Claims that begin or end, in this order. */
  readonly claims: readonly Claim[]
  /** In this order. */
  readonly alarms: readonly HeadAlarm[]
  /** The news for apps and the owner. */
  readonly changes: readonly ContactChange[]
}

/** The table lists a device from now on, or the table at `endedBy` lists it no longer. */
export interface Claim {
  readonly key: string
  readonly endedBy: { readonly epoch: number; readonly seq: number } | null
}

/**
 * `forked`: two tables have the same seq. `head raised`: the head moved to a higher table, which ends the alarm of a fork if there is one. `disputed`: a second chain claims the PersonaID.
 */
export type HeadAlarm = 'forked' | 'head raised' | 'disputed'

/** An outcome that changes nothing beside the record. */
export function recordOnly(before: PersonaRecord, record: PersonaRecord): Outcome {
  return { before, record, claims: [], alarms: [], changes: [] }
}

/** Two outcomes as one. The second was decided on the record of the first. */
export function join(first: Outcome, second: Outcome): Outcome {
  return {
    before: first.before,
    record: second.record,
    claims: [...first.claims, ...second.claims],
    alarms: [...first.alarms, ...second.alarms],
    changes: [...first.changes, ...second.changes],
  }
}
