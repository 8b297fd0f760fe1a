/** Forms that a client reads and writes: addresses, answers to questions, rights to send, streams. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventReader } from '../../../src/relay/event-stream.ts'
import { readEvent } from '../../../src/relay/read-answer.ts'
import { decodeQuestion, encodeQuestion, formatAnswer, parseAnswer } from '../../../src/relay/question.ts'
import { parseRelayUrl } from '../../../src/relay/relay-url.ts'
import { sendRight } from '../../../src/relay/send-right.ts'
import { hasRight } from '../../../src/relayd/boxes/send-rights.ts'
import { codeOf } from '../../support/code-of.ts'
import { TestOwner } from '../../support/relay-boxes.ts'

const codeOfUrl = async (text: string, hosts?: string[]): Promise<string> =>
  await codeOf(Promise.resolve().then(() => parseRelayUrl(text, hosts)))

test.each([
  ['https://relay.example', 'https://relay.example/', 'https://relay.example'],
  ['https://RELAY.example/', 'https://relay.example/', 'https://relay.example'],
  ['https://relay.example:443/a', 'https://relay.example/a/', 'https://relay.example'],
  ['https://relay.example:1024/a/', 'https://relay.example:1024/a/', 'https://relay.example:1024'],
  ['https://xn--bcher-kva.example', 'https://xn--bcher-kva.example/', 'https://xn--bcher-kva.example'],
])('%s is the address of a relay', (text, url, origin) => {
  expect(parseRelayUrl(text)).toEqual({ url, origin })
})

test.each([
  ['no URL', 'relay.example'],
  ['http', 'http://relay.example'],
  ['another scheme', 'ftp://relay.example'],
  ['a user', 'https://ada@relay.example'],
  ['a password', 'https://ada:secret@relay.example'],
  ['a query', 'https://relay.example/?a'],
  ['an empty query', 'https://relay.example/?'],
  ['a fragment', 'https://relay.example/#a'],
  ['an empty fragment', 'https://relay.example/#'],
  ['a low port', 'https://relay.example:22'],
  ['port 1023', 'https://relay.example:1023'],
  ['a name without a dot', 'https://localhost'],
  ['an IPv4 address', 'https://127.0.0.1'],
  ['an IPv4 address as one number', 'https://2130706433'],
  ['an IPv6 address', 'https://[::1]'],
  ['256 characters', `https://relay.example/${'a'.repeat(234)}`],
])('an address with %s is refused', async (_, text) => {
  expect(await codeOfUrl(text)).toBe('RELAY_URL')
})

test('255 characters are an address', async () => {
  expect(await codeOfUrl(`https://relay.example/${'a'.repeat(233)}`)).toBe('done')
})

test('a host that the owner named may be http, an IP address and have any port', async () => {
  for (const text of ['http://127.0.0.1:80', 'https://127.0.0.1', 'http://127.0.0.1:8787/a']) {
    expect(await codeOfUrl(text, ['127.0.0.1'])).toBe('done')
    expect(await codeOfUrl(text, ['127.0.0.2'])).toBe('RELAY_URL')
  }
  expect(await codeOfUrl('ftp://127.0.0.1', ['127.0.0.1'])).toBe('RELAY_URL')
})

const question = {
  origin: 'https://relay.example',
  pub: 'x',
  exp: 1_700_000_060,
  nonce: 'A'.repeat(22),
  answer: 'A'.repeat(43),
}

test('a question and its answer keep their form', () => {
  expect(decodeQuestion(encodeQuestion(question))).toEqual(question)
  const { nonce, exp, answer } = question
  expect(parseAnswer(formatAnswer(question))).toEqual({ nonce, exp, answer })
})

test('any bytes are a question or none, and never an error', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => decodeQuestion(bytes) === null))
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(decodeQuestion(new TextEncoder().encode(text))).toBeNull()
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => parseAnswer(text) === null))
})

test('a question with a further member is none', () => {
  const more = new TextEncoder().encode(JSON.stringify({ ...question, more: 1 }))
  expect(decodeQuestion(more)).toBeNull()
})

test('client and relay make the same right to send', async () => {
  const { pair } = await TestOwner.of('alice')
  const ext = await sendRight('token', pair.key)
  expect(ext).toHaveLength(22)
  const bytes = Buffer.from(ext, 'base64url')
  expect(hasRight(['other', 'token'], pair.key, bytes)).toBe(true)
  expect(hasRight(['other'], pair.key, bytes)).toBe(false)
  expect(hasRight(['token'], pair.key, bytes.subarray(0, 15))).toBe(false)
  expect(hasRight(['token'], pair.key, null)).toBe(false)
})

test('how a stream is cut into chunks does not matter', () => {
  const text = ': still here\r\n\ndata: {"a":"ü"}\n\ndata:two\ndata: lines\n\nid: 7\nevent: x\n\ndata: open'
  const bytes = new TextEncoder().encode(text)
  const events = ['{"a":"ü"}', 'two\nlines']
  expect(new EventReader().take(bytes)).toEqual(events)
  fc.assert(
    fc.property(fc.array(fc.nat({ max: bytes.length })), (cuts) => {
      const reader = new EventReader()
      const ends = [...cuts, bytes.length].toSorted((a, b) => a - b)
      const read = ends.flatMap((end, i) => reader.take(bytes.subarray(ends[i - 1] ?? 0, end)))
      expect(read).toEqual(events)
    }),
  )
})

test('a reader knows the last id of a stream, which is no event', () => {
  const reader = new EventReader()
  expect([reader.take(new TextEncoder().encode('id: a\n\nid:')), reader.id]).toEqual([[], 'a'])
  expect([reader.take(new TextEncoder().encode('b\ndata: x\n\n')), reader.id]).toEqual([['x'], 'b'])
})

test('an event of a stream is news or a whole message, whose moment is after the one before', () => {
  const given = { pub: 'p', found: true, after: 5, at: 6, data: 'AAAA' }
  const message = { after: 5, at: 6, data: new Uint8Array(3) }
  expect(readEvent(JSON.stringify(given))).toEqual({ pub: 'p', question: null, message })
  expect(readEvent('{"pub":"p","found":true,"question":"q"}')).toEqual({ pub: 'p', question: 'q', message: null })
  for (const wrong of [{ after: 6 }, { after: -1 }, { after: '5' }, { at: '6' }, { data: 'A' }, { data: null }])
    expect(readEvent(JSON.stringify({ ...given, ...wrong }))).toBeNull()
})

test('a line or an event without an end is refused', () => {
  expect(() => new EventReader().take(new Uint8Array(20_481).fill(65))).toThrow(RangeError)
  const lines = new TextEncoder().encode('data: xxxxxxxxxx\n'.repeat(2000))
  expect(() => new EventReader().take(lines)).toThrow(RangeError)
  // A reader that counted the text of these lines alone would join them anew at each of 20 480.
  const [most, more] = [4096, 4097].map((count) => new TextEncoder().encode('data:\n'.repeat(count)))
  expect(() => new EventReader().take(most!)).not.toThrow()
  expect(() => new EventReader().take(more!)).toThrow(RangeError)
})
