import { describe, expect, test } from 'vitest'
import { WordEntry, wordsIn } from '../../../../src/cli/own/recovery-words.ts'
import { codeOf } from '../../../support/code-of.ts'

const WORDS =
  'legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title'.split(
    ' ',
  )

function entered(lines: readonly string[], nowMs?: () => number): WordEntry {
  const entry = new WordEntry('', nowMs)
  for (const line of lines) entry.take(line)
  return entry
}

describe('recovery words in a text', () => {
  const numbered = WORDS.map((word, i) => `${i + 1}. ${word}`)
  test.each([
    ['on one line', WORDS.join(' ')],
    ['with commas and a final dot', `${WORDS.join(', ')}.`],
    ['in capitals, on lines, with a Windows line end', WORDS.join('\r\n').toUpperCase()],
    ['with numbers', numbered.join(' ')],
    ['with numbers without a space', numbered.join('\n').replaceAll('. ', '.')],
    ['with numbers in brackets', WORDS.map((word, i) => `${i + 1}) ${word};`).join('\n')],
    ['as JSON', JSON.stringify(WORDS)],
    ['in columns, whose numbers give the order', numbered.toSorted().join('  ')],
  ])('are found %s', (_name, text) => {
    expect(wordsIn(text)).toEqual(WORDS)
  })
})

describe('typing the words', () => {
  test('one by one, by 4 letters or more, is done after 24', () => {
    const entry = new WordEntry()
    for (const [i, word] of WORDS.entries()) {
      expect(entry.question.question).toBe(`word ${i + 1} of 24: `)
      const next = entry.take(i % 2 === 0 ? word.slice(0, 4) : ` ${word.toUpperCase()} `)
      expect(next === null).toBe(i === 23)
    }
    expect(entry.words).toEqual(WORDS)
  })

  test('names the place of a word that is not in the list, keeps those before it, and never shows the word', () => {
    const entry = entered(['legal winner thanx year'])
    expect(entry.words).toEqual(['legal', 'winner'])
    const { lines, question } = entry.question
    expect(question).toBe('word 3 of 24: ')
    expect(lines.join('\n')).toContain('Word 3 is not in the list')
    expect(lines.join('\n')).not.toContain('thanx')
  })

  test('drops the rest of a paste after a wrong word, but not what is typed later', () => {
    let nowMs = 0
    const entry = entered(['legal wimmer', 'thank year'], () => nowMs)
    expect(entry.words).toEqual(['legal'])
    nowMs = 1000
    entry.take('winner')
    expect(entry.words).toEqual(['legal', 'winner'])
  })

  test('goes back with <, and takes no more than 24', () => {
    const entry = entered(['legal wave', '<', 'winner'])
    expect(entry.words).toEqual(['legal', 'winner'])
    entry.take(WORDS.slice(2).concat('zoo').join(' '))
    expect(entry.words).toEqual(WORDS)
  })

  test('is cancelled by Enter at the first word, and by Enter twice later', async () => {
    const codeAfter = (lines: string[]): Promise<string> => codeOf(Promise.resolve().then(() => entered(lines)))
    expect(await codeAfter([''])).toBe('CANCELLED')
    expect(entered(['legal', '']).question.lines.join('\n')).toContain('press Enter once more')
    expect(await codeAfter(['legal', '', ''])).toBe('CANCELLED')
    expect(entered(['legal', '', 'winner', '']).words).toEqual(['legal', 'winner'])
  })
})
