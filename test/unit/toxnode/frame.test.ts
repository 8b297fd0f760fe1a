import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LiveError } from '../../../src/toxnode/errors.ts'
import { encodeFrame, FrameCutter, MAX_FRAME_BYTES } from '../../../src/toxnode/frame.ts'
import { checkOrder, checkReport } from '../../../src/toxnode/protocol.ts'

const KEY = 'AB'.repeat(32)

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof LiveError) return error.code
    throw error
  }
}

function head(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

describe('a stream of frames', () => {
  test('gives the same messages however it is cut', () => {
    const messages = fc.array(fc.record({ type: fc.string(), text: fc.string({ unit: 'binary' }) }), { maxLength: 8 })
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(encodeFrame))
        const cutter = new FrameCutter()
        const got: unknown[] = []
        for (let at = 0; at < stream.length;) {
          const size = sizes.next().value as number
          got.push(...cutter.push(stream.subarray(at, at + size)))
          at += size
        }
        expect(got).toEqual(JSON.parse(JSON.stringify(sent)))
      }),
      { numRuns: 300 },
    )
  })

  test('is refused at an oversized frame as soon as its length is read', () => {
    expect(codeOf(() => new FrameCutter().push(head(MAX_FRAME_BYTES)))).toBe('none')
    expect(codeOf(() => new FrameCutter().push(head(MAX_FRAME_BYTES + 1)))).toBe('LIVE_FRAME_TOO_LARGE')
    expect(codeOf(() => new FrameCutter().push(head(0xffff_ffff)))).toBe('LIVE_FRAME_TOO_LARGE')
    expect(codeOf(() => encodeFrame('x'.repeat(MAX_FRAME_BYTES)))).toBe('LIVE_FRAME_TOO_LARGE')
  })

  test('is refused at a frame that is not JSON', () => {
    expect(codeOf(() => new FrameCutter().push(Buffer.concat([head(3), Buffer.from('{]}')])))).toBe(
      'LIVE_FRAME_INVALID',
    )
  })

  test('gives messages or one of our errors for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(['none', 'LIVE_FRAME_TOO_LARGE', 'LIVE_FRAME_INVALID']).toContain(
          codeOf(() => new FrameCutter().push(bytes)),
        )
      }),
    )
  })
})

describe('a message', () => {
  test.each([
    { type: 'ready', key: KEY, dhtKey: KEY, port: 33445, version: '0.2.18' },
    { type: 'status', key: KEY, text: '' },
    { type: 'beat' },
  ])('of the node is accepted when known: $type', (message) => {
    expect(checkReport(message)).toEqual(message)
  })

  test.each([
    null,
    [],
    'beat',
    { type: 'exit' },
    { type: 'beat', more: 1 },
    { type: 'status', key: KEY.toLowerCase(), text: '' },
    { type: 'status', key: KEY, text: 'x'.repeat(1017) },
    { type: 'status', key: KEY },
    { type: 'friend', key: KEY, connection: 'both' },
    { type: 'refused', key: KEY, error: -1 },
    JSON.parse('{"type":"beat","__proto__":{"x":1}}') as unknown,
  ])('of the node is refused when unknown, without quoting it: %j', (message) => {
    expect(codeOf(() => checkReport(message))).toBe('LIVE_FRAME_INVALID')
    expect(() => checkReport(message)).toThrow('a frame holds an unknown message')
  })

  test.each([
    { type: 'show', text: 'hello' },
    { type: 'add', key: KEY, request: null },
    { type: 'add', key: KEY, request: { toxId: `${KEY}000000010000`, text: 'hello' } },
  ])('of the daemon is checked by the node too: %j', (message) => {
    expect(checkOrder(message)).toEqual(message)
    expect(codeOf(() => checkOrder({ ...message, key: 'x' }))).toBe('LIVE_FRAME_INVALID')
  })

  test('with the longest text fits a frame, whatever its characters', () => {
    const text = '\u0001'.repeat(1016)
    const request = { toxId: 'A'.repeat(76), text }
    const [message] = new FrameCutter().push(encodeFrame({ type: 'add', key: KEY, request }))
    expect(checkOrder(message)).toMatchObject({ request })
  })
})
