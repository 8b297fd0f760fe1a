/** The statements that read and write records. */
import { KEY_RANGE_END } from '../../store/store.ts'
import type { Query } from './driver.ts'

/** A table of keys and values. */
export type RecordTable = 'record' | 'message' | 'passing'

const MESSAGE_PREFIX = 'msg/'
const PASSING_PREFIXES = ['answer/', 'bucket/', 'start/']

/** The table of a key. */
export function tableOf(key: string): RecordTable {
  if (key.startsWith(MESSAGE_PREFIX)) return 'message'
  return PASSING_PREFIXES.some((prefix) => key.startsWith(prefix)) ? 'passing' : 'record'
}

export function selectByKeys(table: RecordTable, keys: readonly string[]): Query {
  return {
    name: `select ${table}`,
    text: `SELECT key, value FROM ${table} WHERE key = ANY($1::text[])`,
    values: [keys],
  }
}

/** Locks the rows until the end of the transaction, in the order of their keys: so two transactions never wait for each other. */
export function lockByKeys(table: RecordTable, keys: readonly string[]): Query {
  return {
    name: `lock ${table}`,
    text: `SELECT key, value FROM ${table} WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE`,
    values: [keys],
  }
}

/** Locks keys of which there is no row yet, so that one transaction at a time can make it. */
export function lockAbsent(keys: readonly string[]): Query {
  return {
    name: 'lock absent',
    text: 'SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest($1::text[]) AS key',
    values: [keys.toSorted()],
  }
}

export function selectRange(first: string, end: string, limit: number | null, table: RecordTable = 'record'): Query {
  return {
    name: `range ${table}`,
    text: `SELECT key, value FROM ${table} WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3`,
    values: [first, end, limit],
  }
}

/** Keys between two others, neither of them among these. */
export interface KeyRange {
  readonly first: string
  readonly end: string
  readonly limit: number
}

/** The first messages after one of a box. @param id as messageId makes it */
export function messagesAfter(id: string, limit: number): KeyRange {
  const first = MESSAGE_PREFIX + id
  return { first, end: first.slice(0, first.lastIndexOf('/') + 1) + KEY_RANGE_END, limit }
}

export function selectMessages(ranges: readonly KeyRange[]): Query {
  return {
    name: 'messages',
    text: `SELECT found.key, found.value FROM unnest($1::text[], $2::text[], $3::int[]) AS range (first, "end", size),
      LATERAL (SELECT key, value FROM message WHERE key > first AND key < "end" ORDER BY key LIMIT size) AS found`,
    values: [ranges.map(({ first }) => first), ranges.map(({ end }) => end), ranges.map(({ limit }) => limit)],
  }
}

export function putRecords(table: RecordTable, records: readonly (readonly [string, Uint8Array])[]): Query {
  // One value with all bytes goes as it is. An array of values would go as text, with twice the bytes.
  let end = 1
  const offsets: number[] = []
  for (const [, value] of records) {
    offsets.push(end)
    end += value.length
  }
  const touched = table === 'passing' ? ', at = now()' : ''
  return {
    name: `put ${table}`,
    text: `INSERT INTO ${table} (key, value)
      SELECT key, substring($2::bytea FROM first FOR size) FROM unnest($1::text[], $3::int[], $4::int[]) AS t (key, first, size)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value${touched}`,
    values: [
      records.map(([key]) => key),
      Buffer.concat(records.map(([, value]) => value)),
      offsets,
      records.map(([, value]) => value.length),
    ],
  }
}

export function removeRecords(table: RecordTable, keys: readonly string[]): Query {
  return { name: `remove ${table}`, text: `DELETE FROM ${table} WHERE key = ANY($1::text[])`, values: [keys] }
}

/** A lock of all tables here: relays share it while they run, and whoever moves them has it alone. */
const USE_LOCK = "(1970434675::bigint << 32) + 'record'::regclass::oid::bigint"

export function lockInUse(): Query {
  return { text: `SELECT pg_advisory_lock_shared(${USE_LOCK})` }
}

/** @returns a row with true if no relay runs */
export function lockUnused(): Query {
  return { text: `SELECT pg_try_advisory_lock(${USE_LOCK})` }
}

/** @returns a row with how many relays run */
export function countRelays(): Query {
  const isHeld = "locktype = 'advisory' AND mode = 'ShareLock' AND granted"
  const isHere = '(classid::bigint << 32) + objid::bigint = ' + USE_LOCK
  const text = `SELECT count(*)::int FROM pg_locks WHERE ${isHeld} AND objsubid = 1 AND ${isHere}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
  return { text }
}
