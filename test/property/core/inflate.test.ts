/** Compares the inflater with zlib: the same output for streams of zlib and fflate, the same verdict on damaged streams. */
import { deflateRawSync, inflateRawSync, constants } from 'node:zlib'
import { deflateSync as fflateDeflate } from 'fflate'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { DOCUMENT_DICTIONARY } from '../../../src/core/encoding/dictionary.ts'
import { BlobError } from '../../../src/core/errors.ts'
import { inflate } from '../../../src/core/inflate.ts'

const NO_LIMIT = 1 << 20 // more than any of the short streams below can give
const DAMAGED_STREAMS = Number(process.env['DAMAGED_STREAMS'] ?? 6000)

const levels = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
const strategies = [
  constants.Z_DEFAULT_STRATEGY,
  constants.Z_FILTERED,
  constants.Z_HUFFMAN_ONLY,
  constants.Z_RLE,
  constants.Z_FIXED,
]

/** The verdict of zlib in the inflater's terms: the output as hex, or the code. */
function zlibVerdict(stream: Uint8Array, dictionary: Uint8Array): string {
  try {
    // @types/node does not describe the effect of `info` on the result.
    const result = inflateRawSync(stream, { dictionary, info: true, maxOutputLength: NO_LIMIT }) as unknown as {
      buffer: Buffer
      engine: { bytesWritten: number }
    }
    if (result.engine.bytesWritten < stream.length) return 'DEFLATE_TRAILING_BYTES'
    return result.buffer.toString('hex')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return 'DEFLATE_TOO_LARGE'
    return 'DEFLATE_INVALID'
  }
}

function ownVerdict(stream: Uint8Array, dictionary: Uint8Array, maxBytes: number = NO_LIMIT): string {
  try {
    return Buffer.from(inflate(stream, dictionary, maxBytes)).toString('hex')
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

const words = fc.constantFrom('laptop', 'phone', 'names: [', ',', ']', 'ä', '携帯', 'x', 'Pixel 9', '"', '\\')
const text = fc
  .array(fc.oneof(words, fc.string({ maxLength: 8 })), { maxLength: 60 })
  .map((parts) => Buffer.from(parts.join('')))
const plain = fc.oneof(text, text, fc.uint8Array({ maxLength: 400 }))
const dictionaries = fc.oneof(fc.constant(DOCUMENT_DICTIONARY), fc.uint8Array({ maxLength: 60 }))

const packed = fc
  .record({
    plain,
    dictionary: dictionaries,
    level: fc.constantFrom(...levels),
    strategy: fc.constantFrom(...strategies),
    memLevel: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ plain, dictionary, ...options }) => ({
    plain,
    dictionary,
    stream: deflateRawSync(plain, { ...options, dictionary }),
  }))

test('streams of zlib at any level and strategy inflate to the input', () => {
  fc.assert(
    fc.property(packed, ({ plain, dictionary, stream }) => {
      expect(ownVerdict(stream, dictionary)).toBe(Buffer.from(plain).toString('hex'))
    }),
    { numRuns: 3000 },
  )
})

test('streams of fflate with the dictionary of the format inflate to the input', () => {
  fc.assert(
    fc.property(plain, fc.constantFrom(...levels), (plain, level) => {
      const stream = fflateDeflate(plain, { level: level as 0, dictionary: DOCUMENT_DICTIONARY })
      expect(ownVerdict(stream, DOCUMENT_DICTIONARY)).toBe(Buffer.from(plain).toString('hex'))
    }),
    { numRuns: 1000 },
  )
})

test('a limit of exactly the length accepts, one byte less refuses', () => {
  fc.assert(
    fc.property(packed, ({ plain, dictionary, stream }) => {
      fc.pre(plain.length > 0)
      expect(ownVerdict(stream, dictionary, plain.length)).toBe(Buffer.from(plain).toString('hex'))
      expect(ownVerdict(stream, dictionary, plain.length - 1)).toBe('DEFLATE_TOO_LARGE')
    }),
    { numRuns: 1000 },
  )
})

test('damaged streams get the verdict of zlib, also with bytes after the end', () => {
  const seen = new Map<string, number>()
  let checked = 0
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 })
  const ends = fc.constantFrom('whole', 'whole', 'whole', 'cut', 'longer')
  fc.assert(
    fc.property(packed, fc.array(fc.tuple(damage, ends), { minLength: 12, maxLength: 12 }), (sample, damages) => {
      for (const [flips, ends] of damages) {
        const length = sample.stream.length + (ends === 'cut' ? -1 : ends === 'longer' ? 1 : 0)
        const stream = new Uint8Array(length)
        stream.set(sample.stream.subarray(0, length))
        // The early bits matter most: they hold the block headers and code lengths.
        for (const [at, bit] of flips) stream[at % Math.min(length, at % 2 === 0 ? 40 : length)]! ^= 1 << bit
        const verdict = ownVerdict(stream, sample.dictionary)
        expect(verdict, Buffer.from(stream).toString('hex')).toBe(zlibVerdict(stream, sample.dictionary))
        const kind = verdict.startsWith('DEFLATE') ? verdict : 'accepted'
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
        checked++
      }
    }),
    { numRuns: DAMAGED_STREAMS / 12 },
  )
  expect(checked).toBe(DAMAGED_STREAMS)
  for (const kind of ['accepted', 'DEFLATE_INVALID', 'DEFLATE_TRAILING_BYTES'])
    expect(seen.get(kind) ?? 0).toBeGreaterThan(DAMAGED_STREAMS / 48)
})

test('any bytes get the verdict of zlib', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 20 }), (stream, dictionary) => {
      // Begins with a final bit and a dynamic block (type 2), since random bytes rarely get past those.
      for (const first of [stream[0] ?? 0, 5, 4, 3, 2]) {
        if (stream.length > 0) stream[0] = ((stream[0] ?? 0) & 0xf8) | (first & 7)
        expect(ownVerdict(stream, dictionary)).toBe(zlibVerdict(stream, dictionary))
      }
    }),
    { numRuns: DAMAGED_STREAMS / 12 },
  )
})
