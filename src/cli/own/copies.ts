/** Copies of status messages that lie in files: texts, JSON or YAML of other commands, Tox profiles. What they are is for the daemon to judge. */
import { decodeUtf8 } from '../../core/encoding/bytes.ts'
import { MAX_TOKEN_CHARS, MIN_TOKEN_CHARS, TOKEN_PREFIX } from '../../core/limits.ts'
import { readFriends } from '../../tox/save/friends.ts'
import { readBoundedFile } from '../../tox/profile/read-file.ts'
import { readStatusMessage } from '../../tox/save/savefile.ts'
import { readStdin } from '../io/input.ts'
import type { ProfileOpener } from '../tox/open.ts'

const MAX_COPIES_BYTES: number = 32 << 20 // sanity: a Tox profile of 10 000 friends
const MAX_STDIN_BYTES: number = 1 << 20 // sanity: a thousand status messages
// Also within quotes, as JSON and YAML have it: a token that was joined to something is refused by the daemon.
const TOKENS = new RegExp(`${TOKEN_PREFIX}[A-Za-z0-9_-]{${MIN_TOKEN_CHARS},${MAX_TOKEN_CHARS}}`, 'g')

/**
 * The tokens in files, each once.
 * @param files paths, `-` for stdin
 * @param open for those that are Tox profiles
 * @throws {ToxError} what keeps a file from being read @throws {CliError} INPUT_TOO_LONG | INPUT_NOT_UTF8
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
  // A profile begins with zeros or, encrypted, with bytes that are hardly ever text; one that is has no tokens in it.
  if (text !== null && !text.includes('\0') && !text.startsWith('toxEsave')) return [text]
  const { save } = (await open(file)).profile
  return [readStatusMessage(save).text, ...readFriends(save).friends.map(({ statusMessage }) => statusMessage.text)]
}
