/** The part of `status` that concerns watched profiles: how many there are, and what the owner should know about them. */
import { notice, type Finding } from '../../ipc/shapes/doctor.ts'
import type { LostProfile } from '../../ipc/shapes/profiles.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { KnownProfile } from './known.ts'
import { findingOfLoss } from './losses.ts'
import { findingOf } from './shown.ts'
import { findingsOfTwins } from './twins.ts'

const MAX_FINDINGS = 8 // sanity: people read status; the list has all of them

export interface ProfileSummary {
  readonly profiles: { watched: number; older: number; lost: number }
  readonly findings: Finding[]
}

/** @param table the own table; null before init */
export function summaryOf(
  all: readonly KnownProfile[],
  lost: readonly LostProfile[],
  troubles: readonly string[],
  table: OwnTable | null,
): ProfileSummary {
  const findings = [
    ...lost.map(findingOfLoss),
    ...findingsOfTwins(all.map(({ view }) => view)),
    ...troubles.map((message) => notice('WATCH_TROUBLE', message, null)),
  ]
  for (const { view, text } of all) {
    const finding = table === null ? null : findingOf(view, text)
    if (finding !== null) findings.push(finding)
  }
  const shown = findings.slice(0, MAX_FINDINGS)
  const more = findings.length - MAX_FINDINGS
  if (more > 0) shown.push(notice('PROFILES_MORE', `${more} more watched profiles need attention`, 'list them'))
  const older = all.filter(({ shown: table }) => table?.state === 'older').length
  return { profiles: { watched: all.length, older, lost: lost.length }, findings: shown }
}
