import { expect, test } from 'vitest'
import { CliError } from '../../../../src/cli/io/errors.ts'
import { parseWordLines } from '../../../../src/cli/own/recovery.ts'

function refusal(lines: readonly string[]): CliError {
  try {
    parseWordLines(lines)
  } catch (error) {
    if (error instanceof CliError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('a line is a place and a word, in all common ways to write a list', () => {
  expect(parseWordLines(['1 abandon', '7. Ability', '24)\tABLE', '3: zoo'])).toEqual([
    { position: 1, word: 'abandon' },
    { position: 7, word: 'ability' },
    { position: 24, word: 'able' },
    { position: 3, word: 'zoo' },
  ])
})

test('fewer than three places are refused, also if one place comes three times', () => {
  expect(refusal([]).code).toBe('WORDS_WRONG')
  expect(refusal(['1 a', '2 b']).code).toBe('WORDS_WRONG')
  expect(refusal(['1 a', '1 b', '1 c']).code).toBe('WORDS_WRONG')
})

test('a malformed line is refused, and the error does not repeat it', () => {
  const wrong = ['0 secret', '25 secret', 'secret', '100 secret', '1', '1 secret secret', '1 secret7', '-1 secret']
  expect(wrong).toHaveLength(8)
  for (const line of wrong) {
    const error = refusal(['1 a', '2 b', line, '3 c'])
    expect(error.code).toBe('WORDS_WRONG')
    expect(error.message).not.toContain('secret')
  }
})
