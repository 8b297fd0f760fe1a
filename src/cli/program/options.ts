/** How commands run their task, and the options that several commands share. */
import type { Context } from '../io/context.ts'

/** The work of one command. It returns the exit status. */
export type Task = (context: Context) => Promise<number>
/** Called with the task of the command that the user typed. */
export type Runner = (task: Task) => Promise<void>

export const PROFILE_PASSPHRASE_FILE = [
  '--profile-passphrase-file <file>',
  "read the profile's passphrase from this file (- for stdin)",
] as const
export const TOX_PROFILE = ['--tox-profile <file>', 'take the key from this Tox profile'] as const
export const KEY = ['--key <hex>', 'use this ToxPk (64 hex digits) or Tox ID (76)'] as const
export interface WithPassphrase {
  readonly passphraseFile?: string
}

export const PASSPHRASE_FILE = [
  '--passphrase-file <file>',
  'read the passphrase from this file (- for stdin; default: ask)',
] as const
export const SEAL = ['--passphrase', 'ask for a passphrase to seal the signing key'] as const
export const SEAL_FILE = [
  '--passphrase-file <file>',
  'seal the signing key with the passphrase in this file (- for stdin)',
] as const
export const WORDS_FILE = [
  '--words-file <file>',
  'read the recovery words from this file (- for stdin; default: ask)',
] as const
export const YES = ['--yes', 'sign without asking'] as const
export const EPOCH = [
  '--epoch <number>',
  'rotate to this epoch, up to 16, which is the last (default: one above the highest seen)',
] as const

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}
