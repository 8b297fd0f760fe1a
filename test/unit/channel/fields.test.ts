/** The fields of a stored state. */
import { expect, it } from 'vitest'
import { Reader, Writer } from '../../../src/channel/exchange/fields.ts'
import { concatBytes, encodeUtf8, u32be } from '../../../src/core/encoding/bytes.ts'

const TEXTS = [
  '',
  'a',
  'folder:0123456789abcdef',
  'Zoë',
  'ë at the begin',
  '漢字',
  '\u{1f511}',
  '\x7f\x80',
  'x'.repeat(9000),
]

it('a text is its UTF-8 after its length, whatever its characters are', () => {
  for (const text of TEXTS) {
    const writer = new Writer()
    writer.texts([text])
    const bytes = encodeUtf8(text)
    expect(writer.whole(), text).toEqual(concatBytes(u32be(1), u32be(bytes.length), bytes))
  }
  const all = new Writer()
  all.texts(TEXTS)
  all.number(7)
  const reader = new Reader(all.whole(), 0)
  expect(reader.texts()).toEqual(TEXTS)
  expect(reader.number()).toBe(7)
  reader.end()
})

it('writers inside of others, and after others, share nothing', () => {
  const wholeOf = (fill: number, bytes: number): Uint8Array => {
    const writer = new Writer()
    writer.bytes(new Uint8Array(bytes).fill(fill))
    return writer.whole()
  }
  for (const bytes of [10, 4000, 5000]) {
    const outer = new Writer()
    outer.u8(1)
    const [first, second] = [wholeOf(2, bytes), wholeOf(3, bytes)]
    outer.bytes(first)
    outer.bytes(second)
    const whole = outer.whole()
    // Nothing that is written later changes a result.
    wholeOf(9, 4000)
    for (const [result, fill] of [
      [first, 2],
      [second, 3],
    ] as const)
      expect(result).toEqual(concatBytes(u32be(bytes), new Uint8Array(bytes).fill(fill)))
    expect(whole).toEqual(concatBytes(Uint8Array.of(1), u32be(first.length), first, u32be(second.length), second))
  }
})

it('a writer whose result was taken is empty', () => {
  const writer = new Writer()
  writer.texts(['one'])
  writer.whole()
  expect(writer.whole()).toEqual(new Uint8Array())
  writer.u8(5)
  expect(writer.whole()).toEqual(Uint8Array.of(5))
})
