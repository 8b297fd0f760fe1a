/** Compares what an own profile shows to friends with the own table, and finds the text to write if they differ. */
import { TOKEN_PREFIX } from '../../core/limits.ts'
import { ownWords, parseStatus, type StatusContent } from '../../core/token.ts'
import { BlobError } from '../../core/errors.ts'
import { BLIND } from '../../tox/profile/repair.ts'
import { notice, numbersOf, problem, type Finding } from '../../ipc/shapes/doctor.ts'
import type { VerifyResult } from '../../ipc/shapes/judged.ts'
import type { OwnTable, StatusForm } from '../../ipc/shapes/own.ts'
import type { ShownShort, ShownTable, WatchedProfile } from '../../ipc/shapes/profiles.ts'

/** toxic 0.11 writes this in place of the status message when its tmux or screen is detached, and saves it. */
export const TOXIC_AWAY = 'Away from keyboard, be back soon!'
const TOXIC_REMEDY = 'put  ui = { mplex_away=false; };  into toxic.conf'

/** ShownTable, and the time when that table was signed; 0 without a table. */
export type Shown = ShownTable & { readonly timeSec: number }

/**
 * Judges the status message of an own profile.
 * @param judged the daemon's verdict on the same text
 * @param judgeShort the daemon's verdict on a short status in it
 */
export function judgeShown(
  text: string,
  judged: VerifyResult,
  own: OwnTable,
  judgeShort: (encoded: string) => ShownShort | null,
): Shown {
  const { blob } = judged
  if (blob === null) return withoutBlob(text, own, judgeShort)
  const state = stateOf(judged, own)
  // Words behind the token make it a quote, which confirms this device to nobody.
  const isQuoted = state === 'current' && !isLastWord(text)
  return { state: isQuoted ? 'damaged' : state, epoch: blob.epoch, seq: blob.seq, timeSec: blob.timeSec }
}

function withoutBlob(text: string, own: OwnTable, judgeShort: (encoded: string) => ShownShort | null): Shown {
  const unknown = { epoch: null, seq: null, timeSec: 0 }
  const content = contentOf(text)
  if (content?.kind !== 'none') return { state: 'damaged', ...unknown }
  const short = content.short === null ? null : judgeShort(content.short)
  // It leads to the newest table, so it never needs to be written again for a new one.
  if (short === 'current') return { state: short, epoch: own.epoch, seq: own.seq, timeSec: own.timeSec }
  if (short !== null) return { state: short, ...unknown }
  return { state: content.fragment ? 'damaged' : 'none', ...unknown }
}

/** Null for a text with a token that cannot be read. */
function contentOf(text: string): StatusContent | null {
  try {
    return parseStatus(text)
  } catch (error) {
    if (error instanceof BlobError) return null
    throw error
  }
}

/** The form in which an own profile shows the table. Whoever writes it again keeps that form. */
export function formOf(text: string): StatusForm {
  const content = contentOf(text)
  return content?.kind === 'none' && content.short !== null ? 'short' : 'table'
}

function isLastWord(text: string): boolean {
  const content = parseStatus(text)
  return content.kind === 'token' && content.isShown
}

function stateOf({ blob, verdict }: VerifyResult, own: OwnTable): ShownTable['state'] {
  if (blob?.personaId !== own.personaId || verdict === 'violation') return 'other'
  if (verdict === 'refresh') return 'current'
  // If two tables have one number, the head was picked already.
  return verdict === 'stale' || verdict === 'fork' ? 'older' : 'newer'
}

/** Whether to write the own table: if the shown one is lost or older, or has an older signature. */
export function needsWriting(shown: Shown, own: OwnTable, hasShown: boolean): boolean {
  switch (shown.state) {
    case 'older':
    case 'damaged':
      return true
    case 'none':
      // The owner may not want the table in a profile that never showed it.
      return hasShown
    case 'current':
      return shown.timeSec < own.timeSec
    case 'newer':
    case 'other':
    case 'unread':
      return false
  }
}

const FRAGMENT = new RegExp(`(^|[\\t\\n\\v\\f\\r ])${TOKEN_PREFIX}[^\\t\\n\\v\\f\\r ]*`, 'g')

/**
 * The owner's words in a status message, without a token, a fragment of one, or the text that toxic writes by itself.
 * @param before the words of the status message before
 */
export function wordsToKeep(text: string, before: string): string {
  if (text.trim() === TOXIC_AWAY) return before
  // Removes NUL: clients cut the text there, and writing it again would be refused.
  return ownWords(text.replaceAll(FRAGMENT, '$1').replaceAll('\0', '').toWellFormed())
}

/** Describes what happened to the table in an own profile, and the remedy; for the event. */
export function describeLoss(
  path: string,
  text: string,
  state: 'none' | 'damaged',
  isRepaired: boolean,
  seesClients: boolean,
): string {
  const then = !isRepaired
    ? 'close the client, and publish the table into it again'
    : seesClients
      ? 'the daemon writes it back as soon as no Tox client has the profile open'
      : 'the repair service writes it back as soon as no Tox client has the profile open'
  if (state === 'damaged') return `the Tox client has cut off the table in ${path}, so contacts cannot read it; ${then}`
  if (text.trim() !== TOXIC_AWAY) return `the Tox client has replaced the table in ${path} with other words; ${then}`
  return `toxic has replaced the table in ${path} with "${TOXIC_AWAY}"; to prevent that, ${TOXIC_REMEDY}; ${then}`
}

/**
 * The finding for an own profile that does not show the current table; null for one that does.
 * @param text the status message in the profile; it tells what toxic did
 */
export function findingOf(profile: WatchedProfile, text: string): Finding | null {
  const { path, shows, repair } = profile
  const about = { path }
  const then =
    repair === null
      ? 'publish the table into it'
      : repair === BLIND
        ? 'the repair service writes it as soon as no Tox client has the profile open'
        : `the daemon writes it as soon as possible (${repair})`
  switch (shows?.state) {
    case 'older':
      return problem('PROFILE_OLDER', `${path} still shows an older table of yours`, then, {
        ...about,
        ...numbersOf(shows),
      })
    case 'none':
      return text.trim() === TOXIC_AWAY
        ? problem('PROFILE_SHOWS_NONE', `toxic has replaced the table in ${path}`, `${TOXIC_REMEDY}; ${then}`, about)
        : problem('PROFILE_SHOWS_NONE', `${path} is a profile of yours, but shows no table`, then, about)
    case 'damaged':
      return problem('PROFILE_DAMAGED', `the table in ${path} was cut off, so contacts cannot read it`, then, about)
    case 'newer': {
      const message = `${path} shows a table that is newer than the one known here, and was not accepted`
      return notice('PROFILE_NEWER', message, 'inspect the profile', { ...about, ...numbersOf(shows) })
    }
    case 'other':
      return problem(
        'PROFILE_OTHER',
        `${path} is a profile of yours, but shows another persona`,
        'inspect the profile',
        about,
      )
    case 'current':
    case 'unread':
    case undefined:
      return null
  }
}
