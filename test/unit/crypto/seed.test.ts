import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, formatHex, parseHex } from '../../../src/core/encoding/bytes.ts'
import * as labels from '../../../src/core/labels.ts'
import { CryptoError } from '../../../src/crypto/errors.ts'
import { portableEngine } from '../../../src/crypto/portable.ts'
import { LABEL_SEAL } from '../../../src/crypto/seal.ts'
import { LABEL_SIGN, deriveSigningSeed, formatWords, parseWords } from '../../../src/crypto/seed.ts'
import { loadSodiumEngine } from '../../../src/crypto/sodium.ts'

const ENGINES = [loadSodiumEngine(), portableEngine]
const COUNTING = Uint8Array.from({ length: 32 }, (_, i) => i)
const ONES = new Uint8Array(32).fill(0xff)

function thrownBy(act: () => unknown): CryptoError {
  try {
    act()
  } catch (error) {
    if (error instanceof CryptoError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

function codeOf(act: () => unknown): string {
  return thrownBy(act).code
}

function repeat(words: string, times: number): string {
  return `${words} `.repeat(times).trim()
}

describe('deriveSigningSeed', () => {
  // Computed in Python 3 with hmac and hashlib: PRK = HMAC(64 zero bytes, seed), seed of K_i = HMAC(PRK, info || 01)[:32].
  const vectors: [Uint8Array, number, string][] = [
    [COUNTING, 0, 'A930EAB84B45BC70A0A2CED1C3BF5C2E578D19E6DC14C8D7F8334C9D6B956A99'],
    [COUNTING, 1, '7ECAC1BA80404A37C51E3F254A0447CA5A09BD7EE499FA5718C760CE108A7895'],
    [COUNTING, 16, 'E9C1CCF8B526EDC9EE1A24E51FE74054C27EC61053A7041821E1E8CB6FBE3DA4'],
    [ONES, 0, 'CDA61A606F1C5D1DC23A319DEFD4539796172A81F582B68F0A92B0575A5110CF'],
    [ONES, 1, 'B8745688AB63B1A25AC4A7A399AF530DA7E7A9EA3FB589833D204AC22D2E2AD4'],
    [ONES, 16, '57E318790ADDE389548B8904C153498F7BD1D4B8728870CB94C5A9E658B1DBB9'],
  ]

  it('agrees with another implementation of RFC 5869', () => {
    let ran = 0
    for (const [seed, epoch, expected] of vectors) {
      for (const engine of ENGINES) {
        expect(formatHex(deriveSigningSeed(seed, epoch, engine))).toBe(expected)
        ran++
      }
    }
    expect(ran).toBe(12)
  })

  it('accepts only epochs 0 to 16 and seeds of 32 bytes', () => {
    for (const epoch of [-1, 17, 0.5, Number.NaN, 2 ** 32]) {
      expect(codeOf(() => deriveSigningSeed(COUNTING, epoch, portableEngine))).toBe('EPOCH_RANGE')
    }
    for (const length of [0, 31, 33]) {
      expect(codeOf(() => deriveSigningSeed(new Uint8Array(length), 0, portableEngine))).toBe('ARGUMENT_LENGTH')
      expect(codeOf(() => formatWords(new Uint8Array(length)))).toBe('ARGUMENT_LENGTH')
    }
  })

  it('does not change the seed', () => {
    const seed = COUNTING.slice()
    deriveSigningSeed(seed, 3, portableEngine)
    expect(seed).toEqual(COUNTING)
  })
})

describe('the labels', () => {
  it('are never prefixes of each other, including those of this folder', () => {
    const all = [...Object.values(labels), LABEL_SIGN, LABEL_SEAL].map((label) => formatHex(label))
    expect(all.length).toBeGreaterThanOrEqual(7)
    for (const [i, one] of all.entries()) {
      for (const [k, other] of all.entries()) if (i !== k) expect(other.startsWith(one)).toBe(false)
    }
    expect(LABEL_SIGN).toEqual(encodeUtf8('personad/v1/sign'))
  })
})

describe('the recovery words', () => {
  // The 256-bit vectors of the reference implementation of BIP-39.
  const vectors: [string, string][] = [
    ['00'.repeat(32), `${repeat('abandon', 23)} art`],
    [
      '7F'.repeat(32),
      `${repeat('legal winner thank year wave sausage worth useful', 2)} legal winner thank year wave sausage worth title`,
    ],
    [
      '80'.repeat(32),
      `${repeat('letter advice cage absurd amount doctor acoustic avoid', 2)} letter advice cage absurd amount doctor acoustic bless`,
    ],
    ['FF'.repeat(32), `${repeat('zoo', 23)} vote`],
    [
      'F585C11AEC520DB57DD353C69554B21A89B20FB0650966FA0A9D6F74FD989D8F',
      'void come effort suffer camp survey warrior heavy shoot primary clutch crush open amazing screen patrol group space point ten exist slush involve unfold',
    ],
  ]

  it('agree with BIP-39', () => {
    for (const [seed, words] of vectors) {
      expect(formatWords(parseHex(seed)!).join(' ')).toBe(words)
      expect(formatHex(parseWords(words))).toBe(seed)
    }
    expect(vectors).toHaveLength(5)
  })

  it('give the seed back, in any case and with any white space', () => {
    const seed = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const space = fc.constantFrom(' ', '  ', '\n', '\t', '\r\n', '\u3000', '\u00A0')
    fc.assert(
      fc.property(seed, space, fc.boolean(), (seed, space, upper) => {
        const words = space + formatWords(seed).join(space) + space
        expect(parseWords(upper ? words.toUpperCase() : words)).toEqual(seed)
      }),
    )
  })

  it('are refused if there are not 24', () => {
    const words = formatWords(COUNTING)
    for (const count of [0, 1, 12, 23])
      expect(codeOf(() => parseWords(words.slice(0, count).join(' ')))).toBe('WORDS_COUNT')
    expect(codeOf(() => parseWords([...words, 'zoo'].join(' ')))).toBe('WORDS_COUNT')
  })

  it('are refused with the position of an unknown word, and the error quotes no word', () => {
    let ran = 0
    for (let at = 0; at < 24; at++, ran++) {
      const words = formatWords(COUNTING)
      words[at] = 'notaword'
      const error = thrownBy(() => parseWords(words.join(' ')))
      expect(error.code).toBe('WORDS_UNKNOWN')
      expect(error.message).toBe(`word ${at + 1} is not in the list of recovery words; check its spelling`)
      expect(error.cause).toBeUndefined()
    }
    expect(ran).toBe(24)
  })

  it('are refused if two of them are swapped or one is wrong', () => {
    const words = formatWords(COUNTING)
    const exchanged = [words[1]!, words[0]!, ...words.slice(2)]
    const error = thrownBy(() => parseWords(exchanged.join(' ')))
    expect(error.code).toBe('WORDS_CHECKSUM')
    expect(error.cause).toBeUndefined()
    expect(codeOf(() => parseWords(repeat('abandon', 24)))).toBe('WORDS_CHECKSUM')
  })
})
