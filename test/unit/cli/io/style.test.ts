import { afterEach, expect, test } from 'vitest'
import { chooseColor, isStyled, red } from '../../../../src/cli/io/style.ts'

afterEach(() => chooseColor('auto'))

const TERMINAL = { isTTY: true }
const PIPE = { isTTY: false }

test('colours are for terminals, and NO_COLOR and a dumb terminal have none', () => {
  expect(isStyled(TERMINAL, {})).toBe(true)
  expect(isStyled(TERMINAL, { NO_COLOR: '' })).toBe(true)
  expect(isStyled(PIPE, {})).toBe(false)
  expect(isStyled(TERMINAL, { NO_COLOR: '1' })).toBe(false)
  expect(isStyled(TERMINAL, { TERM: 'dumb' })).toBe(false)
})

test('--color decides over the terminal and NO_COLOR', () => {
  chooseColor('always')
  expect(isStyled(PIPE, { NO_COLOR: '1' })).toBe(true)
  expect(red('x', PIPE)).toBe('\x1b[31mx\x1b[39m')
  chooseColor('never')
  expect(red('x', TERMINAL)).toBe('x')
})
