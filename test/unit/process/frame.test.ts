import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  encodeFrame,
  FrameCutter,
  FrameError,
  holdForTurn,
  type Framed,
  type FrameLimits,
} from '../../../src/process/frame.ts'

const LIMITS: FrameLimits = { maxHeadBytes: 1000, maxBodyBytes: 262_144 }

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof FrameError) return error.code
    throw error
  }
}

/** The two lengths that begin a frame. */
function lengths(length: number, headLength: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUInt32BE(length)
  bytes.writeUInt16BE(headLength, 4)
  return bytes
}

const push = (bytes: Uint8Array): Framed<unknown>[] => new FrameCutter(LIMITS).push(bytes)

describe('a stream of frames', () => {
  test('gives the same messages and bytes however it is cut', () => {
    const message = fc.record({ type: fc.string(), text: fc.string({ unit: 'binary', maxLength: 50 }) })
    const frames = fc.array(fc.record({ message, body: fc.uint8Array({ maxLength: 200 }) }), { maxLength: 8 })
    fc.assert(
      fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(({ message, body }) => encodeFrame(message, LIMITS, body)))
        const cutter = new FrameCutter(LIMITS)
        const got: Framed<unknown>[] = []
        for (let at = 0; at < stream.length;) {
          const size = sizes.next().value as number
          got.push(...cutter.push(stream.subarray(at, at + size)))
          at += size
        }
        const written = (frames: readonly Framed<unknown>[]): string =>
          JSON.stringify(frames.map(({ message, body }) => [message, [...body]]))
        expect(written(got)).toBe(written(sent))
      }),
      { numRuns: 300 },
    )
  })

  test('carries a body of 262 144 bytes, and no longer one', () => {
    const body = new Uint8Array(262_144).fill(7)
    const [frame] = push(encodeFrame('x', LIMITS, body))
    expect(Buffer.compare(frame!.body, body)).toBe(0)
    expect(codeOf(() => encodeFrame('x', LIMITS, new Uint8Array(262_145)))).toBe('FRAME_TOO_LARGE')
  })

  test('is refused at an oversized frame as soon as its lengths are read', () => {
    expect(codeOf(() => push(lengths(2 + 1000 + 262_144, 1000)))).toBe('none')
    expect(codeOf(() => push(lengths(2 + 1000 + 262_145, 1000)))).toBe('FRAME_TOO_LARGE')
    expect(codeOf(() => push(lengths(2 + 1001, 1001)))).toBe('FRAME_TOO_LARGE')
    expect(codeOf(() => push(lengths(0xffff_ffff, 1000)))).toBe('FRAME_TOO_LARGE')
    expect(codeOf(() => encodeFrame('x'.repeat(999), LIMITS))).toBe('FRAME_TOO_LARGE')
    expect(codeOf(() => encodeFrame('x'.repeat(998), LIMITS))).toBe('none')
  })

  test('is refused at a frame that is shorter than its head', () => {
    expect(codeOf(() => push(lengths(2 + 10, 10)))).toBe('none')
    expect(codeOf(() => push(lengths(2 + 9, 10)))).toBe('FRAME_INVALID')
    expect(codeOf(() => push(lengths(0, 0)))).toBe('FRAME_INVALID')
  })

  test('is refused at a head that is not JSON', () => {
    expect(codeOf(() => push(Buffer.concat([lengths(2 + 3, 3), Buffer.from('{]}')])))).toBe('FRAME_INVALID')
    expect(codeOf(() => push(lengths(2, 0)))).toBe('FRAME_INVALID')
  })

  test('gives messages or one of our errors for any bytes', () => {
    const codes = new Set<string>()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        codes.add(codeOf(() => push(bytes)))
      }),
    )
    expect([...codes].filter((code) => !['none', 'FRAME_TOO_LARGE', 'FRAME_INVALID'].includes(code))).toEqual([])
    expect(codes.size).toBeGreaterThan(1)
  })

  test('keeps no reference to the bytes that it was given', () => {
    const bytes = encodeFrame('x', LIMITS, Uint8Array.of(1, 2, 3))
    const cutter = new FrameCutter(LIMITS)
    cutter.push(bytes.subarray(0, 5))
    const [frame] = cutter.push(bytes.subarray(5))
    bytes.fill(0)
    expect(frame).toEqual({ message: 'x', body: Uint8Array.of(1, 2, 3) })
  })
})

test('what is written in one turn of the event loop leaves in one piece', async () => {
  const pieces: string[][] = []
  const output = new Writable({
    writev: (chunks, done) => {
      pieces.push(chunks.map(({ chunk }) => String(chunk)))
      done()
    },
  })
  const turn = (...texts: string[]): void => {
    for (const text of texts) {
      holdForTurn(output)
      output.write(text)
    }
  }
  turn('a', 'b')
  await Promise.resolve()
  turn('c')
  expect(pieces).toEqual([])
  await new Promise(setImmediate)
  expect(pieces).toEqual([['a', 'b', 'c']])
  turn('d')
  output.end()
  await finished(output)
  expect(pieces).toEqual([['a', 'b', 'c'], ['d']])
})
