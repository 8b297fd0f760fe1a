/** `persona recovery ...`: the 24 words that make the persona survive a theft, shown until they were confirmed (docs/format.md, section 4). */
import { randomInt } from 'node:crypto'
import type { Client } from '../../ipc/client.ts'
import type { ChosenWord } from '../../ipc/methods/own.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { readStdinLines } from '../io/input.ts'
import { askLine, isInteractive, showSecretly } from '../io/prompt.ts'
import { obtainWords } from './recovery-words.ts'

const WORD_COUNT = 24
const ASKED_WORDS = 3 // sanity: a guess of three words by somebody who did not write them down is hopeless, and three are quickly typed
const MAX_ATTEMPTS = 3 // sanity: then the notes are wrong, and looking at the words again helps more than typing
const MAX_STDIN_BYTES = 4096 // sanity: 24 lines with a number and a word
const WORDS_A_LINE = 4

export const UNPROTECTED =
  'theft protection is off: a thief of any of your devices could take over the persona; write down the recovery words and confirm them: persona recovery show'

/** On a terminal the words are shown on a screen that is gone afterwards, and three are asked back; elsewhere they are printed. */
export async function show(context: Context): Promise<number> {
  await withDaemon(context, async (client) => {
    const { words, confirmed } = await client.call('recovery.show')
    if (context.json || !isInteractive() || !process.stdout.isTTY) {
      print(context, { words, confirmed }, formatWords(words))
      return
    }
    print(context, null, await rehearse(client, words))
  })
  return EXIT_DONE
}

/** Three words at random places on a terminal; elsewhere lines of a place and a word on stdin. */
export async function confirm(context: Context): Promise<number> {
  const words = isInteractive() ? null : parseWordLines(await readStdinLines(MAX_STDIN_BYTES))
  await withDaemon(context, async (client) => {
    if (words === null) {
      // Where there is nothing to confirm it says so before anybody has typed.
      await client.call('recovery.show')
      print(context, { confirmed: true }, (await askBack(client)) ? [PROTECTED] : [UNPROTECTED])
      return
    }
    print(context, await client.call('recovery.confirm', { words }), [PROTECTED])
  })
  return EXIT_DONE
}

/** Whether words that somebody has written down are those of this persona. */
export async function check(context: Context, options: { readonly wordsFile?: string }): Promise<number> {
  const words = await obtainWords(options.wordsFile)
  const result = await withDaemon(context, (client) => client.call('recovery.check', { words }))
  print(context, result, [
    result.belongs
      ? 'yes: these are the recovery words of your persona'
      : 'no: these words are well formed, but not those of your persona',
  ])
  return result.belongs ? EXIT_DONE : EXIT_FAILED
}

const PROTECTED = 'confirmed: theft protection is on, and the words are no longer on this device'

/** Shows the words, asks three of them back, and says what follows from the answer. Enter leaves it for later. */
export async function rehearse(client: Client, words: readonly string[]): Promise<string[]> {
  const lines = [
    'These 24 words are your persona itself. Write them down, in this order, on paper.',
    '',
    ...formatWords(words),
    '',
    'Who has them can take the persona back from a thief, or take it from you. They are shown',
    'until you confirm that you have them, and never again; nobody can give them to you anew.',
  ]
  await showSecretly(lines, 'Press Enter when they are written down: ')
  return (await askBack(client)) ? [PROTECTED] : [UNPROTECTED]
}

/** @returns false when the question was left unanswered */
async function askBack(client: Client): Promise<boolean> {
  process.stderr.write(`To confirm, type ${ASKED_WORDS} of the words (Enter alone: later).\n`)
  for (let attempt = 1; ; attempt++) {
    const words: ChosenWord[] = []
    for (const position of randomPositions()) {
      const word = await askLine(`  word ${position}: `)
      if (word.trim() === '') return false
      words.push({ position, word: normalizeWord(word) })
    }
    try {
      await client.call('recovery.confirm', { words })
      return true
    } catch (error) {
      if (!hasCode(error, 'RECOVERY_MISMATCH') || attempt === MAX_ATTEMPTS) throw error
      process.stderr.write('That is not what the words are. Once more:\n')
    }
  }
}

/** Distinct places, ascending. */
function randomPositions(): number[] {
  const positions = new Set<number>()
  while (positions.size < ASKED_WORDS) positions.add(randomInt(1, WORD_COUNT + 1))
  return [...positions].toSorted((a, b) => a - b)
}

/**
 * Lines such as `7 abandon`.
 * @throws {CliError} WORDS_WRONG
 */
export function parseWordLines(lines: readonly string[]): ChosenWord[] {
  const words = lines.map((line) => {
    const [, place, word] = /^(\d{1,2})[.:)]?\s+(\p{L}{1,16})$/u.exec(line) ?? []
    const position = Number(place)
    // The line itself is not repeated: it may be a word.
    if (word === undefined || position < 1 || position > WORD_COUNT) {
      throw new CliError('WORDS_WRONG', `a line on stdin is not a place from 1 to ${WORD_COUNT} and a word`)
    }
    return { position, word: normalizeWord(word) }
  })
  if (new Set(words.map(({ position }) => position)).size < ASKED_WORDS) {
    throw new CliError('WORDS_WRONG', `give at least ${ASKED_WORDS} of the words`, {
      hint: 'on stdin, a line each: the place and the word, such as "7 abandon"; or run this on a terminal',
    })
  }
  return words
}

function normalizeWord(word: string): string {
  return word.trim().toLowerCase()
}

function formatWords(words: readonly string[]): string[] {
  const cells = words.map((word, i) => `${String(i + 1).padStart(2)} ${word}`.padEnd(14))
  const lines: string[] = []
  for (let at = 0; at < cells.length; at += WORDS_A_LINE)
    lines.push(
      cells
        .slice(at, at + WORDS_A_LINE)
        .join('')
        .trimEnd(),
    )
  return lines
}
