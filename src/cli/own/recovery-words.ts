/** Reads the 24 recovery words: typed word by word, pasted, or from a file or file descriptor. Never from argv or the environment. */
import { loadEngine } from '../../crypto/load.ts'
import { parseWords, SEED_WORDS } from '../../crypto/seed.ts'
import { meantWord, wordsBeginning } from '../../crypto/word-list.ts'
import { CliError, hasCode } from '../io/errors.ts'
import { readWordsFile } from '../io/input.ts'
import { askSecretLines, isInteractive, type LineQuestion } from '../io/prompt.ts'

const PASTE_MS = 100 // sanity: lines of one paste come at once; nobody types so fast
const MAX_ATTEMPTS = 3 // sanity: after that the notes are wrong, and trying again does not help

/**
 * Returns the words in one text, separated by single spaces. Their spelling and checksum are good; the daemon decides whether they
 * belong to its persona. A string cannot be wiped: it goes with this process.
 * @param file `-` for stdin; undefined asks on the terminal
 * @throws {CliError} WORDS_FILE | NO_TERMINAL | CANCELLED @throws {CryptoError} WORDS_COUNT | WORDS_UNKNOWN | WORDS_CHECKSUM
 */
export async function obtainWords(file: string | undefined): Promise<string> {
  if (file !== undefined) return await checkedWords(wordsIn(await readWordsFile(file)))
  if (!isInteractive()) {
    throw new CliError('NO_TERMINAL', 'this needs the recovery words, and there is no terminal to ask for them', {
      hint: 'give them with --words-file FILE (- for stdin, /dev/fd/3 for a file descriptor)',
    })
  }
  let remark = ''
  for (let attempt = 1; ; attempt++) {
    const entry = new WordEntry(remark)
    await askSecretLines(entry.question, (line) => entry.take(line), wordsToOffer)
    try {
      return await checkedWords(entry.words)
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !(error instanceof Error) || !hasCode(error, 'WORDS_CHECKSUM')) throw error
      remark = 'These 24 words do not fit together: one is wrong or in the wrong place. Try again.'
    }
  }
}

/**
 * The words in a text as people keep them: with numbers, commas, dots, on one line or many. If each word has its number, the numbers
 * decide the order.
 */
export function wordsIn(text: string): string[] {
  const plain = text.normalize('NFKD').toLowerCase()
  const numbered = [...plain.matchAll(/(?<![\p{L}\p{N}])(\d{1,2})[\s.:)\]-]*(\p{L}+)/gu)]
  const byPlace = new Map(numbered.map(([, place, word]) => [Number(place), word!]))
  const words = plain.match(/\p{L}+/gu) ?? []
  const isWhole = byPlace.size === SEED_WORDS && words.length === SEED_WORDS
  if (!isWhole) return words
  const ordered = Array.from({ length: SEED_WORDS }, (_, i) => byPlace.get(i + 1))
  return ordered.every((word) => word !== undefined) ? ordered : words
}

const CANCEL_REMARK = 'To cancel, press Enter once more.'

/** Takes the words one by one, or several on a line. A line that holds a wrong word is not taken from that word on. */
export class WordEntry {
  readonly words: string[] = []
  #remark: string
  readonly #nowMs: () => number
  #wrongAtMs = -Infinity

  /** @param remark stands above the first question */
  constructor(remark = '', nowMs: () => number = () => performance.now()) {
    this.#remark = remark
    this.#nowMs = nowMs
  }

  get question(): LineQuestion {
    return {
      lines: [
        'Type the 24 recovery words, one by one, or paste them all.',
        'The first 4 letters are enough; Tab completes; < goes back a word; Enter alone cancels.',
        'Each word disappears at Enter.',
        '',
        this.#remark,
      ],
      question: `word ${this.words.length + 1} of ${SEED_WORDS}: `,
    }
  }

  /** @returns the next question, or null if all words are there @throws {CliError} CANCELLED */
  take(line: string): LineQuestion | null {
    // The rest of a paste whose earlier line held a wrong word.
    if (this.#nowMs() - this.#wrongAtMs < PASTE_MS) return this.question
    const typed = wordsIn(line)
    if (line.trim() === '') return this.#takeEmpty()
    if (line.trim() === '<') this.#goBack()
    else this.#add(typed)
    return this.words.length >= SEED_WORDS ? null : this.question
  }

  /** An empty line among pasted words is not an answer, so after the first word it has to come twice. */
  #takeEmpty(): LineQuestion {
    if (this.words.length > 0 && this.#remark !== CANCEL_REMARK) {
      this.#remark = CANCEL_REMARK
      return this.question
    }
    throw new CliError('CANCELLED', 'cancelled')
  }

  #goBack(): void {
    this.words.pop()
    this.#remark = ''
  }

  #add(typed: readonly string[]): void {
    this.#remark = ''
    for (const text of typed) {
      const place = this.words.length + 1
      const word = meantWord(text)
      if (place > SEED_WORDS) return
      if (word === null) {
        this.#wrongAtMs = this.#nowMs()
        // The error names the place of a word, never the word.
        this.#remark = `Word ${place} is not in the list of recovery words. Type it again.`
        return
      }
      this.words.push(word)
    }
    if (typed.length === 0) this.#remark = 'There is no word on this line.'
  }
}

function wordsToOffer(typed: string): [string[], string] {
  const last = /\p{L}*$/u.exec(typed)![0]
  return [wordsBeginning(last.toLowerCase()), last]
}

async function checkedWords(list: readonly string[]): Promise<string> {
  const words = list.join(' ')
  const engine = await loadEngine()
  engine.wipe(parseWords(words, engine))
  return words
}
