/** The result of `status`: the state in figures, and sentences for its owner (docs/ipc.md, section 3). */
import { checkClock } from './check-daemon.ts'
import { noticeOf, withNotices, UNPROTECTED } from '../own/conditions.ts'
import { standingFindings, UNSIGNED_NOTICE_SEC, type OwnStanding } from '../own/standing.ts'
import { notice, type Finding } from '../../ipc/shapes/doctor.ts'
import { freshnessAt, type Clock } from '../state/view.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { DaemonStatus, WingsStatus } from '../../ipc/methods/status.ts'

/** The parts of the status from outside the keeper. */
export type About = Pick<DaemonStatus, 'version' | 'pid' | 'startedAtSec' | 'home' | 'net' | 'findings'> &
  WingsStatus & {
    readonly connections: number
    readonly storeKind: string
    readonly storeSchema: number
  }

/** The parts of the status from the keeper. */
export interface Kept {
  readonly engine: DaemonStatus['engine']
  /** null before init. */
  readonly table: OwnTable | null
  readonly isLocked: boolean
  readonly theftProtection: boolean
  readonly standing: OwnStanding
  readonly counts: Omit<DaemonStatus['counts'], 'connections'>
  readonly clock: Clock
}

export function makeStatus(about: About, kept: Kept): DaemonStatus {
  const { connections, storeKind, storeSchema, findings: around, ...rest } = about
  const { engine, table, isLocked, theftProtection, standing, counts, clock } = kept
  const findings = [...ownFindings(kept), ...around]
  return {
    ...rest,
    engine,
    store: { kind: storeKind, schema: storeSchema },
    persona: table,
    locked: table !== null && isLocked,
    theftProtection,
    unapproved: [...standing.unapproved],
    freshness: table === null ? null : freshnessAt(table.timeSec, clock),
    counts: { ...counts, connections },
    ...withNotices(findings),
  }
}

function ownFindings({ table, isLocked, standing, clock }: Kept): Finding[] {
  const ofClock = clock.isWrong ? [checkClock(clock)] : []
  if (table === null) return [notice('NO_PERSONA', 'there is no persona here yet', 'create one'), ...ofClock]
  const findings = standing.isUnconfirmed ? [noticeOf('UNPROTECTED', UNPROTECTED)] : []
  findings.push(...standingFindings(standing))
  if (isLocked) {
    const days = Math.floor((clock.nowSec - table.timeSec) / 86_400)
    const isDue = !clock.isWrong && clock.nowSec - table.timeSec >= UNSIGNED_NOTICE_SEC
    const why = isDue ? `; the table was signed ${days} days ago, and contacts see that it gets old` : ''
    findings.push(notice('LOCKED', `the signing key is locked${why}`, 'unlock it'))
  }
  return [...findings, ...ofClock]
}
