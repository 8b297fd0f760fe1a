/**
 * The totals of a store. One row would be a line in which all commits stand, each until its disk has synced. So they are the sum of some rows, and a
 * transaction adds its difference to any of them. Near the limit a transaction locks all rows, so that the limit holds exactly.
 */
import type { Totals } from '../records/records.ts'
import type { Codec } from '../../store/store.ts'
import type { Query } from './driver.ts'

/** The key of the record of all totals. */
export const TOTALS = 'total/all'
const COLUMNS = ['boxes', 'messages', 'cards', 'inboxes', 'entries', 'objects', 'bytes'] as const
/** sanity: more than the transactions that commit at one moment; all rows fit a page or two */
export const SLOTS = 32
const NEAR_BYTES: number = 128 << 20 // sanity: more than what all transactions under way add together
const MOST_BYTES: number = 4 << 20 // sanity: a full batch of the largest messages; objects add more, and then lock

const NUMBERS = new Float64Array(COLUMNS.length)
const BYTES = new Uint8Array(NUMBERS.buffer)

/** Each turn reads the totals and writes them, so they are eight bytes a number there, and no turn makes a buffer for them. The database has them in columns. */
export const TURN_TOTALS: Codec<Totals> = {
  version: 1,
  encode: (totals) => {
    for (const [i, column] of COLUMNS.entries()) NUMBERS[i] = totals[column]
    return BYTES.slice()
  },
  decode: (bytes) => {
    BYTES.set(bytes)
    return totalsOf((i) => NUMBERS[i])
  },
}

/** @param isLocked nobody else changes them until the end of the transaction */
export function selectTotals(isLocked: boolean): Query {
  const sums = COLUMNS.map((column) => `sum(${column})`).join(', ')
  const rows = isLocked ? '(SELECT * FROM total ORDER BY slot FOR UPDATE)' : 'total'
  return { name: isLocked ? 'lock totals' : 'totals', text: `SELECT ${sums} FROM ${rows} AS totals` }
}

export function readTotals(row: readonly unknown[] | undefined): Totals {
  return totalsOf((i) => Number(row?.[i] ?? 0))
}

/** @param numberOf a column, by its place */
function totalsOf(numberOf: (i: number) => number | undefined): Totals {
  const number = (i: number): number => numberOf(i) ?? 0
  return {
    boxes: number(0),
    messages: number(1),
    cards: number(2),
    inboxes: number(3),
    entries: number(4),
    objects: number(5),
    bytes: number(6),
  }
}

/** Whether others could take the room that a transaction counts on. */
export function isNear({ before, after }: ChangedTotals, maxBytes: number): boolean {
  const added = after.bytes - before.bytes
  return added > 0 && (added > MOST_BYTES || after.bytes + NEAR_BYTES > maxBytes)
}

export interface ChangedTotals {
  readonly before: Totals
  readonly after: Totals
}

/** Adds a difference to one of the rows. */
export function addTotals({ before, after }: ChangedTotals, slot: number): Query {
  const sums = COLUMNS.map((column, i) => `${column} = ${column} + $${i + 1}`)
  return {
    name: 'add totals',
    text: `UPDATE total SET ${sums.join(', ')} WHERE slot = $${COLUMNS.length + 1}`,
    values: [...COLUMNS.map((column) => after[column] - before[column]), slot],
  }
}

export function setTotals(totals: Totals): Query {
  const values = COLUMNS.map((column, i) => `${column} = CASE slot WHEN 0 THEN $${i + 1} ELSE 0 END`)
  return { text: `UPDATE total SET ${values.join(', ')}`, values: COLUMNS.map((column) => totals[column]) }
}
