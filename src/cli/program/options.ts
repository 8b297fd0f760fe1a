/** What the words of all commands are made with: how a task is run, and the options that several have. */
import type { Context } from '../io/context.ts'

/** What one command does: given where and how, it returns the exit status. */
export type Task = (context: Context) => Promise<number>
/** Called with the task of the command that was named. */
export type Runner = (task: Task) => Promise<void>

export const PROFILE_PASSPHRASE_FILE = [
  '--profile-passphrase-file <file>',
  "file with the profile's passphrase, - for stdin",
] as const
export const TOX_PROFILE = ['--tox-profile <file>', 'take the key from this Tox profile'] as const
export const KEY = ['--key <hex>', 'the ToxPk (64 hex digits) or whole Tox ID (76)'] as const
export interface WithPassphrase {
  readonly passphraseFile?: string
}

export const PASSPHRASE_FILE = [
  '--passphrase-file <file>',
  'file with the passphrase, - for stdin (else it is asked for)',
] as const
