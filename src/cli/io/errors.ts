/** The errors of the command line itself, and the form of every failure: a message, a hint, an exit status. */
import { describeBadParams } from './bad-params.ts'
import { adviceOf } from './next-steps.ts'
import { PersonadError } from '../../errors/personad-error.ts'

export type CliErrorCode =
  | 'USAGE' // the arguments make no sense together
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'OUTPUT_FAILED' // stdout could not be written, such as on a full disk
  | 'FILE_EXISTS' // replacing it needs --force
  | 'NOT_EVIDENCE' // a file of another kind, or damaged
  | 'NO_TERMINAL' // a question needs an answer, and nobody is there to give it
  | 'CANCELLED' // by Ctrl-C, Ctrl-D, or another answer than the expected one
  | 'PASSPHRASE_FILE' // unreadable, empty, too long or not text
  | 'PASSPHRASE_DIFFERS' // the two typed passphrases differ
  | 'INPUT_TOO_LONG' // stdin holds more than any status message
  | 'INPUT_NOT_UTF8'
  | 'DEVICE_NOT_LISTED' // the profile belongs to no device in the owner's table
  | 'NO_PROFILES' // no profile of an own device is known on this computer
  | 'PROFILE_OTHER_DEVICE' // the file of an own device holds another device now
  | 'NO_COPY' // the daemon kept no copy of this profile
  | 'COPY_UNCLEAR' // it kept copies of several profiles that had this path
  | 'SANDBOXED' // this process cannot see running Tox clients
  | 'WORDS_FILE' // unreadable, empty, too long or not text
  | 'TOKEN_FILE' // unreadable, empty, too long or not text
  | 'WORDS_WRONG' // the typed words are not the recovery words
  | 'CONFIG_INVALID' // the daemon would not start with it
  | 'APP_LINK_UNKNOWN' // the same code as the daemon's
  | 'PROPOSAL_UNKNOWN' // the same code as the daemon's
  | 'NOTHING_PENDING' // the same code as the daemon's, for an app that proposes no relays
  | 'AMBIGUOUS' // the end of a key that more than one has
  | 'WORDS_TOO_LONG' // the same code as the daemon's, for words that a profile shows
  | 'CARD_NONE' // the same code as the daemon's, for an app without a card
  | 'CHANNEL_UNKNOWN' // the same code as the daemon's, for the name of a channel
  | 'CHAT_UNKNOWN' // no channel of chats, contact with a persona or kept chat has this name
  | 'FRIEND_UNKNOWN' // no key was added under this name
  | 'PAIR_KEY_OWN' // the own key is noted as that of a friend
  | 'VEILID_ELSEWHERE' // the daemon is not configured for this veilid-server
  | 'INVITE_UNUSED' // a channel is named that is an open invite still
  | 'NAME_TAKEN' // the same code as the daemon's, for the name of a channel
  | 'WORDS_DIFFER' // the same code as the daemon's: the answer was no
  | 'INVITE_OTHER_APP' // the same code as the daemon's, before anything is sent
  | 'INVITE_EXPIRED' // the same code as the daemon's, before anything is sent
  | 'MESSAGE_NO_REQUEST' // the same code as the daemon's, for the digits of a PersonaID
  | 'LOCKED' // the same code as the daemon's, before anything is written
  | 'PERSONA_EXISTS' // the same code as the daemon's, before anybody types a secret
  | 'CONTACTS_FILE' // unreadable, unwritable, or not a list of contacts
  | 'NUMBER_WRONG' // not a safety number
  | 'SYNC_FILE' // unreadable, or not text
  | 'SCAN_INCOMPLETE' // some of the profiles could not be read
  | 'BACKUP_FILE' // unreadable, or too short to be a backup
  | 'PAIRING_CONNECTION' // cannot listen at the address, or nobody answers
  | 'PAIRING_NOT_FOUND' // no device on the local network announces this code
  | 'PAIRING_PEER_GONE' // the other device hung up
  | 'PAIRING_PEER_SILENT' // the other device neither sends nor hangs up
  | 'PAIRING_FRAME' // the incoming bytes are not a frame
  | 'PAIRING_FILE' // a pairing file is unreadable, unwritable or something else
  | 'PAIRING_CANCELLED' // from another terminal
  | 'PAIRING_REFUSED' // the user answered that the words differ

/** Exit statuses (persona(1)). */
export const EXIT_DONE = 0
export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_UNREACHABLE = 3

export class CliError extends PersonadError<CliErrorCode> {
  override readonly name = 'CliError'
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** A failure, as `--json` prints it under `error`. */
export interface Failure {
  readonly code: string
  readonly message: string
  readonly hint: string | null
}

/** Hints for errors whose own layer cannot know the command that led to them. */
const HINTS = new Map([
  ['DAEMON_UNREACHABLE', 'run: personad, or: persona service install (in a checkout: npm start)'],
  [
    'TOX_ENCRYPTED',
    'give its passphrase with --passphrase-file FILE (init and device commands: --profile-passphrase-file)',
  ],
  ['TOX_CLIENT_RUNNING', 'close the Tox client, or add --force'],
  ['TOX_QTOX_FILES', 'to lose them, add --force (encrypt, decrypt), or move them away first'],
])

/** Hints for files that the system does not let a command read or write. */
const FILE_HINTS = new Map([
  ['ENOENT', 'there is nothing of this name: look at the path'],
  ['ENOTDIR', 'a part of the path is no directory: look at the path'],
  ['EISDIR', 'this is a directory: name a file'],
  ['EACCES', 'you have no permission for it: see ls -l, or use a copy of your own'],
  ['EPERM', 'the system does not allow it for this file: see ls -l, or use a copy of your own'],
  ['EROFS', 'the file system is read-only: name another place'],
  ['ENOSPC', 'the disk is full: make room, or name another place'],
])

/** Describes any thrown value, with a stable code. */
export function describeFailure(error: unknown): Failure {
  if (!(error instanceof PersonadError))
    return { code: 'INTERNAL', message: kindOf(error), hint: 'this is a bug in persona; please report it' }
  if (error.code === 'BAD_PARAMS')
    return { code: error.code, message: describeBadParams(error.details, error.message), hint: null }
  return {
    code: error.code,
    message: error.message,
    hint: HINTS.get(error.code) ?? adviceOf(error.code, error.hint ?? fileHintOf(error), error.details),
  }
}

/** The hint for a file by the error of the system; null for any other cause. */
function fileHintOf({ code, cause }: PersonadError): string | null {
  const isOfFile = code.includes('FILE') && cause instanceof Error && 'code' in cause
  return isOfFile ? (FILE_HINTS.get(String(cause.code)) ?? null) : null
}

// Without the message: other libraries quote their input, which may be a passphrase.
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return `unexpected ${typeof error}`
  const code = 'code' in error && typeof error.code === 'string' ? ` ${error.code}` : ''
  const frame = /\n +at (.+:\d+:\d+\)?)/.exec(error.stack ?? '')?.[1]
  return `unexpected ${error.name}${code}${frame === undefined ? '' : `, at ${frame}`}`
}

/** The exit status of a failure. */
export function exitStatus(code: string): number {
  if (code === 'USAGE') return EXIT_USAGE
  return code === 'DAEMON_UNREACHABLE' ? EXIT_UNREACHABLE : EXIT_FAILED
}
