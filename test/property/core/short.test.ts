/** Short statuses: what is written is read again, in both engines; any other text gives none, and nothing throws. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatShort, isNamedBy, parseShort, shortOf, type ShortStatus } from '../../../src/core/announce/short.ts'
import { readingKey } from '../../../src/core/announce/place.ts'
import { formatRead } from '../../../src/core/announce/settings.ts'
import { SHORT_CHARS, TOKEN_PREFIX } from '../../../src/core/limits.ts'
import { composeWith, ownWords, parseStatus } from '../../../src/core/token.ts'
import { ENGINES, makePersona, makeVerified, sodium } from '../../support/made-persona.ts'

const ada = makePersona(1)
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const shorts: fc.Arbitrary<ShortStatus> = fc.record({
  signingKey: fc.nat(16).map((epoch) => ada.positions[epoch]!.signingKey),
  readingKey: bytes32,
})
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const words = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => ownWords(text.replaceAll('persona:', '')))

function read(text: string): ShortStatus | null {
  const content = parseStatus(text)
  return content.kind === 'none' && content.short !== null ? parseShort(content.short, sodium) : null
}

describe('a short status', () => {
  it('has the same characters from both engines, always as many, and is read again with its words', () => {
    fc.assert(
      fc.property(shorts, words, (short, own) => {
        const [one, two] = ENGINES.map((engine) => formatShort(short, engine))
        expect(one).toBe(two)
        expect(one!.length).toBe(TOKEN_PREFIX.length + SHORT_CHARS)
        const { text } = composeWith(own, one!)
        expect(read(text)).toEqual(short)
        expect(parseStatus(text)).toMatchObject({ kind: 'none', words: own })
        expect(ownWords(text)).toBe(own)
        for (const engine of ENGINES) expect(parseShort(one!.slice(TOKEN_PREFIX.length), engine)).toEqual(short)
      }),
      { numRuns: 300 },
    )
  })

  it('with one character changed, left out or added is none', () => {
    const places = fc.nat(SHORT_CHARS - 1)
    fc.assert(
      fc.property(shorts, places, fc.constantFrom(...ALPHABET), (short, place, other) => {
        const text = formatShort(short, sodium)
        const at = TOKEN_PREFIX.length + place
        fc.pre(text[at] !== other)
        expect(read(text.slice(0, at) + other + text.slice(at + 1))).toBeNull()
        expect(read(text.slice(0, at) + text.slice(at + 1))).toBeNull()
        expect(read(text.slice(0, at) + other + text.slice(at))).toBeNull()
      }),
      { numRuns: 500 },
    )
  })

  it('is what formats to the same characters, and any characters give one or none', () => {
    const random = fc.string({
      unit: fc.constantFrom(...ALPHABET),
      minLength: SHORT_CHARS - 1,
      maxLength: SHORT_CHARS + 1,
    })
    fc.assert(
      fc.property(fc.oneof(random, fc.string()), (encoded) => {
        for (const engine of ENGINES) {
          const short = parseShort(encoded, engine)
          if (short !== null) expect(formatShort(short, engine)).toBe(TOKEN_PREFIX + encoded)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('names exactly the personas whose chain and `read` it was made of', () => {
    const epochs = fc.nat(16)
    fc.assert(
      fc.property(epochs, epochs, fc.boolean(), fc.boolean(), (keyEpoch, blobEpoch, isAda, isSameRead) => {
        const [mine, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
        const blob = makeVerified(ada, { epoch: blobEpoch, document: `read: ${formatRead(mine)}` })
        const who = isAda ? ada : makePersona(2)
        const { signingKey } = who.positions[keyEpoch]!
        const root = who.positions[0]!.next
        const short = { signingKey, readingKey: readingKey(root, isSameRead ? mine : other, sodium) }
        for (const engine of ENGINES)
          expect(isNamedBy(short, blob, engine)).toBe(isAda && isSameRead && keyEpoch <= blobEpoch)
        expect(isNamedBy(shortOf(blob, sodium)!, blob, sodium)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })
})
