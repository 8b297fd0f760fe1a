import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { bytesOfLatin1, decodeBencode, encodeBencode, MAX_BENCODE_BYTES, MAX_DEPTH } from '../../../src/dht/bencode.ts'
import { PacketError } from '../../../src/dht/errors.ts'
import { codesOf } from '../../support/error-codes.ts'

function codeOf(text: string): string | null {
  try {
    decodeBencode(bytesOfLatin1(text))
    return null
  } catch (error) {
    if (error instanceof PacketError) return error.code
    throw error
  }
}

const REFUSED: readonly (readonly [code: string, texts: readonly string[]])[] = [
  ['BENCODE_TRUNCATED', ['', 'i', 'i1', 'l', 'd', 'd1:a', '3:ab', '3', 'li1e', '9999:']],
  ['BENCODE_SYNTAX', ['x', '-1:a', 'i-e', 'ie', 'i1.5e', 'i+1e', ':', 'e', 'di1ei2ee', 'i 1e', '1a:b', 'i--1e']],
  [
    'BENCODE_NOT_CANONICAL',
    ['i-0e', 'i01e', 'i00e', 'i-01e', '01:a', '00:', 'd1:bi1e1:ai1ee', 'd1:ai1e1:ai2ee', 'd2:aai1e1:ai1ee'],
  ],
  ['BENCODE_RANGE', ['i9223372036854775808e', 'i-9223372036854775809e', `i${'1'.repeat(30)}e`, '10000:']],
  ['BENCODE_TOO_DEEP', [`${'l'.repeat(MAX_DEPTH + 1)}${'e'.repeat(MAX_DEPTH + 1)}`, 'l'.repeat(2000)]],
  ['BENCODE_TOO_LARGE', ['i'.repeat(MAX_BENCODE_BYTES + 1)]],
  ['BENCODE_TRAILING_BYTES', ['i1ei2e', '1:ab', 'dee', 'i1e\n']],
]

describe('bencode', () => {
  it('writes the examples of BEP 3', () => {
    const examples = [
      ['4:spam', encodeUtf8('spam')],
      ['i3e', 3n],
      ['i-3e', -3n],
      ['i0e', 0n],
      ['l4:spam4:eggse', [encodeUtf8('spam'), encodeUtf8('eggs')]],
      [
        'd3:cow3:moo4:spam4:eggse',
        new Map([
          ['spam', encodeUtf8('eggs')],
          ['cow', encodeUtf8('moo')],
        ]),
      ],
      ['le', []],
      ['de', new Map()],
      ['0:', new Uint8Array()],
      ['i9223372036854775807e', 2n ** 63n - 1n],
      ['i-9223372036854775808e', -(2n ** 63n)],
    ] as const
    for (const [text, value] of examples) {
      expect(encodeBencode(value)).toEqual(encodeUtf8(text))
      expect(decodeBencode(encodeUtf8(text))).toEqual(value)
    }
    expect(examples.length).toBe(11)
  })

  it('accepts no second encoding of a value, and nothing beside a value', () => {
    let ran = 0
    for (const [code, texts] of REFUSED) {
      for (const text of texts) {
        expect(codeOf(text), text.slice(0, 40)).toBe(code)
        ran++
      }
    }
    expect(ran).toBe(42)
    const codes = codesOf('PacketErrorCode', 'dht/errors.ts').filter((code) => code !== 'MESSAGE_SHAPE')
    expect(REFUSED.map(([code]) => code).toSorted()).toEqual(codes.toSorted())
  })

  it('sorts keys by their bytes, and keeps bytes that are not ASCII', () => {
    const value = new Map([
      ['\u00ff', 1n],
      ['a', 2n],
      ['\u0080', 3n],
    ])
    expect(encodeBencode(value)).toEqual(bytesOfLatin1('d1:ai2e1:\u0080i3e1:\u00ffi1ee'))
    expect(decodeBencode(encodeBencode(value))).toEqual(value)
  })

  it('reads as many bytes and levels as the limits say', () => {
    const content = MAX_BENCODE_BYTES - 'l4090:e'.length
    expect(codeOf(`l${content}:${'x'.repeat(content)}e`)).toBeNull()
    expect(codeOf(`l${content + 1}:${'x'.repeat(content + 1)}e`)).toBe('BENCODE_TOO_LARGE')
    expect(codeOf(`${'l'.repeat(MAX_DEPTH)}${'e'.repeat(MAX_DEPTH)}`)).toBeNull()
  })

  it('keeps the value of a chosen key as it travels, canonical or not, and however deep', () => {
    const raws = ['i007e', `${'l'.repeat(1000)}${'e'.repeat(1000)}`, 'd1:bi1e1:ai1ee', '3:abc', 'ld1:x1:yei5ee']
    const keepsRaw = (depth: number, key: string): boolean => depth === 2 && key === 'v'
    for (const raw of raws) {
      const bytes = bytesOfLatin1(`d1:rd1:a1:b1:v${raw}1:zi1eee`)
      const value = decodeBencode(bytes, keepsRaw)
      const inner = new Map<string, unknown>([
        ['a', encodeUtf8('b')],
        ['v', bytesOfLatin1(raw)],
        ['z', 1n],
      ])
      expect(value).toEqual(new Map([['r', inner]]))
      expect(encodeBencode(value, keepsRaw)).toEqual(bytes)
    }
    expect(raws.length).toBe(5)
    for (const cut of ['d1:rd1:vli1e', 'd1:rd1:vi1', 'd1:rd1:v9:a', 'd1:rd1:v']) {
      expect(() => decodeBencode(bytesOfLatin1(cut), keepsRaw), cut).toThrow(PacketError)
    }
  })
})
