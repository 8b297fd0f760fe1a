/** `persona recovery ...`: the 24 words that save the persona after a theft, shown until the owner confirms them (docs/format.md, section 4). */
import { randomInt } from 'node:crypto'
import type { Client } from '../../ipc/client.ts'
import type { ChosenWord } from '../../ipc/methods/own.ts'
import { hasCode, withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { readStdinLines } from '../io/input.ts'
import { askLine, isInteractive, showSecretly } from '../io/prompt.ts'
import { checkPersona } from './checks.ts'
import { obtainWords } from './recovery-words.ts'

const WORD_COUNT = 24
const ASKED_WORDS = 3 // sanity: nobody guesses three words that they did not write down, and three are quickly typed
const MAX_ATTEMPTS = 3 // sanity: after that the notes are wrong, and looking at the words again helps more than typing
const MAX_STDIN_BYTES = 4096 // sanity: 24 lines with a number and a word
const WORDS_A_LINE = 4

export const UNPROTECTED =
  'theft protection is off: a thief of any of your devices could take over the persona; write down the recovery words and confirm them: persona recovery show'

/** On a terminal it shows the words on a screen that it then clears, and asks three back. Elsewhere it prints them. */
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

/** Asks for three words at random places on a terminal. Elsewhere it reads lines of a place and a word from stdin. */
export async function confirm(context: Context): Promise<number> {
  const words = isInteractive() ? null : parseWordLines(await readStdinLines(MAX_STDIN_BYTES))
  await withDaemon(context, async (client) => {
    if (words === null) {
      // If there is nothing to confirm, this fails before anybody has typed.
      await client.call('recovery.show')
      print(context, { confirmed: true }, (await askBack(client)) ? [PROTECTED] : [UNPROTECTED])
      return
    }
    print(context, await client.call('recovery.confirm', { words }), [PROTECTED])
  })
  return EXIT_DONE
}

/** Checks whether the given words belong to this persona. */
export async function check(context: Context, options: { readonly wordsFile?: string }): Promise<number> {
  const result = await withDaemon(context, async (client) => {
    await checkPersona(client)
    return await client.call('recovery.check', { words: await obtainWords(options.wordsFile) })
  })
  print(context, result, [
    result.belongs
      ? 'yes, these are the recovery words of your persona'
      : 'no, these are the recovery words of another persona',
  ])
  return result.belongs ? EXIT_DONE : EXIT_FAILED
}

const PROTECTED = 'confirmed: theft protection is on. The words are now erased from this device; keep your copy safe.'

/** Shows the words, asks three of them back, and returns the outcome in words. Enter leaves it for later. */
export async function rehearse(client: Client, words: readonly string[]): Promise<string[]> {
  const lines = [
    'These 24 recovery words are the key to your persona. Write them on paper, in this order.',
    '',
    ...formatWords(words),
    '',
    'With them you can take your persona back after a theft. Anybody else who has them can take it',
    'from you. Once you confirm that you have them, this device erases them and cannot show them again.',
  ]
  await showSecretly(lines, 'Press Enter when you have written them down: ')
  return (await askBack(client)) ? [PROTECTED] : [UNPROTECTED]
}

/** @returns false if the owner leaves it for later */
async function askBack(client: Client): Promise<boolean> {
  process.stderr.write(`To confirm, type these ${ASKED_WORDS} words (or press Enter to do it later).\n`)
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
      process.stderr.write("Those words don't match. Try again:\n")
    }
  }
}

/** Draws distinct places, ascending. */
function randomPositions(): number[] {
  const positions = new Set<number>()
  while (positions.size < ASKED_WORDS) positions.add(randomInt(1, WORD_COUNT + 1))
  return [...positions].toSorted((a, b) => a - b)
}

/**
 * Parses lines such as `7 abandon`.
 * @throws {CliError} WORDS_WRONG
 */
export function parseWordLines(lines: readonly string[]): ChosenWord[] {
  const words = lines.map((line) => {
    const [, place, word] = /^(\d{1,2})[.:)]?\s+(\p{L}{1,16})$/u.exec(line) ?? []
    const position = Number(place)
    // The error does not repeat the line: it may be a recovery word.
    if (word === undefined || position < 1 || position > WORD_COUNT) {
      throw new CliError('WORDS_WRONG', `each line on stdin needs a place from 1 to ${WORD_COUNT} and a word`)
    }
    return { position, word: normalizeWord(word) }
  })
  if (new Set(words.map(({ position }) => position)).size < ASKED_WORDS) {
    throw new CliError('WORDS_WRONG', `give at least ${ASKED_WORDS} of the words`, {
      hint: 'write each on its own line of stdin with its place, such as "7 abandon"; or use a terminal',
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
