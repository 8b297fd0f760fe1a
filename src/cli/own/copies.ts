/** Finds copies of status messages in files: texts, output of other commands (JSON, YAML), Tox profiles. The daemon judges them. */
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_TOKEN_CHARS, MIN_TOKEN_CHARS, TOKEN_PREFIX } from '../../core/limits.ts'
import { readFriends } from '../../tox/save/friends.ts'
import { readBoundedFile } from '../../tox/profile/read-file.ts'
import { readStatusMessage } from '../../tox/save/savefile.ts'
import { readStdin } from '../io/input.ts'
import type { ProfileOpener } from '../tox/open.ts'

const MAX_COPIES_BYTES: number = 32 << 20 // sanity: a Tox profile of 10 000 friends
const MAX_STDIN_BYTES: number = 1 << 20 // sanity: a thousand status messages
// Also matches within the quotes of JSON and YAML. The daemon refuses a token that runs into other text.
const TOKENS = new RegExp(`${TOKEN_PREFIX}[A-Za-z0-9_-]{${MIN_TOKEN_CHARS},${MAX_TOKEN_CHARS}}`, 'g')

/**
 * Returns each token in the files once.
 * @param files paths, `-` for stdin
 * @param open opens files that are Tox profiles
 * @throws {ToxError} a file cannot be read @throws {CliError} INPUT_TOO_LONG | INPUT_NOT_UTF8
 */
export async function readCopies(files: readonly string[], open: ProfileOpener): Promise<string[]> {
  const tokens = new Set<string>()
  for (const file of files) {
    const texts = file === '-' ? [await readStdin(MAX_STDIN_BYTES)] : await textsOf(file, open)
    for (const text of texts) for (const [token] of text.matchAll(TOKENS)) tokens.add(token)
  }
  return [...tokens]
}

async function textsOf(file: string, open: ProfileOpener): Promise<string[]> {
  const { bytes } = await readBoundedFile(file, MAX_COPIES_BYTES)
  const text = decodeUtf8(bytes)
  // A profile begins with zeros. An encrypted one begins with toxEsave, and is hardly ever valid text.
  if (text !== null && !text.includes('\0') && !text.startsWith('toxEsave')) return [text]
  const { save } = (await open(file)).profile
  return [readStatusMessage(save).text, ...readFriends(save).friends.map(({ statusMessage }) => statusMessage.text)]
}
