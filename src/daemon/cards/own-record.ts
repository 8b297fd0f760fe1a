/** The record of this device in the cards of the own persona, kept in step with the table. Inside of a change. */
import type { Engine } from '../../core/engine.ts'
import type { OwnRecord } from '../state/own-record.ts'
import type { HeadedPersona } from '../state/persona-record.ts'
import type { Records } from '../state/records.ts'
import type { State } from '../state/state.ts'
import { ownOf } from '../state/view.ts'
import { OWN_APPS, OWN_APPS_ID, type OwnApp, type OwnAppsRecord } from './kept/records.ts'
import { readOf } from './tags.ts'

/** Both records of the owner. */
export interface OwnState {
  readonly own: OwnRecord
  readonly persona: HeadedPersona
}

const READS = 2 // format: readers of tags try the last two values of `read`

/** The record as it is; undefined if this device uses no app as this persona. */
export function ownApps({ own }: Pick<OwnState, 'own'>, records: Pick<Records, 'of'>): OwnAppsRecord | undefined {
  const record = records.of(OWN_APPS).get(OWN_APPS_ID)
  return record?.personaId === own.personaId ? record : undefined
}

/** The apps of this device, with the persona that shows itself in them; null where it uses none. */
export interface UsedApps {
  readonly now: OwnState
  readonly record: OwnAppsRecord
}

export function usedApps(records: Records): UsedApps | null {
  const now = ownOf(records)
  const record = now === null ? undefined : ownApps(now, records)
  return now === null || record === undefined ? null : { now, record }
}

/** The record in step with the owner's table; nothing is written. */
export function ownAppsNow(
  now: OwnState,
  records: Pick<Records, 'of'>,
  by: { readonly engine: Engine },
): OwnAppsRecord {
  const { own, persona } = now
  const known = ownApps(now, records)
  const read = readOf(persona, by)
  const before = known ?? {
    personaId: own.personaId,
    epoch: own.epoch,
    reads: [read],
    apps: [],
    approved: [],
    isOld: false,
  }
  const reads = before.reads[0] === read ? before.reads : [read, ...before.reads].slice(0, READS)
  // Whoever holds a later key got it from the owner, so whoever took this device out before has no say any more.
  const apps = own.epoch > before.epoch ? before.apps.map((app) => ({ ...app, listedAt: null })) : before.apps
  return { ...before, reads, apps, epoch: own.epoch, isOld: before.isOld || own.restoredSec !== null }
}

export function putOwnApps(record: OwnAppsRecord, state: State): void {
  if (isSame(record, state.of(OWN_APPS).get(OWN_APPS_ID))) return
  state.stage(state.of(OWN_APPS).put(OWN_APPS_ID, record))
}

export function appOf({ apps }: OwnAppsRecord, name: string): OwnApp | undefined {
  return apps.find(({ app }) => app === name)
}

export function withApp(record: OwnAppsRecord, app: OwnApp): OwnAppsRecord {
  return { ...record, apps: [...record.apps.filter((other) => other.app !== app.app), app] }
}

function isSame(a: OwnAppsRecord, b: OwnAppsRecord | undefined): boolean {
  return b !== undefined && JSON.stringify(a) === JSON.stringify(b)
}
