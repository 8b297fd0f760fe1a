/** Own profiles that lost their identity: the file is gone, empty or damaged, or holds another key. */
import { lstat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { LostProfile } from '../../ipc/shapes/profiles.ts'
import type { KeptProfile } from '../../tox/profile/kept-copies.ts'
import type { ToxErrorCode } from '../../tox/save/errors.ts'
import { deviceOf, type KnownProfile, type ProfileKeeper } from './known.ts'

/** Refusals that do not show whether the keys are still there: the file may be encrypted, or being written. */
const UNDECIDED: ReadonlySet<string> = new Set<ToxErrorCode>([
  'TOX_ENCRYPTED',
  'TOX_WRONG_PASSPHRASE',
  'TOX_FILE_UNREADABLE',
  'TOX_FILE_CHANGED',
])

/**
 * Compares where own profiles were with what is there now. A profile that was moved to another watched place is
 * not lost, nor is one whose place is no longer watched or whose device has left the table.
 * @param kept with its copies, which may be none
 * @param places the watched ones, absolute
 */
export async function findLosses(
  kept: readonly KeptProfile[],
  known: ReadonlyMap<string, KnownProfile>,
  places: readonly string[],
  keeper: Pick<ProfileKeeper, 'ownTable'>,
): Promise<LostProfile[]> {
  const views = [...known.values()].map(({ view }) => view)
  const losses: LostProfile[] = []
  for (const { key, path, copies } of kept) {
    const device = deviceOf(key, keeper)
    if (device === null || !places.some((place) => isAt(resolve(path), resolve(place)))) continue
    if (views.some((view) => view.key === key && view.problem === null)) continue
    const view = known.get(path)?.view
    const state = view === undefined ? await absence(path) : stateOf(view)
    if (state !== null) losses.push({ path, key, device, state, copy: copies.at(-1)?.file ?? null })
  }
  return losses
}

/** Whether a profile is the place itself, or lies in it. */
function isAt(path: string, place: string): boolean {
  return path === place || dirname(path) === place
}

async function absence(path: string): Promise<LostProfile['state'] | null> {
  // The watch leaves out what lies beyond its limits: such a file is there all the same.
  return await lstat(path).then(
    () => null,
    () => 'gone',
  )
}

function stateOf({ problem }: KnownProfile['view']): LostProfile['state'] | null {
  if (problem === null) return 'replaced'
  if (UNDECIDED.has(problem.code)) return null
  return problem.code === 'TOX_EMPTY' ? 'emptied' : 'damaged'
}

/** For `status` and `doctor`. */
export function findingOfLoss(loss: LostProfile): Finding {
  const hint = 'close the Tox client, then put a good copy back'
  return problem('PROFILE_LOST', describeLostProfile(loss), hint, { path: loss.path })
}

/** For the event and the finding: what happened, and where the newest good copy is. */
export function describeLostProfile({ path, device, state, copy }: LostProfile): string {
  const what = {
    gone: `the profile of your ${device} is gone: ${path}`,
    emptied: `a client or a crash has emptied the profile of your ${device}: ${path}`,
    damaged: `the profile of your ${device} is damaged: ${path}`,
    replaced: `another identity stands in the place of your ${device}: ${path}`,
  }[state]
  return copy === null ? what : `${what}; the newest good copy is ${copy}`
}
