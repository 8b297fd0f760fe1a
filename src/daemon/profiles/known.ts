/** The record of one watched profile between two reads, and its comparison with the own table. */
import type { Sighting } from '../../core/consent.ts'
import type { ObservationParams, ObserveResult, VerifyResult } from '../../ipc/shapes/judged.ts'
import type { OwnTable, StatusForm, StatusMessage } from '../../ipc/shapes/own.ts'
import type { ShownShort, WatchedProfile } from '../../ipc/shapes/profiles.ts'
import type { ToxError } from '../../tox/save/errors.ts'
import { judgeShown, needsWriting, type Shown } from './shown.ts'
import type { ReportedFriends } from './read.ts'
import type { NewEvent } from '../state/new-event.ts'
import type { Records } from '../state/records.ts'
import type { State } from '../state/state.ts'

/** The part of the keeper that the profiles use. */
export interface ProfileKeeper {
  readonly ownTable: OwnTable | null
  hasShown(key: string): boolean
  shownBy(key: string): Sighting | null
  verify(text: string, from: string | null): VerifyResult
  statusMessage(words: string, form?: StatusForm): Promise<StatusMessage>
  /** See judgeOwnShort(); null also without a persona. */
  shownShort(encoded: string): ShownShort | null
  observe(observations: readonly ObservationParams[], source: string): Promise<ObserveResult[]>
  emit(event: NewEvent): Promise<void>
  readonly onDisk: Pick<Records, 'of'>
  /** Inside {@link change}. */
  readonly state: Pick<State, 'of' | 'stage'>
  change<T>(decide: () => T): Promise<T>
}

/** A profile as it was last read, and the state that follows from that. */
export interface KnownProfile {
  view: WatchedProfile
  /** The own status message; empty while it cannot be read */
  text: string
  shown: Shown | null
  /** The last words of the owner in it. A client that replaces the status message does not keep them */
  words: string
  /** The status message for which a loss was emitted */
  toldLoss: string | null
  reported: ReportedFriends
}

export function newKnown(path: string): KnownProfile {
  const view = {
    path,
    key: null,
    device: null,
    encrypted: false,
    shows: null,
    checkedAtSec: 0,
    client: null,
    repair: null,
    problem: null,
  }
  return { view, text: '', shown: null, words: '', toldLoss: null, reported: new Map() }
}

/** Notes the reason why a profile cannot be read. @returns whether the reason is new */
export function noteUnread(known: KnownProfile, { code, message }: ToxError): boolean {
  // Gone, or being written: its next change causes another read.
  if (code === 'TOX_FILE_MISSING' || code === 'TOX_FILE_CHANGED') return false
  const encrypted = known.view.encrypted || code === 'TOX_ENCRYPTED' || code === 'TOX_WRONG_PASSPHRASE'
  const isNews = known.view.problem?.code !== code
  known.shown = null
  known.view = {
    ...known.view,
    encrypted,
    shows: { state: 'unread', epoch: null, seq: null },
    repair: null,
    problem: { code, message },
  }
  return isNews
}

/** Nickname of the own device with this key; null for any other key. */
export function deviceOf(key: string | null, { ownTable }: Pick<ProfileKeeper, 'ownTable'>): string | null {
  return ownTable?.devices.find((device) => device.key === key)?.name ?? null
}

/** Whether the current table should be written into it, by the daemon or by the hand. */
export function isDue({ shown, view }: KnownProfile, keeper: ProfileKeeper): boolean {
  const table = keeper.ownTable
  if (shown === null || table === null || view.key === null) return false
  return needsWriting(shown, table, keeper.hasShown(view.key))
}

/** Compares its status message with the own table. */
export function compareKnown(known: KnownProfile, keeper: ProfileKeeper, repairs: boolean): void {
  const { key, problem } = known.view
  if (problem !== null) return
  const device = deviceOf(key, keeper)
  const table = keeper.ownTable
  known.shown = null
  if (table !== null && device !== null)
    known.shown = judgeShown(known.text, keeper.verify(known.text, key), table, (encoded) => keeper.shownShort(encoded))
  const { state, epoch, seq } = known.shown ?? { state: null }
  known.view = {
    ...known.view,
    device,
    shows: state === null ? null : { state, epoch: epoch ?? null, seq: seq ?? null },
    repair: repairs && isDue(known, keeper) ? (known.view.repair ?? 'the daemon is about to try') : null,
  }
}
