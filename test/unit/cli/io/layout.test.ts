import { describe, expect, test } from 'vitest'
import { breakText, columnsOf, countOf, cutText, formatTable, formatTime } from '../../../../src/cli/io/layout.ts'

describe('columns', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['…6D67', 5],
    ['Карол', 5],
    ['日本', 4],
    ['🚀', 2],
    ['👩‍💻', 2],
    ['❤️', 2],
    ['e\u0301', 1],
    ['ｗｉｄｅ', 8],
  ] as const)('%s takes %i', (text, columns) => {
    expect(columnsOf(text)).toBe(columns)
  })

  test('a table is aligned, without spaces at the ends of lines', () => {
    expect(
      formatTable(
        ['NAME', 'KEY', ''],
        [
          ['日本', 'A', 'active'],
          ['laptop', 'BB', ''],
        ],
      ),
    ).toEqual(['NAME    KEY', '日本    A    active', 'laptop  BB'])
  })

  test('a cut text takes the given columns, including the sign of the cut', () => {
    expect(cutText('laptop', 6)).toBe('laptop')
    expect(cutText('laptops', 6)).toBe('lapto…')
    expect(cutText('日本語', 5)).toBe('日本…')
    expect(columnsOf(cutText('日本語', 5))).toBe(5)
  })

  test.each([
    ['a b c', ['a b c']],
    ['one two three four', ['one two', '  three', '  four']],
    ['one two seven', ['one two', '  seven']],
    ['one fourteen', ['one four', '  teen']],
    ['日本語日本語', ['日本語日', '  本語']],
    ['一 二三四五', ['一 二三', '  四五']],
  ])('%s breaks into rows of eight columns, set in by two', (text, rows) => {
    expect(breakText(text, 8, 2)).toEqual(rows)
  })
})

describe('times and counts', () => {
  const now = 1_700_000_000
  const age = (timeSec: number): string => /\((.*)\)/.exec(formatTime(timeSec, now))?.[1] ?? ''

  test.each([
    [0, 'just now'],
    [59, 'just now'],
    [60, '1 minute ago'],
    [119, '1 minute ago'],
    [3599, '59 minutes ago'],
    [3600, '1 hour ago'],
    [86_399, '23 hours ago'],
    [86_400, '1 day ago'],
    [864_000, '10 days ago'],
    [-60, 'in 1 minute'],
    [-7200, 'in 2 hours'],
  ] as const)('%i seconds ago is "%s"', (seconds, text) => {
    expect(age(now - seconds)).toBe(text)
  })

  test('a time is shown in the time zone of the user', () => {
    const date = new Date(now * 1000)
    expect(formatTime(now, now)).toContain(` ${String(date.getHours()).padStart(2, '0')}:`)
    expect(formatTime(now, now)).toMatch(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2} \(just now\)$/)
  })

  test('a missing time is "never", and an impossible time is "not a valid time"', () => {
    expect(formatTime(null, now)).toBe('never')
    expect(formatTime(0, now)).toBe('never')
    expect(formatTime(8_640_000_000_000, now)).toMatch(/^275760-/)
    expect(formatTime(8_640_000_000_001, now)).toBe('not a valid time')
    expect(formatTime(Number.MAX_SAFE_INTEGER, now)).toBe('not a valid time')
  })

  test('a count of one takes the singular', () => {
    expect([0, 1, 2].map((count) => countOf(count, 'device'))).toEqual(['0 devices', '1 device', '2 devices'])
  })
})
