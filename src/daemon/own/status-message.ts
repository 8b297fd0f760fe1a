/**
 * The status message that every device of the owner should show: the own words, then the table or a short status. And what a profile that
 * shows a short status leads to (docs/announce.md, section 10).
 */
import { itemSeq } from '../../core/announce/place.ts'
import { readSettings } from '../../core/announce/settings.ts'
import { epochOfKey, formatShort, parseShort, shortOf } from '../../core/announce/short.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Engine } from '../../core/engine.ts'
import { composeWith, formatToken, ownWords } from '../../core/token.ts'
import type { VerifiedBlob } from '../../core/verify.ts'
import type { StatusForm, StatusMessage } from '../../ipc/shapes/own.ts'
import type { ShownShort } from '../../ipc/shapes/profiles.ts'
import { OwnPersonaError } from './errors.ts'
import type { OwnHead } from './sign-table.ts'

/** @throws {KeeperError} NO_PERSONA {OwnPersonaError} RESTORE_UNRECONCILED | OWN_DEVICE_UNLISTED | WORDS_TOO_LONG | NOT_ANNOUNCED */
export function statusMessageOf(head: OwnHead, words: string, form: StatusForm, engine: Engine): StatusMessage {
  head.checkReconciled()
  head.checkListed()
  const token = form === 'short' ? shortToken(head, engine) : formatToken(head.blob.bytes)
  const { text, bytes, bytesOver } = composeWith(words, token)
  if (bytesOver > 0) {
    const hint = 'shorten the words, or leave them out: the token alone fits'
    const message = `words and token are ${bytesOver} bytes over the limit of a status message`
    throw new OwnPersonaError('WORDS_TOO_LONG', message, hint, { bytesOver })
  }
  return { text, bytes, words: ownWords(words), token, table: head.table() }
}

function shortToken(head: OwnHead, engine: Engine): string {
  const short = ownShort(head.blob, engine)
  if (short !== null) return short
  const message = 'your table is not announced, so friends could not find it by a short status'
  throw new OwnPersonaError('NOT_ANNOUNCED', message, 'turn announcements on')
}

/** The word that stands for this table; null while announcements are off, or if its seq is too high for them. */
function ownShort(head: VerifiedBlob, engine: Engine): string | null {
  const short = shortOf(head, engine)
  return short !== null && isPut(head) ? formatShort(short, engine) : null
}

/**
 * Judges the short status of an own profile. null if it is damaged.
 * @param encoded its characters after the prefix
 */
export function judgeOwnShort(encoded: string, head: VerifiedBlob, engine: Engine): ShownShort | null {
  const shown = parseShort(encoded, engine)
  const own = shortOf(head, engine)
  if (shown === null || own === null) return null
  const isRead = equalBytes(shown.readingKey, own.readingKey)
  const epoch = epochOfKey(shown.signingKey, head, engine)
  // A key that follows ours: another device rotated, and kept `read`.
  if (epoch === null) return isRead ? 'newer' : 'other'
  return isRead && epoch === head.epoch && isPut(head) ? 'current' : 'older'
}

function isPut(head: VerifiedBlob): boolean {
  return head.content.ok && readSettings(head.content.document).kind !== null && itemSeq(head) !== null
}
