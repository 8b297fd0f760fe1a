/** Writes the owner's table back into an own profile that no longer shows it, once no client runs on it (docs/tox.md). */
import type { Log } from '../../process/log.ts'
import type { Machine } from '../../tox/profile/lock-file.ts'
import type { ProfileAccess, ToxProfile } from '../../tox/profile/profile-file.ts'
import { repairProfile } from '../../tox/profile/repair.ts'
import type { Retries } from '../../tox/profile/retries.ts'
import { isDue, type KnownProfile, type ProfileKeeper } from './known.ts'
import { statusFor } from './status-for.ts'
import { keepWords, wordsOf } from './words.ts'

export interface WriteBackOptions {
  readonly keeper: ProfileKeeper
  readonly nowSec: () => number
  readonly log: Log
  readonly machine?: Machine
  readonly retries: Retries
  /** Whether the daemon writes. If not, it only emits `profile.due`. */
  readonly mayWrite: boolean
}

/** Does nothing to a profile that shows the current table, or that is not the owner's. Updates what is known of it. */
export async function writeBack(
  known: KnownProfile,
  profile: ToxProfile,
  access: ProfileAccess,
  { keeper, nowSec, log, machine, retries, mayWrite }: WriteBackOptions,
): Promise<void> {
  const { path, key, device } = known.view
  if (!isDue(known, keeper) || key === null || device === null) return
  await keeper.emit({ event: 'profile.due', data: { path, key, device } })
  if (!mayWrite) return
  if (retries.isTooSoon(path)) {
    known.view = { ...known.view, repair: 'it was written a moment ago' }
    return await retries.later(path)
  }
  const { status, wordsDropped } = await statusFor(known, keeper)
  // Before they are gone from the profile.
  if (wordsDropped) await keepWords(key, wordsOf(known, keeper), keeper)
  const options = { nowSec: nowSec(), ...(machine === undefined ? {} : { machine }) }
  const outcome = await repairProfile({ profile, access, text: status.text }, options)
  if (!outcome.done) {
    const isNews = known.view.repair !== outcome.why
    known.view = { ...known.view, repair: outcome.why }
    if (outcome.again) await retries.later(path, outcome.clients, profile.path)
    else if (isNews) log.warn('profile.not-repaired', { message: outcome.why })
    return
  }
  retries.wrote(path)
  if (!wordsDropped) await keepWords(key, '', keeper)
  known.view = { ...known.view, repair: null }
  const { epoch, seq } = status.table
  await keeper.emit({ event: 'profile.repaired', data: { path, key, device, epoch, seq, backup: outcome.backup } })
  log.info('profile.repaired', { message: `table ${seq} written into ${path}`, path })
}
