/** What `doctor` says of the watched Tox profiles: which own ones do not show the present table, by its number. */
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { ProfileList, WatchedProfile } from '../../ipc/shapes/profiles.ts'

/** @param table the own one; null before init */
export function checkProfiles({ profiles, troubles }: ProfileList, table: OwnTable | null): Finding[] {
  const findings = troubles.map((message) => notice('WATCH_TROUBLE', message, null))
  if (profiles.length === 0) {
    const hint = 'set watch.profiles in the configuration, and losses of your table are told'
    return [...findings, notice('WATCH_NOTHING', 'no Tox profile is watched', hint)]
  }
  return [...findings, ...profiles.flatMap((profile) => checkProfile(profile, table))]
}

function checkProfile(profile: WatchedProfile, table: OwnTable | null): Finding[] {
  const { path, shows, problem: unread, repair } = profile
  if (unread !== null) return [problem('PROFILE_UNREAD', `${path} cannot be read: ${unread.message}`, UNREAD_HINT)]
  if (shows === null || table === null) return [ok('PROFILE_WATCHED', `${path} is watched for its friends`)]
  const then = repair === null ? 'publish the table into it' : `this waits: ${repair}`
  const about = { path }
  switch (shows.state) {
    case 'current':
      return [ok('PROFILE_CURRENT', `${path} shows table ${shows.seq}, the current one`)]
    case 'older': {
      const message = `${path} still shows table ${nameOf(shows)}; the current one is ${nameOf(table)}`
      return [problem('PROFILE_OLDER', message, then, about)]
    }
    case 'none':
      return [problem('PROFILE_SHOWS_NONE', `${path} is a profile of yours and shows no table`, then, about)]
    case 'damaged':
      return [problem('PROFILE_DAMAGED', `${path} shows a table that was cut, and friends cannot read it`, then, about)]
    case 'newer':
      return [
        notice(
          'PROFILE_NEWER',
          `${path} shows table ${nameOf(shows)}, which was not accepted here`,
          'look at it',
          about,
        ),
      ]
    case 'other':
      return [problem('PROFILE_OTHER', `${path} is a profile of yours and shows another persona`, 'look at it', about)]
    case 'unread':
      return [problem('PROFILE_UNREAD', `${path} cannot be read`, UNREAD_HINT)]
  }
}

const UNREAD_HINT = 'see docs/tox.md; the passphrase of an encrypted one is given with watch.passphrase_file'

function nameOf({ epoch, seq }: { readonly epoch: number | null; readonly seq: number | null }): string {
  return `${seq} of epoch ${epoch}`
}
