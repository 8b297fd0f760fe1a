/** The totals of a store as one row. Each transaction adds its difference as its last step, so it holds the row only while it commits. */
import type { Totals } from '../records/records.ts'
import type { Query } from './driver.ts'

const COLUMNS = ['boxes', 'messages', 'cards', 'inboxes', 'entries', 'objects', 'bytes'] as const

/** @param isLocked nobody else changes them until the end of the transaction */
export function selectTotals(isLocked: boolean): Query {
  return { text: `SELECT ${COLUMNS.join(', ')} FROM total${isLocked ? ' FOR UPDATE' : ''}` }
}

export function readTotals(row: readonly unknown[] | undefined): Totals {
  const [boxes, messages, cards, inboxes, entries, objects, bytes] = COLUMNS.map((_, i) => Number(row?.[i] ?? 0))
  return {
    boxes: boxes!,
    messages: messages!,
    cards: cards!,
    inboxes: inboxes!,
    entries: entries!,
    objects: objects!,
    bytes: bytes!,
  }
}

/** SQLSTATE of a transaction that would exceed the limit: others have taken the room since it read the totals. */
export const NO_ROOM_LEFT = '23502'

/**
 * Adds a difference.
 * @param maxBytes the transaction fails with {@link NO_ROOM_LEFT} where it adds bytes and they would be more; null for no limit
 */
export function addTotals(before: Totals, after: Totals, maxBytes: number | null): Query {
  const sums = COLUMNS.map((column, i) => `${column} = ${column} + $${i + 1}`)
  // bytes may not be null: the transaction fails, and whatever was sent after this statement does nothing.
  const bytes = 'CASE WHEN $7 > 0 AND bytes + $7 > $8 THEN NULL ELSE bytes + $7 END'
  return {
    name: 'add totals',
    text: `UPDATE total SET ${sums.slice(0, -1).join(', ')}, bytes = ${bytes.replaceAll('$7', '$7::bigint').replace('$8', '$8::bigint')}`,
    values: [...COLUMNS.map((column) => after[column] - before[column]), maxBytes],
  }
}

export function setTotals(totals: Totals): Query {
  const values = COLUMNS.map((column) => totals[column])
  return { text: `UPDATE total SET ${COLUMNS.map((column, i) => `${column} = $${i + 1}`).join(', ')}`, values }
}
