/** Writes the own table back into own profiles that lost it, when no Tox client runs on them and never before. */
import { encodeUtf8 } from '../core/bytes.ts'
import { MAX_STATUS_BYTES } from '../core/limits.ts'
import type { OwnTable, StatusMessage } from '../ipc/shapes.ts'
import { ToxError } from '../tox/errors.ts'
import type { Machine } from '../tox/lock-file.ts'
import { writeProfile, type ProfileAccess, type ToxProfile } from '../tox/profile-file.ts'
import { withStatusMessage } from '../tox/publish.ts'
import { canSeeClients } from '../tox/sight.ts'
import { isOwnError } from './describe-error.ts'
import { KeeperError } from './errors.ts'

export const RETRY_SEC = 60 // sanity: a client that ends leaves no event behind; and a file that somebody else keeps changing is written once a minute

/** A profile just read, in which the table is missing. */
export interface Repairable {
  readonly profile: ToxProfile
  readonly access: ProfileAccess
  /** The owner's words, to stand beside the token */
  readonly words: string
}

export interface RepairOptions {
  readonly statusMessage: (words: string) => Promise<StatusMessage>
  readonly nowSec: () => number
  readonly machine?: Machine
}

export type RepairOutcome =
  | { readonly done: true; readonly backup: string; readonly table: OwnTable }
  /** `again`: it is tried once more by itself */
  | { readonly done: false; readonly why: string; readonly again: boolean }

const SANDBOXED =
  'this daemon runs in a sandbox that hides which Tox clients run: nothing is written, use persona tox publish'

/** One attempt. Nothing is written unless the file is what was read and no client can be seen on it. */
export async function repairProfile(
  { profile, access, words }: Repairable,
  options: RepairOptions,
): Promise<RepairOutcome> {
  if (!(await canSeeClients(options.machine))) return { done: false, why: SANDBOXED, again: false }
  try {
    const status = await statusWith(words, options)
    const save = withStatusMessage(profile.save, status.text)
    const machine = options.machine === undefined ? {} : { machine: options.machine }
    const backup = await writeProfile(profile, save, { ...access, ...machine, nowSec: options.nowSec() })
    return { done: true, backup, table: status.table }
  } catch (error) {
    if (!isOwnError(error)) throw error
    return { done: false, why: error.message, again: !(error instanceof ToxError) || PASSING.has(error.code) }
  }
}

/** What passes by itself; every other refusal needs the user, or another file. */
const PASSING: ReadonlySet<string> = new Set(['TOX_CLIENT_RUNNING', 'TOX_FILE_CHANGED', 'TOX_DISK_FULL'])

/** The token must get out whatever the words are. */
async function statusWith(words: string, options: RepairOptions): Promise<StatusMessage> {
  try {
    if (encodeUtf8(words).length <= MAX_STATUS_BYTES) return await options.statusMessage(words)
  } catch (error) {
    if (!(error instanceof KeeperError) || error.code !== 'WORDS_TOO_LONG') throw error
  }
  return await options.statusMessage('')
}
