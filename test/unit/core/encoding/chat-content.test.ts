import { expect, test } from 'vitest'
import { decodeContent, encodeContent, type ChatContent } from '../../../../src/core/encoding/chat-content.ts'

const LINE = { id: 'a-1', text: 'dinner at eight?', sentSec: 7 }
const decode = (members: unknown): ChatContent | null =>
  decodeContent(members instanceof Uint8Array ? members : Buffer.from(JSON.stringify(members)))

test.each<ChatContent>([
  { line: LINE, read: null },
  { line: null, read: 'b-2' },
  { line: LINE, read: 'b-2' },
])('a line, a mark, and a line with a mark go there and back', (content) => {
  expect(decodeContent(encodeContent(content))).toEqual(content)
})

test('members that nobody knows are left aside', () => {
  const members = { chat: 1, line: 'a', sent: 1, text: 'x', color: 'red' }
  expect(decode(members)).toEqual({ line: { id: 'a', text: 'x', sentSec: 1 }, read: null })
})

const GOOD = { chat: 1, line: 'a', sent: 1, text: 'x', read: 'b' }
test.each<[string, unknown]>([
  ['text that is not JSON', Buffer.from('{')],
  ['bytes that are not UTF-8', Buffer.from('{"chat":1,"read":"a","x":"\xff"}', 'latin1')],
  ['a number', 1],
  ['null', null],
  ['another version', { ...GOOD, chat: 2 }],
  ['neither a line nor a mark', { chat: 1 }],
  ['an id with a space', { ...GOOD, line: 'a b' }],
  ['an id of 65 characters', { ...GOOD, line: 'a'.repeat(65) }],
  ['an id that is a number', { ...GOOD, line: 1 }],
  ['a mark that is no id', { ...GOOD, read: '' }],
  ['a text of 65 537 characters', { ...GOOD, text: 'x'.repeat(65_537) }],
  ['no text', { chat: 1, line: 'a', sent: 1 }],
  ['a time before 1970', { ...GOOD, sent: -1 }],
  ['a time with a fraction', { ...GOOD, sent: 1.5 }],
  ['a time that is a text', { ...GOOD, sent: '1' }],
])('%s is neither a line nor a mark', (_, members) => {
  expect(decode(members)).toBeNull()
})
