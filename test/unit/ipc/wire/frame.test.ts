import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IpcError } from '../../../../src/ipc/wire/errors.ts'
import {
  FRAME_ENCODING,
  FrameReader,
  MAX_FRAME_BYTES,
  MAX_FRAME_DEPTH,
  formatFrame,
  isFrameTooLarge,
  type Frame,
} from '../../../../src/ipc/wire/frame.ts'

function stream(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString(FRAME_ENCODING)
}

function readAll(reader: FrameReader, chunks: readonly string[]): Frame[] {
  const frames: Frame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let frame = reader.next(); frame !== null; frame = reader.next()) frames.push(frame)
  }
  return frames
}

/** The frames before the error, and the code of the error. */
function outcome(chunks: readonly string[], maxFrameBytes?: number): { count: number; code: string | null } {
  const reader = new FrameReader(maxFrameBytes)
  let count = 0
  try {
    for (const chunk of chunks) {
      reader.push(chunk)
      while (reader.next() !== null) count++
    }
    return { count, code: null }
  } catch (error) {
    if (!(error instanceof IpcError)) throw error
    return { count, code: error.code }
  }
}

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

describe('a FrameReader', () => {
  test('reads back every formatted frame', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 8 }), (type, data) => {
        const parsed: unknown = JSON.parse(JSON.stringify(data))
        expect(readAll(new FrameReader(), [stream(formatFrame(type, data))])).toEqual([{ type, data: parsed }])
      }),
    )
  })

  test('does not depend on how the stream is cut into chunks, also for errors', () => {
    const frame = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }).map((data) => formatFrame('rpc', data)),
      fc.string({ unit: 'binary' }).map((text) => formatFrame('ünï', text)),
      fc.constantFrom('\f', '{\f', '{"type":1}\f', `{"type":"rpc","data":${nested(40)}}\f`, `"${'x'.repeat(300)}"\f`),
    )
    const bytes = fc
      .tuple(fc.array(frame, { maxLength: 6 }), fc.uint8Array({ maxLength: 20 }))
      .map(([frames, tail]) => {
        return stream(Buffer.concat([Buffer.from(frames.join('')), tail]))
      })
    let refused = 0
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(), { maxLength: 12 }), (whole, cuts) => {
        const at = cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b)
        const chunks = [0, ...at].map((from, i) => whole.slice(from, at[i] ?? whole.length))
        const expected = outcome([whole], 256)
        if (expected.code !== null) refused++
        expect(outcome(chunks, 256)).toEqual(expected)
        expect(outcome(whole.split(''), 256)).toEqual(expected)
      }),
      { numRuns: 500 },
    )
    expect(refused).toBeGreaterThan(50)
  })

  test('gives frames or a typed error for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcome([stream(bytes), '\f'])
      }),
    )
  })

  test('can stop between two frames while more bytes come', () => {
    const reader = new FrameReader()
    reader.push(formatFrame('a', 1) + formatFrame('b', 2).slice(0, 5))
    expect(reader.next()?.type).toBe('a')
    reader.push(formatFrame('b', 2).slice(5) + formatFrame('c', 3))
    expect([reader.next()?.type, reader.next()?.type, reader.next()]).toEqual(['b', 'c', null])
  })

  test('counts an unfinished frame in partialBytes, which is 0 between frames', () => {
    const reader = new FrameReader()
    readAll(reader, [formatFrame('a', 1), '{"ty'])
    expect(reader.partialBytes).toBe(4)
    readAll(reader, ['pe":"b"}\f'])
    expect(reader.partialBytes).toBe(0)
  })

  test.each([
    { size: MAX_FRAME_BYTES - 1, code: null },
    { size: MAX_FRAME_BYTES, code: null },
    { size: MAX_FRAME_BYTES + 1, code: 'FRAME_TOO_LARGE' },
  ])('judges a frame of $size bytes: $code', ({ size, code }) => {
    const frame = '{"type":"rpc"}'.padEnd(size, ' ')
    expect(outcome([`${frame}\f`]).code).toBe(code)
    // Refused before the form feed. Otherwise a client that never sends one would fill the memory.
    expect(outcome([frame.slice(0, 70_000), frame.slice(70_000)]).code).toBe(code)
    expect(isFrameTooLarge(`${frame}\f`)).toBe(code !== null)
  })

  test('counts bytes of UTF-8 for the limit, on both sides', () => {
    const frame = formatFrame('rpc', 'ü'.repeat(MAX_FRAME_BYTES / 2))
    expect(isFrameTooLarge(frame)).toBe(true)
    expect(outcome([stream(frame)]).code).toBe('FRAME_TOO_LARGE')
  })

  test.each([
    { depth: MAX_FRAME_DEPTH - 1, code: null },
    { depth: MAX_FRAME_DEPTH, code: 'FRAME_TOO_DEEP' }, // and the envelope is one more
    { depth: 100_000, code: 'FRAME_TOO_DEEP' },
  ])('judges data nested $depth deep: $code', ({ depth, code }) => {
    expect(outcome([`{"type":"rpc","data":${nested(depth)}}\f`]).code).toBe(code)
    const objects = '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)
    expect(outcome([`{"type":"rpc","data":${objects}}\f`]).code).toBe(code)
  })

  test('counts members and elements, but not commas inside a string, up to its limit', () => {
    const read = (data: string): unknown => {
      const reader = new FrameReader(MAX_FRAME_BYTES, 4)
      reader.push(`{"type":"rpc","data":${data}}\f`)
      return reader.next()?.data
    }
    expect(read('[1,[2],",,\\",,,,"]')).toEqual([1, [2], ',,",,,,'])
    for (const data of ['[1,1,1,1]', '{"a":1,"b":[2,3],"c":4}', '[[1,2],[3,4],5]'])
      expect(() => read(data), data).toThrow(expect.objectContaining({ code: 'FRAME_TOO_MANY_VALUES' }) as Error)
  })

  test('does not count brackets inside a string as nesting', () => {
    expect(readAll(new FrameReader(), [formatFrame('rpc', '"\\['.repeat(1000))])).toHaveLength(1)
  })

  test.each([
    { name: 'an overlong form', bytes: [0xc0, 0xaf] },
    { name: 'a surrogate', bytes: [0xed, 0xa0, 0x80] },
    { name: 'a lone continuation', bytes: [0x80] },
    { name: 'a cut sequence', bytes: [0xe2, 0x82] },
    { name: '0xFF', bytes: [0xff] },
  ])('refuses text that is not UTF-8: $name', ({ bytes }) => {
    const frame = Buffer.concat([Buffer.from('{"type":"rpc","data":"'), Buffer.from(bytes), Buffer.from('"}\f')])
    expect(outcome([stream(frame)]).code).toBe('FRAME_NOT_UTF8')
  })

  test.each([
    { frame: '', code: 'FRAME_NOT_JSON' },
    { frame: '{"type":"rpc"', code: 'FRAME_NOT_JSON' },
    { frame: '\u{feff}{"type":"rpc"}', code: 'FRAME_NOT_JSON' },
    { frame: 'null', code: 'FRAME_NOT_ENVELOPE' },
    { frame: '[{"type":"rpc"}]', code: 'FRAME_NOT_ENVELOPE' },
    { frame: '{"data":1}', code: 'FRAME_NOT_ENVELOPE' },
    { frame: '{"type":7,"data":1}', code: 'FRAME_NOT_ENVELOPE' },
    { frame: '{"__proto__":{"type":"rpc"},"data":1}', code: 'FRAME_NOT_ENVELOPE' },
  ])('$code: $frame', ({ frame, code }) => {
    expect(outcome([stream(`${frame}\f`)]).code).toBe(code)
  })

  test('quotes nothing of a frame in an error, since it may hold a passphrase', () => {
    const reader = new FrameReader()
    reader.push('{"passphrase":"hunter2",}\f')
    expect(() => reader.next()).toThrow(/^a frame is not JSON$/)
  })
})

/** Reads a frame with a random text, in a process of its own, whose heap is small, and looks for that text among its live strings. */
const HEAP = `
  import { randomBytes } from 'node:crypto'
  import { getHeapSnapshot } from 'node:v8'
  import { FrameReader } from ${JSON.stringify(new URL('../../../../src/ipc/wire/frame.ts', import.meta.url).href)}
  const secret = Buffer.from(randomBytes(12).toString('hex'))
  const reader = new FrameReader()
  const read = () => {
    reader.push(Buffer.concat([Buffer.from('{"type":"rpc","data":"'), secret, Buffer.from('"}\\f')]).toString('latin1'))
    return reader.next().type
  }
  const type = read()
  // Regular expressions remember the last text that they matched.
  'y'.match(/y/)
  const chunks = []
  for await (const chunk of getHeapSnapshot()) chunks.push(chunk)
  const snapshot = Buffer.concat(chunks)
  process.stdout.write([type, snapshot.includes('getHeapSnapshot'), snapshot.includes(secret), reader.next()].join(' '))
`

test('a reader keeps no reference to a frame that it has given out, which may hold a passphrase', async () => {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', HEAP])
  expect(stdout).toBe('rpc true false ')
})
