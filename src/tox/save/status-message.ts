/** Writes a status message into a profile: how a table is published without a live connection. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { ToxError } from './errors.ts'
import { checkLength } from './friends.ts'
import { SECTION_STATUS_MESSAGE, readPublicKey, withSection, type ToxSave } from './savefile.ts'

/**
 * Replaces the status message and nothing else. The client shows it to friends at its next start.
 * @param text at most MAX_STATUS_BYTES bytes of UTF-8; may be empty
 * @throws {ToxError} TOX_STATUS_TOO_LONG | TOX_TEXT_INVALID | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withStatusMessage(save: ToxSave, text: string): ToxSave {
  // libtoxcore loads a profile without keys as a new, empty one: better to refuse it now.
  readPublicKey(save)
  const bytes = encodeToxText(text)
  checkLength('TOX_STATUS_TOO_LONG', 'status message', bytes, MAX_STATUS_BYTES)
  return withSection(save, SECTION_STATUS_MESSAGE, bytes)
}

/**
 * Asks for a status message with these words, and again without them if they do not fit. The token must be published
 * whatever the words are: a removed device must not stay until somebody shortens the words.
 * @param ask asks the daemon for a status message with these words; refuses with the code WORDS_TOO_LONG
 * @throws whatever else `ask` throws
 */
export async function statusWith<Status>(
  words: string,
  ask: (words: string) => Promise<Status>,
): Promise<{ status: Status; wordsDropped: boolean }> {
  try {
    // Words longer than a whole status message cannot fit: skip the call.
    if (encodeUtf8(words).length <= MAX_STATUS_BYTES) return { status: await ask(words), wordsDropped: false }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'WORDS_TOO_LONG')) throw error
  }
  return { status: await ask(''), wordsDropped: words !== '' }
}

/**
 * Encodes a text for a profile as UTF-8. Refuses a lone surrogate, which would become another text, and a NUL, where
 * clients cut.
 * @throws {ToxError} TOX_TEXT_INVALID
 */
export function encodeToxText(text: string): Uint8Array {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new ToxError('TOX_TEXT_INVALID', 'the text contains a NUL or half a character: type it again')
  }
  return encodeUtf8(text)
}
