/** Writes a status message back into a profile that lost it, when no Tox client runs on it and never before. */
import { clientsOn, describeClient, type ClientOnProfile } from './clients.ts'
import { ToxError } from '../save/errors.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { writeProfile, type ProfileAccess, type ToxProfile } from './profile-file.ts'
import { withStatusMessage } from '../save/publish.ts'
import { canSeeClients } from './sight.ts'

/** A profile just read, in which the table is missing. */
export interface Repairable {
  readonly profile: ToxProfile
  readonly access: ProfileAccess
  /** The whole status message to be written, at most MAX_STATUS_BYTES bytes of UTF-8 */
  readonly text: string
}

export interface RepairOptions {
  /** For the name of the backup */
  readonly nowSec: number
  readonly machine?: Machine
}

export type RepairOutcome =
  | { readonly done: true; readonly backup: string }
  | {
      readonly done: false
      readonly why: string
      /** It passes by itself, and may be tried again: when one of `clients` ends, or later */
      readonly again: boolean
      readonly clients: readonly ClientOnProfile[]
    }

export const BLIND =
  'this process runs in a sandbox that hides which Tox clients run, and writes nothing: persona tox repair writes it; to have that run always, persona service install --repair'

/** What passes by itself; every other refusal needs the user, or another file. */
const PASSING: ReadonlySet<string> = new Set(['TOX_CLIENT_RUNNING', 'TOX_FILE_CHANGED', 'TOX_DISK_FULL'])

/** One attempt. Nothing is written unless the file is what was read and no client can be seen on it. */
export async function repairProfile(
  { profile, access, text }: Repairable,
  { nowSec, machine = thisMachine }: RepairOptions,
): Promise<RepairOutcome> {
  if (!(await canSeeClients(machine))) return { done: false, why: BLIND, again: false, clients: [] }
  const clients = await clientsOn(profile.path, machine)
  const [client] = clients
  if (client !== undefined)
    return { done: false, why: `${describeClient(client)} runs on it: close it first`, again: true, clients }
  try {
    const save = withStatusMessage(profile.save, text)
    return { done: true, backup: await writeProfile(profile, save, { ...access, machine, nowSec }) }
  } catch (error) {
    if (!(error instanceof ToxError)) throw error
    return { done: false, why: error.message, again: PASSING.has(error.code), clients: [] }
  }
}
