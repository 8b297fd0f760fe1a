/** What is known of one watched profile, between two looks at it. */
import type { WatchedProfile } from '../ipc/shapes.ts'
import type { ToxError } from '../tox/errors.ts'
import type { Shown } from './own-status.ts'
import type { ReportedFriends } from './profile-reader.ts'

/** A profile as it was last read, and what follows from that. */
export interface Known {
  view: WatchedProfile
  /** The own status message; empty while it cannot be read */
  text: string
  shown: Shown | null
  /** The owner's words, as they last stood there: a client that replaces the status message does not keep them */
  words: string
  /** The status message of which a loss was told */
  toldLoss: string | null
  reported: ReportedFriends
}

export function newKnown(path: string): Known {
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

/** Notes why a profile cannot be read. @returns whether that is news */
export function noteUnread(known: Known, { code, message }: ToxError): boolean {
  // Gone, or being written: its next change brings it here again.
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
