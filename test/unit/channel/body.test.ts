import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { controlItem, cutItem, MAX_CONTENT_BYTES, readBody, type Begun } from '../../../src/channel/ratchet/body.ts'
import { MAX_BODY_BYTES, paddedBody } from '../../../src/channel/ratchet/frame.ts'
import { concatBytes, u32be } from '../../../src/core/encoding/bytes.ts'

const begin = (totalBytes: number, length: number): Uint8Array =>
  Uint8Array.of(2, ...u32be(totalBytes), length >> 8, length & 0xff, ...new Uint8Array(length))
const more = (length: number): Uint8Array => Uint8Array.of(3, length >> 8, length & 0xff, ...new Uint8Array(length))
const whole = (length: number): Uint8Array => Uint8Array.of(1, length >> 8, length & 0xff, ...new Uint8Array(length))
const begun: Begun = { totalBytes: 10, haveBytes: 4 }

describe('a body', () => {
  const good: readonly (readonly [name: string, body: Uint8Array, before: Begun | null, after: Begun | null])[] = [
    ['nothing', new Uint8Array(118), null, null],
    ['a whole content', whole(0), null, null],
    ['the beginning of a content', begin(10, 4), null, begun],
    [
      'the beginning of the greatest content',
      begin(MAX_CONTENT_BYTES, 1),
      null,
      { totalBytes: MAX_CONTENT_BYTES, haveBytes: 1 },
    ],
    ['the end of a content, and the next', concatBytes(more(6), whole(3)), begun, null],
    [
      'a control text between the parts of a content',
      concatBytes(controlItem(9, new Uint8Array(5)), more(5)),
      begun,
      { totalBytes: 10, haveBytes: 9 },
    ],
    ['a content that begins and ends', concatBytes(begin(10, 4), more(6)), null, null],
  ]
  it.each(good)('may hold %s', (_name, body, before, after) => {
    expect(readBody(body, before)?.begun).toEqual(after)
  })

  const bad: readonly (readonly [name: string, body: Uint8Array, before: Begun | null])[] = [
    ['an unknown item', Uint8Array.of(5, 0, 0), null],
    ['a length beyond its end', Uint8Array.of(1, 0, 2, 7), null],
    ['an item that is cut', Uint8Array.of(2, 0, 0), null],
    ['other bytes than zeros after its items', Uint8Array.of(0, 0, 1), null],
    ['next bytes of no content', more(1), null],
    ['next bytes of length zero', more(0), begun],
    ['more bytes than were announced', more(7), begun],
    ['a content before the last is complete', whole(1), begun],
    ['a beginning of length zero', begin(10, 0), null],
    ['a beginning that is all', begin(4, 4), null],
    ['a content of more than 64 MiB', begin(MAX_CONTENT_BYTES + 1, 1), null],
  ]
  it.each(bad)('must not hold %s', (_name, body, before) => {
    expect(readBody(body, before)).toBeNull()
  })

  it('of any bytes gives items or null', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (body, isBegun) => {
        const read = readBody(body, isBegun ? begun : null)
        if (read === null) return
        const bytes = read.items.reduce((sum, item) => sum + item.bytes.length, 0)
        expect(bytes).toBeLessThan(body.length + 1)
      }),
    )
  })

  it('gives back a content however it is cut', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.array(fc.integer({ min: 8, max: 900 }), { minLength: 1 }), (length, rooms) => {
        const content = new Uint8Array(length).map((_, i) => i)
        const parts: Uint8Array[] = []
        let [offset, open, turn] = [0, null as Begun | null, 0]
        do {
          const cut = cutItem(content, offset, rooms[turn++ % rooms.length]!)!
          const read = readBody(paddedBody([cut.item]), open)!
          parts.push(...read.items.map(({ bytes }) => bytes))
          offset = cut.offset
          open = read.begun
        } while (offset < length)
        expect([open, Buffer.concat(parts).equals(content)]).toEqual([null, true])
      }),
    )
    expect(cutItem(new Uint8Array(9), 0, 7)).toBeNull()
    expect(cutItem(new Uint8Array(9), 1, 3)).toBeNull()
    expect(cutItem(new Uint8Array(20_000), 0, MAX_BODY_BYTES)!.item.length).toBe(MAX_BODY_BYTES)
  })
})
