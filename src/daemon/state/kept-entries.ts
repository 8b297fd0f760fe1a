/**
 * Entries of the history that outlive the newest ones: what the owner did, and alarms, so that no noise of others pushes them out
 * (docs/ipc.md, section 4, History).
 */
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import type { ContactChange, OwnCause } from '../../ipc/shapes/events.ts'

const MAX_OWN = 1024 // sanity: years of edits of a person, some 400 kB
const MAX_ALARMS = 16 // sanity: of one kind and persona; the first one and the newest
export const MAX_ALARM_GROUPS = 1024 // sanity: kinds and personas, some 8 MB; whoever makes personas without end must not fill the disk
const MAX_OTHER_ALARMS = 1024 // sanity: as many as of the owner's acts

/** The entries that share one limit. */
export interface Group {
  readonly name: string
  readonly most: number
  /** Whether the first entry stays for good. */
  readonly isFirstKept: boolean
  /** The persona of an alarm that others can bring about; null for all other entries. */
  readonly aboutId: string | null
}

/** Alarms of personas beyond {@link MAX_ALARM_GROUPS}. */
export const OTHER_ALARMS: Group = { name: 'alarms', most: MAX_OTHER_ALARMS, isFirstKept: false, aboutId: null }

/** Id of the record that counts the groups of alarms. No group has this name. */
export const ALARM_GROUPS = 'count'

/** Causes that others bring about, or nobody. */
const NOT_BY_OWNER: ReadonlySet<OwnCause> = new Set(['sibling', 'replay', 'resign', 'card'])

/** Changes of a contact that only the owner makes. */
const BY_OWNER: ReadonlySet<ContactChange['kind']> = new Set([
  'repinned',
  'called',
  'blocked',
  'unblocked',
  'joined',
  'split',
  'verified',
  'policy',
])

// Most entries are of none of these, and need not be parsed.
const MAY_STAY =
  /"event":"(own\.changed|own\.intent-dropped|alarm|contact\.changed|contact\.forgotten|pending\.answered|app\.changed)"/

/** @param text of an entry @returns null if it goes when it is the oldest */
export function groupOf(text: string): Group | null {
  if (!MAY_STAY.test(text)) return null
  const { event, data } = JSON.parse(text) as DaemonEvent
  if (event === 'own.changed') return NOT_BY_OWNER.has(data.cause) ? null : ofOwner('own')
  if (event === 'own.intent-dropped') return ofOwner('own')
  if (event === 'contact.changed') return isByOwner(data.changes) ? ofOwner('contacts') : null
  if (event === 'contact.forgotten' || event === 'pending.answered') return ofOwner('contacts')
  if (event === 'app.changed') return data.what === 'requested' ? null : ofOwner('apps')
  if (event === 'alarm') {
    const { code, personaId } = data
    return { name: `${code} ${personaId ?? ''}`, most: MAX_ALARMS, isFirstKept: true, aboutId: personaId }
  }
  return null
}

/** Whether the owner made one of the changes of a contact. */
export function isByOwner(changes: readonly ContactChange[]): boolean {
  return changes.some(({ kind }) => BY_OWNER.has(kind))
}

function ofOwner(name: string): Group {
  return { name, most: MAX_OWN, isFirstKept: false, aboutId: null }
}

/** Adds an entry to those of its group. @returns the numbers that stay, and the one that goes */
export function withEntry(
  numbers: readonly number[],
  number: number,
  { most, isFirstKept }: Group,
): { numbers: readonly number[]; gone: number | null } {
  if (numbers.length < most) return { numbers: [...numbers, number], gone: null }
  const at = isFirstKept ? 1 : 0
  return { numbers: [...numbers.toSpliced(at, 1), number], gone: numbers[at]! }
}
