/** docs/card.md against the code, and docs/read_card.py against the vectors. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CARD } from '../../src/card/card.ts'
import { DEVICE_TOKEN } from '../../src/card/token.ts'
import type { CardVector } from '../generate/card-vectors.ts'
import { VECTORS_DIR } from '../generate/vectors.ts'
import { codesOf } from '../support/error-codes.ts'
import { hasLibsodium } from '../support/python.ts'

const DOC = readFileSync(new URL('../../docs/card.md', import.meta.url), 'utf8')
const READER = new URL('../../docs/read_card.py', import.meta.url).pathname

describe('docs/card.md', () => {
  it('has the headers and sizes of the code', () => {
    for (const { header, maxChars, noun } of [CARD, DEVICE_TOKEN])
      expect(DOC).toContain(`| ${noun} | \`${header}\` | ${maxChars} bytes |`)
  })

  it('lists every error code, and no other', () => {
    const codes = [...codesOf('CardErrorCode', 'card/errors.ts'), ...codesOf('TokenErrorCode', 'card/errors.ts')]
    const listed = [...DOC.matchAll(/`((?:CARD|TOKEN)_[A-Z_]+)`/g)].map(([, code]) => code)
    expect(new Set(listed)).toEqual(new Set(codes))
    expect(codes.length).toBe(17)
  })

  it('lists the verdicts on a card and on a token', () => {
    const words = ['disputed', 'ended', 'accept', 'held', 'fork', 'same', 'stale', 'Request', 'Clock', 'Card', 'good']
    for (const word of words) expect(DOC, word).toMatch(new RegExp(`^\\| .*\`${word}\``, 'm'))
  })
})

describe('docs/read_card.py', () => {
  it.skipIf(!hasLibsodium(READER))('reads the cards of the vectors as we do (needs python3 and libsodium)', () => {
    const files = readdirSync(VECTORS_DIR).filter((file) => file.startsWith('card-'))
    const vectors = files.map((file) => JSON.parse(readFileSync(VECTORS_DIR + file, 'utf8')) as CardVector)
    const lines = execFileSync('python3', [READER, ...files.map((file) => VECTORS_DIR + file)], { encoding: 'utf8' })
    const read = lines
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly card: unknown }).card)
    // The form of single members and the keys of devices are left to its caller.
    const left = new Set(['CARD_MEMBER', 'CARD_KEY'])
    let good = 0
    for (const [i, { name, expect: end }] of vectors.entries()) {
      if ('code' in end) {
        if (!left.has(end.code)) expect(read[i], name).toBeNull()
      } else {
        expect(read[i], name).toEqual(end)
        good++
      }
    }
    expect([read.length, good]).toEqual([41, 6])
  })
})
