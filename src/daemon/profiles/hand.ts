/** The exchange with the hand, which writes profiles outside of the daemon's sandbox: what is due, and what was written (docs/decisions/0011). */
import type { DueProfile, WrittenProfile } from '../../ipc/shapes/due.ts'
import { formOf } from './shown.ts'
import { statusFor } from './status-for.ts'
import { deviceOf, isDue, type KnownProfile, type ProfileKeeper } from './known.ts'

/** The profiles that lack the current own table, each with the text to write. */
export async function dueProfiles(all: Iterable<KnownProfile>, keeper: ProfileKeeper): Promise<DueProfile[]> {
  const profiles: DueProfile[] = []
  for (const known of all) {
    const { path, key, device } = known.view
    if (!isDue(known, keeper) || key === null || device === null) continue
    const { status } = await statusFor(known, keeper)
    const { epoch, seq } = status.table
    profiles.push({ path, key, device, shown: known.text, text: status.text, epoch, seq })
  }
  return profiles
}

/**
 * Reports a text that was just written as an observation, and emits an event for a repair.
 * @returns nickname of the own device whose profile it is; null if it is not an own device, and then nothing is reported
 */
export async function takeWritten(
  { path, key, text, backup, repaired }: WrittenProfile,
  keeper: ProfileKeeper,
  nowSec: number,
): Promise<string | null> {
  const device = deviceOf(key, keeper)
  if (device === null) return null
  await keeper.observe([{ from: key, text, seenAtSec: nowSec }], `profile:${key}`)
  const shown = keeper.verify(text, key).blob ?? (formOf(text) === 'short' ? keeper.ownTable : null)
  if (repaired && backup !== null && shown !== null) {
    const { epoch, seq } = shown
    await keeper.emit({ event: 'profile.repaired', data: { path, key, device, epoch, seq, backup } })
  }
  return device
}
