/** Reads the 24 recovery words: typed unseen, or from a file or file descriptor. Never from argv or the environment. */
import { loadEngine } from '../../crypto/load.ts'
import { parseWords } from '../../crypto/seed.ts'
import { CliError } from '../io/errors.ts'
import { readWordsFile } from '../io/input.ts'
import { askSecret, isInteractive } from '../io/prompt.ts'

const MAX_ATTEMPTS = 3 // sanity: after that the notes are wrong, and trying again does not help

/**
 * Returns the words in one text, separated by single spaces. Their spelling and checksum are good; the daemon decides whether they
 * belong to its persona. A string cannot be wiped: it goes with this process.
 * @param file `-` for stdin; undefined asks on the terminal, without showing what is typed
 * @throws {CliError} WORDS_FILE | NO_TERMINAL | CANCELLED @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export async function obtainWords(file: string | undefined): Promise<string> {
  if (file !== undefined) return await checkedWords(await readWordsFile(file))
  if (!isInteractive()) {
    throw new CliError('NO_TERMINAL', 'this needs the recovery words, and there is no terminal to ask for them', {
      hint: 'give them with --words-file FILE (- for stdin, /dev/fd/3 for a file descriptor)',
    })
  }
  for (let attempt = 1; ; attempt++) {
    const typed = await askSecret('Type the 24 recovery words on one line; they stay hidden (Enter alone cancels): ')
    if (typed.trim() === '') throw new CliError('CANCELLED', 'cancelled')
    try {
      return await checkedWords(typed)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(error instanceof Error)) throw error
      // The error names the place of a word, never the word.
      process.stderr.write(`${error.message}. Try again:\n`)
    }
  }
}

/** Drops the number that `recovery show` prints before each word. */
async function checkedWords(text: string): Promise<string> {
  const words = text.replaceAll(/(^|\s)\d{1,2}[.:)]?(?=\s)/g, ' ').trim()
  const engine = await loadEngine()
  engine.wipe(parseWords(words))
  return words.split(/\s+/u).join(' ')
}
