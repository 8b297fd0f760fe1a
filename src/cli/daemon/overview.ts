/** `persona` without a command: how things are, and what comes next. */
import type { DaemonStatus } from '../../ipc/methods/status.ts'
import type { OwnProfile } from '../../ipc/shapes/profiles.ts'
import type { ShownByDevice } from '../../ipc/shapes/own.ts'
import { isUnreachable, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { describeFailure, EXIT_DONE, EXIT_UNREACHABLE } from '../io/errors.ts'
import { formatNeeds, needsOf, NO_NEEDS, type Needs } from '../io/needs.ts'
import { formatKnown, formatSummary } from './status.ts'

/** The facts on which the next step depends. */
export interface Overview {
  readonly status: DaemonStatus
  readonly needs: Needs
  readonly profiles: readonly OwnProfile[]
  readonly shown: readonly ShownByDevice[]
}

const HELP = 'All commands: persona --help. One command: persona help COMMAND.'

/** With --json it prints what `persona status` prints. */
export async function overview(context: Context): Promise<number> {
  try {
    const now = await withDaemon(context, async (client): Promise<Overview> => {
      const status = await client.call('status')
      if (context.json || status.persona === null) {
        return { status, needs: context.json ? NO_NEEDS : await needsOf(client), profiles: [], shown: [] }
      }
      const { profiles } = await client.call('profile.own')
      const { devices: shown } = await client.call('device.shown')
      return { status, needs: await needsOf(client), profiles, shown }
    })
    print(context, now.status, formatOverview(now, context.nowSec, context.verbose))
    return EXIT_DONE
  } catch (error) {
    if (context.json || !isUnreachable(error)) throw error
    print(context, null, ['The daemon does not run.', `  -> ${describeFailure(error).hint}`, '', HELP])
    return EXIT_UNREACHABLE
  }
}

export function formatOverview(now: Overview, nowSec: number, verbose = false): string[] {
  const next = nextStep(now)
  return [
    ...formatNeeds(now.needs),
    ...formatSummary(now.status, nowSec, verbose),
    '',
    formatKnown(now.status),
    ...(next === null ? [] : ['', `Next: ${next.why}`, `  -> ${next.command}`]),
    '',
    HELP,
  ]
}

/** The step after everything that needs the owner is done. @returns null while something needs them, or if nothing is left */
export function nextStep({
  status,
  needs,
  profiles,
  shown,
}: Overview): { readonly why: string; readonly command: string } | null {
  const { persona, findings, counts } = status
  const isBusy = needs.alarms.length > 0 || needs.pending.length > 0 || needs.senders > 0 || needs.asking > 0
  // Each finding stands there with a command of its own.
  if (persona === null || isBusy || findings.length > 0) return null
  if (profiles.length === 0)
    return { why: 'add a device, so that friends can find you', command: 'persona device add NAME --tox-profile FILE' }
  const isCurrent = (key: string): boolean => shown.some((device) => device.key === key && device.state === 'current')
  if (profiles.some(({ key, path }) => path !== null && !isCurrent(key)))
    return { why: 'show your table to your friends', command: 'persona publish' }
  if (counts.contacts + counts.provisional === 0)
    return { why: 'read what your friends show', command: 'persona tox scan FILE' }
  return null
}
