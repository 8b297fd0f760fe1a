/** What `persona status` shows: the state in figures, and what its owner should know in sentences (docs/ipc.md, section 4). */
import { standingNotices, UNPROTECTED, UNSIGNED_NOTICE_SEC, type OwnStanding } from '../own/standing.ts'
import { freshnessAt, type Clock } from '../state/view.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { DaemonStatus } from '../../ipc/shapes/status.ts'

/** The parts of the result that the wings bring. */
export type WingsStatus = Pick<DaemonStatus, 'profiles' | 'tox'>

/** What the daemon around the keeper knows. */
export type About = Pick<DaemonStatus, 'version' | 'pid' | 'startedAtSec' | 'home' | 'notices'> &
  WingsStatus & {
    readonly connections: number
    readonly storeKind: string
    readonly storeSchema: number
  }

/** What the keeper knows. */
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
  const { connections, storeKind, storeSchema, notices, ...rest } = about
  const { engine, table, isLocked, theftProtection, standing, counts, clock } = kept
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
    notices: [...ownNotices(kept), ...notices],
  }
}

function ownNotices({ table, isLocked, theftProtection, standing, clock }: Kept): string[] {
  const notices: string[] = []
  if (table === null)
    return [
      'there is no persona yet: make one with "persona init --device NAME --tox-profile FILE"',
      ...clockNotice(clock),
    ]
  if (!theftProtection) {
    notices.push(UNPROTECTED)
  }
  notices.push(...standingNotices(standing))
  if (isLocked) {
    const days = Math.floor((clock.nowSec - table.timeSec) / 86_400)
    const isDue = !clock.isWrong && clock.nowSec - table.timeSec >= UNSIGNED_NOTICE_SEC
    const why = isDue ? `; the table was signed ${days} days ago, and friends see it age` : ''
    notices.push(`the signing key is locked: "persona unlock"${why}`)
  }
  return [...notices, ...clockNotice(clock)]
}

function clockNotice(clock: Clock): string[] {
  if (!clock.isWrong) return []
  return [
    'the clock of this machine is before a time it once told, so ages are not judged; if it is right now, an edit of your table says so',
  ]
}
