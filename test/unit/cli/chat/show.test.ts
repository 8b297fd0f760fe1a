import { expect, test } from 'vitest'
import { formatLine, formatUnsent, type LineView } from '../../../../src/cli/chat/show.ts'
import { columnsOf } from '../../../../src/cli/io/layout.ts'
import { LINE_STATES, type ChatLine } from '../../../../src/ipc/methods/chat.ts'

const NOW_SEC = 1_796_000_000
const LINE: ChatLine = {
  number: 1,
  id: 'a',
  mine: false,
  text: 'hello',
  sentSec: NOW_SEC,
  keptSec: NOW_SEC,
  state: 'there',
  ways: [],
}
const VIEW: LineView = { who: 'Bob', nowSec: NOW_SEC, withMark: true, columns: null }
const shown = (line: Partial<ChatLine>, withMark = true): string[] =>
  formatLine({ ...LINE, ...line }, { ...VIEW, withMark }).map((row) => row.replace(/^[0-9: -]+ (?=you|Bob)/, ''))

test('an own line shows how far it has come, and one of the peer shows who has written it', () => {
  expect(LINE_STATES.flatMap((state) => shown({ mine: true, state }))).toEqual([
    'you: hello [waits here]',
    'you: hello [on its way]',
    'you: hello [there]',
    'you: hello [read]',
  ])
  expect([shown({}), shown({ mine: true }, false)]).toEqual([['Bob: hello'], ['you: hello']])
})

test('a line of another day shows the date, and one from the future at most that of tomorrow', () => {
  const headOf = (sentSec: number): string => formatLine({ ...LINE, sentSec }, VIEW)[0]!
  expect(headOf(NOW_SEC)).toMatch(/^\d\d:\d\d Bob: /)
  expect(headOf(NOW_SEC - 3 * 86_400)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d Bob: /)
  expect(headOf(Number.MAX_SAFE_INTEGER)).toBe(headOf(NOW_SEC + 86_400))
})

test('controls, bidi and invisible characters are shown as escapes, and later rows are set in', () => {
  expect(shown({ text: '\u001b[2J\u202Eabc\u2066\u200B\rx\nsecond\u0007\r\nthird' })).toEqual([
    'Bob: \\u{1B}[2J\\u{202E}abc\\u{2066}\\u{200B}\\u{D}x',
    '    second\\u{7}',
    '    third',
  ])
})

test('no row of a line but the first begins where a line begins, however wide the terminal is', () => {
  const texts = [
    'x'.repeat(300),
    'word '.repeat(60),
    `${'y'.repeat(63)} 12:05 you: yes, I agree`,
    '界'.repeat(99),
    '12:05 you: a\n12:05 you: b',
  ]
  for (const text of texts)
    for (let columns = 20; columns <= 90; columns++) {
      const [first, ...others] = formatLine({ ...LINE, text }, { ...VIEW, columns })
      expect(first).toMatch(/^\d\d:\d\d Bob:/)
      for (const row of [first!, ...others]) expect(columnsOf(row)).toBeLessThanOrEqual(columns)
      for (const row of others) expect(row).toMatch(/^ {4}/)
      expect([first, ...others.map((row) => row.slice(4))].join('').replaceAll(' ', '')).toContain(
        text.split('\n')[0]!.replaceAll(' ', ''),
      )
    }
})

test('a right-to-left text stays as it is', () => {
  expect(shown({ text: 'שלום عليكم' })).toEqual(['Bob: שלום عليكم'])
})

test('a long line is cut at 2000 columns, and says so', () => {
  const [row] = shown({ text: '界'.repeat(65_536) })
  expect(row).toMatch(/^Bob: 界+… \(65536 characters in all; --json has them\)$/)
  expect([...row!].filter((each) => each === '界').length).toBeLessThanOrEqual(1000)
})

test('a chat that ends tells how many lines no way has taken, and nothing if all have left', () => {
  expect(formatUnsent(0)).toEqual([])
  expect([1, 2].flatMap(formatUnsent)).toEqual([
    'not sent yet: 1 line; the daemon sends them as soon as it can',
    'not sent yet: 2 lines; the daemon sends them as soon as it can',
  ])
})
