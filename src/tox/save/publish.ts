/** Puts a status message into a profile: the publishing of a blob where no live connection is at hand. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_STATUS_BYTES } from '../../core/limits.ts'
import { ToxError } from './errors.ts'
import { checkLength } from './friends.ts'
import { SECTION_STATUS_MESSAGE, readPublicKey, withSection, type ToxSave } from './savefile.ts'

/**
 * The same profile with this status message, nothing else changed; the client shows it to friends when it next starts.
 * @param text at most MAX_STATUS_BYTES bytes of UTF-8; may be empty
 * @throws {ToxError} TOX_STATUS_TOO_LONG | TOX_TEXT_INVALID | TOX_NO_KEYS | TOX_BAD_KEYS
 */
export function withStatusMessage(save: ToxSave, text: string): ToxSave {
  // A profile without keys would be loaded as a new, empty one: better said here than found out later.
  readPublicKey(save)
  const bytes = encodeToxText(text)
  checkLength('TOX_STATUS_TOO_LONG', 'status message', bytes, MAX_STATUS_BYTES)
  return withSection(save, SECTION_STATUS_MESSAGE, bytes)
}

/**
 * The token must get out whatever the words are: a removal that waits for shorter words would not be one.
 * @param ask the daemon, for the status message with these words; refuses with the code WORDS_TOO_LONG
 */
export async function statusWith<Status>(
  words: string,
  ask: (words: string) => Promise<Status>,
): Promise<{ status: Status; wordsDropped: boolean }> {
  try {
    // What no status message holds, no call should carry.
    if (encodeUtf8(words).length <= MAX_STATUS_BYTES) return { status: await ask(words), wordsDropped: false }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'WORDS_TOO_LONG')) throw error
  }
  return { status: await ask(''), wordsDropped: words !== '' }
}

/**
 * UTF-8 of a text that goes into a profile. A lone surrogate would come out as another text; at a NUL the clients cut.
 * @throws {ToxError} TOX_TEXT_INVALID
 */
export function encodeToxText(text: string): Uint8Array {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new ToxError('TOX_TEXT_INVALID', 'the text holds a NUL or half a character: type it again')
  }
  return encodeUtf8(text)
}
