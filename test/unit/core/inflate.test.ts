/** The rules of RFC 1951, with one hand-made stream for each. zlib agrees with every verdict. */
import { inflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { BlobError } from '../../../src/core/errors.ts'
import { inflate } from '../../../src/core/inflate.ts'

const NONE = new Uint8Array(0)
const LITERAL_A = '10010001' // 0x61 in the fixed code
const END = '0000000' // symbol 256 in the fixed code

/** The bytes of a stream, given as groups of bits in reading order. */
function stream(...groups: readonly string[]): Uint8Array {
  const bits = groups.join('').replaceAll(' ', '')
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (let i = 0; i < bits.length; i++) if (bits[i] === '1') bytes[i >> 3]! |= 1 << (i & 7)
  return bytes
}

/** A number of `count` bits as DEFLATE writes numbers that are not codes: lowest bit first. */
function field(value: number, count: number): string {
  return value.toString(2).padStart(count, '0').split('').toReversed().join('')
}

/** The header of a final dynamic block. The code lengths 0..15 get codes of four bits each, and repeats get no codes. */
function dynamic(lengths: readonly number[], distances: readonly number[]): string {
  const header = '1' + field(2, 2) + field(lengths.length - 257, 5) + field(distances.length - 1, 5) + field(19 - 4, 4)
  const meta = '000000000' + field(4, 3).repeat(16)
  return header + meta + [...lengths, ...distances].map((length) => length.toString(2).padStart(4, '0')).join('')
}

/** The code lengths of 257 symbols: `lengths` first, and `end` for the end of the block. */
function literals(lengths: readonly number[], end: number): number[] {
  return [...lengths, ...Array.from<number>({ length: 256 - lengths.length }).fill(0), end]
}

function verdict(bytes: Uint8Array, dictionary: Uint8Array, maxBytes: number): string {
  try {
    return Buffer.from(inflate(bytes, dictionary, maxBytes)).toString('latin1')
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

const FIXED = '110' // final, type 1
const accepted: [rule: string, bytes: Uint8Array, output: string][] = [
  ['an empty fixed block', stream(FIXED, END), ''],
  ['a literal', stream(FIXED, LITERAL_A, END), 'a'],
  ['set bits after the end in the last byte', stream(FIXED, END, '111111'), ''],
  ['an empty stored block', Uint8Array.of(1, 0, 0, 0xff, 0xff), ''],
  [
    'a stored block whose header has set bits before the byte boundary',
    Uint8Array.of(0xf9, 1, 0, 0xfe, 0xff, 0x61),
    'a',
  ],
  ['a final block after another block', stream('010', LITERAL_A, END, FIXED, LITERAL_A, END), 'aa'],
  ['a copy that repeats itself', stream(FIXED, LITERAL_A, '0000001', '00000', END), 'aaaa'],
  ['a complete dynamic block', stream(dynamic(literals([1], 1), [0]), '0', '0', '1'), '\0\0'],
  ['an incomplete length code of one bit', stream(dynamic(literals([], 1), [0]), '0'), ''],
  [
    'an incomplete distance code of one bit',
    // Codes: 0 is '10', 256 is '11', 257 (copy 3) is '0'; distance 1 is '0'.
    stream(dynamic([...literals([2], 2), 1], [1]), '10', '0', '0', '11'),
    '\0\0\0\0',
  ],
]

const HEADER = '101' + field(0, 5) + field(0, 5) // final, type 2, 257 length symbols, one distance symbol
const FOUR = '010' // two bits for each of 16, 17, 18 and 1: the codes are 1 '00', 16 '01', 17 '10', 18 '11'
const META = field(18 - 4, 4) + FOUR.repeat(3) + '000'.repeat(14) + FOUR
const zeros = (count: number): string => '11' + field(count - 11, 7)

const refused: [rule: string, bytes: Uint8Array, why: RegExp][] = [
  ['no bytes', NONE, /ends early/],
  ['a block of type 3', Uint8Array.of(7, 0, 0, 0xff, 0xff), /type 3/],
  ['an end in the middle of a code', stream(FIXED, LITERAL_A, '00000').subarray(0, 1), /ends early/],
  ['no final block', stream('010', LITERAL_A, END), /ends early/],
  ['a stored length that does not match its complement', Uint8Array.of(1, 1, 0, 0xff, 0xff, 0x61), /complement/],
  ['a stored block cut short', Uint8Array.of(1, 2, 0, 0xfd, 0xff, 0x61), /ends early/],
  ['length symbol 286', stream(FIXED, '11000110', '00000', END), /a length symbol/],
  ['distance symbol 30', stream(FIXED, LITERAL_A, '0000001', '11110', END), /a distance symbol/],
  ['a distance before the first byte', stream(FIXED, LITERAL_A, '0000001', '00001', END), /before the dictionary/],
  [
    '287 length symbols',
    stream(dynamic([...literals([1], 1), ...Array<number>(30).fill(0)], [0]), '1'),
    /too many symbols/,
  ],
  ['31 distance symbols', stream(dynamic(literals([1], 1), Array<number>(31).fill(0)), '1'), /too many symbols/],
  [
    'an incomplete code of code lengths',
    stream(HEADER, field(0, 4), '100', '000'.repeat(3), '0'.repeat(300)),
    /set of code/,
  ],
  ['an over-subscribed code of code lengths', stream(HEADER, field(0, 4), '100'.repeat(3), '000'), /set of code/],
  ['no code lengths at all', stream(HEADER, field(0, 4), '000'.repeat(4)), /set of code/],
  [
    'a repeat without a length before it',
    stream(HEADER, META, '0100', zeros(138), zeros(115), '00', '00', '0'),
    /without one/,
  ],
  [
    'more code lengths than symbols',
    stream(HEADER, META, zeros(138), zeros(118), '00', '0100', '0'),
    /too many code lengths/,
  ],
  ['no code for the end of the block', stream(dynamic(literals([1, 1], 0), [0]), '0'.repeat(200)), /without an end/],
  ['an over-subscribed length code', stream(dynamic(literals([1, 1], 1), [0]), '0'), /bad set of lengths/],
  ['an incomplete length code of two bits', stream(dynamic(literals([2], 2), [0]), '01'), /bad set of lengths/],
  ['an unused code of the length code', stream(dynamic(literals([], 1), [0]), '1'.repeat(20)), /without a symbol/],
  ['an over-subscribed distance code', stream(dynamic(literals([1], 1), [1, 1, 1]), '1'), /bad set of distances/],
  ['an incomplete distance code of two bits', stream(dynamic(literals([1], 1), [2]), '1'), /bad set of distances/],
  [
    'a distance without distance codes',
    stream(dynamic([...literals([2], 2), 1], [0]), '10', '0', '0', '11', '0'.repeat(20)),
    /without a symbol/,
  ],
]

const trailing: [rule: string, bytes: Uint8Array][] = [
  ['a byte after the end', Uint8Array.of(...stream(FIXED, END), 0)],
  ['a byte after a stored end', Uint8Array.of(1, 0, 0, 0xff, 0xff, 0)],
  ['a second stream after the first', Uint8Array.of(...stream(FIXED, END), ...stream(FIXED, END))],
]

test('valid streams are accepted, as by zlib', () => {
  for (const [rule, bytes, output] of accepted) {
    expect(inflateRawSync(bytes).toString('latin1'), rule).toBe(output)
    expect(verdict(bytes, NONE, 100), rule).toBe(output)
  }
  expect(accepted).toHaveLength(10)
})

test('invalid streams are refused for their one defect, as by zlib', () => {
  for (const [rule, bytes, why] of refused) {
    expect(() => inflate(bytes, NONE, 100), rule).toThrow(why)
    expect(verdict(bytes, NONE, 100), rule).toBe('DEFLATE_INVALID')
    expect(() => inflateRawSync(bytes), rule).toThrow(/./)
  }
  expect(refused).toHaveLength(23)
})

test('bytes after the end are refused, although zlib ignores them', () => {
  for (const [rule, bytes] of trailing) {
    expect(verdict(bytes, NONE, 100), rule).toBe('DEFLATE_TRAILING_BYTES')
    expect(() => inflateRawSync(bytes), rule).not.toThrow()
  }
  expect(trailing).toHaveLength(3)
})

const threeBytesFrom = (distance: string): Uint8Array => stream(FIXED, '0000001', distance, END)

test('a distance may reach the first byte of the dictionary, but not beyond it', () => {
  expect(verdict(threeBytesFrom('00010'), encodeLatin('xyz'), 100)).toBe('xyz')
  expect(verdict(threeBytesFrom('00011'), encodeLatin('xyz'), 100)).toBe('DEFLATE_INVALID')
})

test('a stream may inflate to the limit, but not to one byte more, with literals, copies and stored bytes', () => {
  const literal = stream(FIXED, LITERAL_A, LITERAL_A, END)
  const copy = stream(FIXED, LITERAL_A, '0000001', '00000', END)
  const stored = Uint8Array.of(1, 2, 0, 0xfd, 0xff, 0x61, 0x61)
  for (const [bytes, length] of [
    [literal, 2],
    [copy, 4],
    [stored, 2],
  ] as const) {
    expect(verdict(bytes, NONE, length)).toBe('a'.repeat(length))
    expect(verdict(bytes, NONE, length - 1)).toBe('DEFLATE_TOO_LARGE')
  }
})

test('a bomb is refused at the limit', () => {
  const bomb = stream(FIXED, LITERAL_A, '1100010100000'.repeat(4000), END) // 1 MB
  expect(verdict(bomb, NONE, 2048)).toBe('DEFLATE_TOO_LARGE')
})

test('the next call does not change an earlier output', () => {
  const first = inflate(stream(FIXED, LITERAL_A, END), NONE, 100)
  inflate(stream(FIXED, '10010010', END), NONE, 100)
  expect(Buffer.from(first).toString()).toBe('a')
})

function encodeLatin(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'))
}
