/** Restores the table in a profile that lost it, once no Tox client has the profile open. */
import { clientsOn, describeClient, type ClientOnProfile } from './clients.ts'
import { ToxError } from '../save/errors.ts'
import { thisMachine, type Machine } from './lock-file.ts'
import { writeProfile, type ProfileAccess, type ToxProfile } from './profile-file.ts'
import { withStatusMessage } from '../save/status-message.ts'
import { canSeeClients } from './sight.ts'

/** A profile that was just read and does not show the table. */
export interface Repairable {
  readonly profile: ToxProfile
  readonly access: ProfileAccess
  /** The whole status message to write, at most MAX_STATUS_BYTES bytes of UTF-8 */
  readonly text: string
}

export interface RepairOptions {
  /** Unix seconds, for the name of the backup */
  readonly nowSec: number
  readonly machine?: Machine
}

export type RepairOutcome =
  | { readonly done: true; readonly backup: string }
  | {
      readonly done: false
      readonly why: string
      /** Whether to try again: when one of `clients` ends, or later */
      readonly again: boolean
      readonly clients: readonly ClientOnProfile[]
    }

export const BLIND =
  'a sandbox hides running Tox clients from this process, so it writes no profile: run persona tox repair, or keep it running with persona service install --repair'

/** Refusals that may pass without the user. Every other one needs the user or another file. */
const PASSING: ReadonlySet<string> = new Set(['TOX_CLIENT_RUNNING', 'TOX_FILE_CHANGED', 'TOX_DISK_FULL'])

/**
 * Tries once. Writes only if the file is unchanged since it was read and no client has it open.
 * @throws what is not a ToxError; every ToxError becomes an outcome
 */
export async function repairProfile(
  { profile, access, text }: Repairable,
  { nowSec, machine = thisMachine }: RepairOptions,
): Promise<RepairOutcome> {
  if (!(await canSeeClients(machine))) return { done: false, why: BLIND, again: false, clients: [] }
  const clients = await clientsOn(profile.path, machine)
  const [client] = clients
  if (client !== undefined)
    return { done: false, why: `${describeClient(client)} has it open: close it first`, again: true, clients }
  try {
    const save = withStatusMessage(profile.save, text)
    return { done: true, backup: await writeProfile(profile, save, { ...access, machine, nowSec }) }
  } catch (error) {
    if (!(error instanceof ToxError)) throw error
    return { done: false, why: error.message, again: PASSING.has(error.code), clients: [] }
  }
}
