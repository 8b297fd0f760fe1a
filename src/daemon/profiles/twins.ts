/** Watched files that are the same own device: clients on both take messages from each other. */
import { problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { WatchedProfile } from '../../ipc/shapes/profiles.ts'

/** For `status` and `doctor`: one finding for each own key that more than one watched file holds. */
export function findingsOfTwins(profiles: readonly WatchedProfile[]): Finding[] {
  const byKey = new Map<string, WatchedProfile[]>()
  for (const profile of profiles) {
    const { key, device, problem: unread } = profile
    if (key === null || device === null || unread !== null) continue
    byKey.set(key, [...(byKey.get(key) ?? []), profile])
  }
  return [...byKey.values()]
    .filter((twins) => twins.length > 1)
    .map((twins) => {
      const paths = twins.map(({ path }) => path).toSorted()
      const message = `${paths.join(' and ')} are the same device, your ${twins[0]!.device}: two clients on one key disturb each other, and each misses messages`
      const hint = 'keep one of them, and watch no copies; for a second device make a profile with a key of its own'
      return problem('PROFILE_TWICE', message, hint, { path: paths[0]! })
    })
}
