/** Errors of a relay's database. They end the request that meets them, and nothing else: the next one may go well. */
import { PersonadError } from '../../errors/personad-error.ts'

export type DatabaseErrorCode =
  | 'DATABASE_LIBRARY' // the package pg is not installed
  | 'DATABASE_URL' // the URL names a file that cannot be read, or an option with a value that cannot be used
  | 'DATABASE_UNREACHABLE' // no connection, or it was lost: whether the last change took effect is unknown
  | 'DATABASE_REFUSED' // the user, the password or the name of the database is wrong
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
/** Those of them that stay until a person acts. */
const WRONG = /^(28|3D)/
/** What happened, and what to do about it, by SQLSTATE. The database's own words stand between. */
const ADVICE: readonly (readonly [state: RegExp, what: string, advice: string])[] = [
  [
    /^28/,
    'the database refused the user',
    'check the user in the URL, the password in the file that PGPASSFILE names, and pg_hba.conf',
  ],
  [/^3D000/, 'there is no such database', 'make it with createdb, or correct the URL'],
  [
    /^53300/,
    'the database has no connection left',
    'raise max_connections or the limit of the user, or end what holds them',
  ],
  [/^53100/, 'the disk of the database is full', 'make room there'],
  [
    /^(42501|3F000)/,
    'the user may not do that in the database',
    'make the user its owner: ALTER DATABASE ... OWNER TO ...',
  ],
  [
    /^25006/,
    'the database takes no changes',
    'name the primary and not a standby, or take default_transaction_read_only away',
  ],
]
const UNREACHABLE = ['the database cannot be reached', 'check that it runs, and that the URL names it'] as const
/** pg's own error, without an SQLSTATE, where the server asks for a password and there is none. */
const NO_PASSWORD = /^SASL: .*client password must be/
const PASSWORD = ['the database asks for a password', 'put it into the file that PGPASSFILE names'] as const
const REFUSED = ['the database refused a statement', 'look into its log'] as const

/** Converts an error of pg; returns a DatabaseError unchanged. Only the database's own words are in its message, and never a value. */
export function databaseErrorOf(cause: unknown): DatabaseError {
  if (cause instanceof DatabaseError) return cause
  const state = sqlState(cause)
  const text = cause instanceof Error ? cause.message : String(cause)
  const isLost = state === null || CONNECTION.test(state)
  const known = ADVICE.find(([states]) => states.test(state ?? ''))
  const [what, advice] = known === undefined ? unknownAdvice(text, isLost) : [known[1], known[2]]
  const words = state === null || isLost ? text : `${state}: ${text}`
  return new DatabaseError(codeFor(state, text), `${what} (${words}): ${advice}`, { cause })
}

/** Converts an error of pg before it calls the database: it reads the URL then, and the files that the URL names. */
export function urlErrorOf(cause: unknown): DatabaseError {
  const text = cause instanceof Error ? cause.message : String(cause)
  const message = `the URL of the database cannot be used (${text}): correct it, or the file that it names`
  return new DatabaseError('DATABASE_URL', message, { cause })
}

function codeFor(state: string | null, text: string): DatabaseErrorCode {
  if (state === DISK_FULL) return 'DATABASE_FULL'
  if (WRONG.test(state ?? '') || NO_PASSWORD.test(text)) return 'DATABASE_REFUSED'
  return state === null || CONNECTION.test(state) ? 'DATABASE_UNREACHABLE' : 'DATABASE_FAILED'
}

function unknownAdvice(text: string, isLost: boolean): readonly [what: string, advice: string] {
  if (NO_PASSWORD.test(text)) return PASSWORD
  return isLost ? UNREACHABLE : REFUSED
}

/** The five characters that PostgreSQL gives each error; null for an error of the connection, and for any other. */
export function sqlState(error: unknown): string | null {
  const cause = error instanceof DatabaseError ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return /^[0-9A-Z]{5}$/.test(code) ? code : null
}
