/** What the command line itself refuses, and how every failure is told: one line, one hint, one exit status. */
import { PersonadError } from '../../errors/personad-error.ts'

export type CliErrorCode =
  | 'USAGE' // the words of the command line do not fit together
  | 'FILE_UNREADABLE'
  | 'FILE_EXISTS' // and is not replaced unasked
  | 'NOT_EVIDENCE' // a file of another kind, or damaged
  | 'NO_TERMINAL' // something must be asked, and nobody is there to answer
  | 'CANCELLED' // the question was answered with Ctrl-C or Ctrl-D
  | 'PASSPHRASE_FILE' // cannot be read, is empty, too long or not text
  | 'PASSPHRASE_DIFFERS' // the second time something else was typed
  | 'INPUT_TOO_LONG' // more on stdin than a status message could ever be
  | 'INPUT_NOT_UTF8'
  | 'DEVICE_NOT_LISTED' // the profile belongs to no device of the owner's table
  | 'SANDBOXED' // running Tox clients cannot be seen from here
  | 'WORDS_FILE' // cannot be read, is empty, too long or not text
  | 'WORDS_WRONG' // what was typed is not one of the recovery words
  | 'LOCKED' // as the daemon says it, before anything was written
  | 'CONTACTS_FILE' // cannot be read or written, or is no list of contacts
  | 'NUMBER_WRONG' // what was typed is no safety number
  | 'SYNC_FILE' // cannot be read, or is no text
  | 'SCAN_INCOMPLETE' // some of several profiles could not be read
  | 'BACKUP_FILE' // cannot be read, or is too short to be one
  | 'PAIRING_CONNECTION' // cannot listen there, or nobody answers there
  | 'PAIRING_NOT_FOUND' // nobody on the local network announces this code
  | 'PAIRING_PEER_GONE' // hung up
  | 'PAIRING_PEER_SILENT' // neither sends nor hangs up
  | 'PAIRING_FRAME' // what comes in is no frame
  | 'PAIRING_FILE' // a file that carries a leg cannot be read or written, or is none
  | 'PAIRING_CANCELLED' // ended from another terminal
  | 'PAIRING_REFUSED' // the person said that the words differ

/** Exit statuses (README, "Quickstart"). */
export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_UNREACHABLE = 3

export class CliError extends PersonadError<CliErrorCode> {
  override readonly name = 'CliError'
}

/** A failure as `--json` prints it, under `error`. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** What to do about failures whose own layer cannot know how it was called. */
const HINTS = new Map([
  ['DAEMON_UNREACHABLE', 'start it: `personad`, or for good `persona service install`; in a checkout `npm start`'],
  ['TOX_ENCRYPTED', 'give its passphrase with --passphrase-file FILE (init, device add: --profile-passphrase-file)'],
  ['TOX_CLIENT_RUNNING', 'close the Tox client; --force writes all the same'],
])

/** Any thrown value in words, with its stable code. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof PersonadError))
    return { code: 'INTERNAL', message: kindOf(error), hint: 'please report it: this is a mistake in persona' }
  return { code: error.code, message: error.message, hint: HINTS.get(error.code) ?? error.hint }
}

// Not the message: foreign ones quote what they were given, which may be a passphrase.
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  const frame = /\n +at (.+:\d+:\d+\)?)/.exec(error.stack ?? '')?.[1]
  return `unexpected ${error.name}${code}${frame === undefined ? '' : `, at ${frame}`}`
}

/** The exit status of a failure. */
export function exitStatus(code: string): number {
  if (code === 'USAGE') return EXIT_USAGE
  return code === 'DAEMON_UNREACHABLE' ? EXIT_UNREACHABLE : EXIT_FAILED
}
