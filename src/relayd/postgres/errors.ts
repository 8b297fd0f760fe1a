/** Errors of a relay's database. They end the request that meets them, and nothing else: the next one may go well. */
import { PersonadError } from '../../errors/personad-error.ts'

export type DatabaseErrorCode =
  | 'DATABASE_LIBRARY' // the package pg is not installed
  | 'DATABASE_UNREACHABLE' // no connection, or it was lost: whether the last change took effect is unknown
  | 'DATABASE_FULL' // the disk of the database is full
  | 'DATABASE_MOVING' // somebody moves a relay into it or out of it
  | 'DATABASE_NEWER' // a later relay wrote its tables
  | 'DATABASE_FAILED' // any other error of the database; see the cause

export class DatabaseError extends PersonadError<DatabaseErrorCode> {
  override readonly name = 'DatabaseError'
}

const DISK_FULL = '53100' // format: SQLSTATE disk_full
/** Classes of SQLSTATE in which the server ends or refuses a connection. */
const CONNECTION = /^(08|57P|53300|28|3D)/

/** Converts an error of pg; returns a DatabaseError unchanged. Only the database's own words are in its message, and never a value. */
export function databaseErrorOf(cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const state = sqlState(cause)
  const text = cause instanceof Error ? cause.message : String(cause)
  if (state === DISK_FULL)
    return new DatabaseError('DATABASE_FULL', `the disk of the database is full: make room there`, { cause })
  if (state === null || CONNECTION.test(state)) {
    const message = `the database cannot be reached (${text}): check that it runs, and that "store" names it`
    return new DatabaseError('DATABASE_UNREACHABLE', message, { cause })
  }
  return new DatabaseError('DATABASE_FAILED', `the database refused a statement (${state}: ${text})`, { cause })
}

/** The five characters that PostgreSQL gives each error; null for an error of the connection, and for any other. */
export function sqlState(error: unknown): string | null {
  const cause = error instanceof DatabaseError ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : null
}
