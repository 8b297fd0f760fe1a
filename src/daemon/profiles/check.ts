/** The checks of `doctor` for the watched Tox profiles: which own ones do not show the current table. */
import { notice, numbersOf, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import { findingOfLoss } from './losses.ts'
import { findingsOfTwins } from './twins.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { ProfileList, WatchedProfile } from '../../ipc/shapes/profiles.ts'
import { findingOf } from './shown.ts'

/** @param table the own table; null before init */
export function checkProfiles({ profiles, lost, troubles }: ProfileList, table: OwnTable | null): Finding[] {
  const findings = [
    ...lost.map(findingOfLoss),
    ...findingsOfTwins(profiles),
    ...troubles.map((message) => notice('WATCH_TROUBLE', message, null)),
  ]
  if (profiles.length === 0) {
    const hint = 'set watch.profiles in the configuration, so that the daemon reports if a client loses your table'
    return [...findings, notice('WATCH_NOTHING', 'no Tox profile is watched', hint)]
  }
  return [
    ...findings,
    ...profiles
      .filter(({ path }) => !lost.some((loss) => loss.path === path))
      .flatMap((profile) => checkProfile(profile, table)),
  ]
}

function checkProfile(profile: WatchedProfile, table: OwnTable | null): Finding[] {
  const { path, shows, problem: unread } = profile
  if (unread !== null) return [problem('PROFILE_UNREAD', `${path} cannot be read: ${unread.message}`, UNREAD_HINT)]
  if (shows === null || table === null) return [ok('PROFILE_WATCHED', `${path} is watched for its friends`)]
  if (shows.state === 'current')
    return [{ ...ok('PROFILE_CURRENT', `${path} shows your current table`), about: { path, ...numbersOf(shows) } }]
  const finding = findingOf(profile, '')
  return [finding ?? problem('PROFILE_UNREAD', `${path} cannot be read`, UNREAD_HINT)]
}

const UNREAD_HINT = 'for an encrypted profile, set watch.passphrase_file in the configuration'
