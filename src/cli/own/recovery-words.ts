/** The 24 recovery words as they are given: typed unseen, or from a file or file descriptor. Never through argv or the environment. */
import { loadEngine } from '../../crypto/load.ts'
import { parseWords } from '../../crypto/seed.ts'
import { CliError } from '../io/errors.ts'
import { readWordsFile } from '../io/input.ts'
import { askSecret, isInteractive } from '../io/prompt.ts'

const MAX_ATTEMPTS = 3 // sanity: then the sheet is wrong, and trying again does not help

/**
 * The words in one text, with nothing between them but spaces: of good spelling and checksum, but whose is for the daemon to say. A
 * string cannot be wiped: it goes with this process.
 * @param file `-` for stdin; undefined asks on the terminal, without showing what is typed
 * @throws {CliError} WORDS_FILE | NO_TERMINAL | CANCELLED @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export async function obtainWords(file: string | undefined): Promise<string> {
  if (file !== undefined) return await checkedWords(await readWordsFile(file))
  if (!isInteractive()) {
    throw new CliError('NO_TERMINAL', 'the recovery words are needed, and there is no terminal to ask for them', {
      hint: 'give them with --words-file FILE (- for stdin, /dev/fd/3 for a file descriptor)',
    })
  }
  for (let attempt = 1; ; attempt++) {
    const typed = await askSecret('The 24 recovery words, in one line and not shown (Enter alone: nothing is done): ')
    if (typed.trim() === '') throw new CliError('CANCELLED', 'cancelled: nothing was done')
    try {
      return await checkedWords(typed)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(error instanceof Error)) throw error
      // It names the place of a word, and no word.
      process.stderr.write(`${error.message}. Once more:\n`)
    }
  }
}

/** Numbers are what `recovery show` prints in front of each word. */
async function checkedWords(text: string): Promise<string> {
  const words = text.replaceAll(/(^|\s)\d{1,2}[.:)]?(?=\s)/g, ' ').trim()
  const engine = await loadEngine()
  engine.wipe(parseWords(words))
  return words.split(/\s+/u).join(' ')
}
