import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatBase32, parseBase32 } from '../../../src/core/encoding/base32.ts'
import { encodeUtf8, formatHex } from '../../../src/core/encoding/bytes.ts'
import { BlobError, LinkError } from '../../../src/core/errors.ts'
import { formatLink, parseLink } from '../../../src/core/link.ts'
import { groupSafetyNumber, parseSafetyNumber, safetyNumber } from '../../../src/core/safety-number.ts'
import { parseStatus } from '../../../src/core/token.ts'
import { ENGINES, makePersona, sodium } from '../../support/made-persona.ts'

const { personaId, next: root } = makePersona(1).positions[0]!
const LINK = formatLink({ personaId, root, epoch: 3 }, sodium)

describe('base32', () => {
  it('gives the texts of RFC 4648, section 10, in lower case without padding', () => {
    const vectors = ['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi']
    for (const [length, text] of vectors.entries()) {
      expect(formatBase32(encodeUtf8('foobar'.slice(0, length)))).toBe(text)
      expect(parseBase32(text.toUpperCase())).toEqual(encodeUtf8('foobar'.slice(0, length)))
    }
    expect(vectors.length).toBe(7)
  })

  it('reads exactly what it writes, ignoring case', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(parseBase32(formatBase32(bytes))).toEqual(bytes)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abcz27AZ018= \u212A') }), (text) => {
        const bytes = parseBase32(text)
        if (bytes !== null) expect(formatBase32(bytes)).toBe(text.toLowerCase())
      }),
    )
  })

  it.each(['m', 'mz======', 'mzx', 'mzxw6y', 'mb', 'm0', 'm1', 'm8', 'my ', '\u212Aa'])('refuses %j', (text) => {
    expect(parseBase32(text)).toBeNull()
  })
})

describe('a contact link', () => {
  it('has 121 characters and reads back at every epoch, also in upper case', () => {
    for (let epoch = 0; epoch <= 16; epoch++) {
      const link = formatLink({ personaId, root, epoch }, sodium)
      expect(link).toMatch(/^personad:[a-z2-7]{112}$/)
      expect(parseLink(link, sodium)).toEqual({ personaId, root, epoch })
      expect(parseLink(link.toUpperCase(), sodium)).toEqual({ personaId, root, epoch })
    }
  })

  it('with a name reads back, and a name that is no nickname is refused when it is written and read', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'aZ é漢👍'), minLength: 1, maxLength: 16 }), (text) => {
        const name = text.trim() === '' ? 'x' : text.trim()
        const link = formatLink({ personaId, root, epoch: 3, name }, sodium)
        expect(parseLink(link.toUpperCase(), sodium)).toEqual({ personaId, root, epoch: 3, name })
        expect(link.length).toBeLessThanOrEqual(224)
      }),
    )
    for (const name of ['', ' x', 'a\u202E', 'a'.repeat(33)])
      expect(() => formatLink({ personaId, root, epoch: 3, name }, sodium)).toThrow(BlobError)
  })

  it('is refused after a change of any single character', () => {
    let ran = 0
    for (let at = 0; at < LINK.length; at++) {
      const other = LINK[at] === 'q' ? 'r' : 'q'
      expect(() => parseLink(LINK.slice(0, at) + other + LINK.slice(at + 1), sodium), `at ${at}`).toThrow(LinkError)
      ran++
    }
    expect(ran).toBe(121)
  })

  it('is never mistaken for a token, alone or among words', () => {
    for (const text of [LINK, `my link: ${LINK}`, LINK.toUpperCase()]) {
      expect(parseStatus(text)).toEqual({ kind: 'none', words: text, fragment: false, short: null })
    }
  })

  it('gives a value or a typed error for any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => LINK + text),
        ),
        (text) => {
          try {
            expect(formatHex(parseLink(text, sodium).personaId)).toMatch(/^[0-9A-F]{64}$/)
          } catch (error) {
            expect(error).toBeInstanceOf(LinkError)
          }
        },
      ),
    )
  })
})

describe('a safety number', () => {
  it('is the same with both engines: sixty digits in twelve groups', () => {
    const [first, second] = ENGINES.map((engine) => safetyNumber(personaId, root, engine))
    expect(first).toBe(second)
    expect(first).toMatch(/^[0-9]{60}$/)
    expect(groupSafetyNumber(first!)).toHaveLength(12)
    expect(groupSafetyNumber(first!).join('')).toBe(first)
  })

  it('depends on the PersonaID and on the chain', () => {
    const other = makePersona(2).positions[0]!
    const numbers = [
      safetyNumber(personaId, root, sodium),
      safetyNumber(other.personaId, root, sodium),
      safetyNumber(personaId, other.next, sodium),
    ]
    expect(new Set(numbers).size).toBe(3)
  })

  it('is read in any grouping, and only if it is complete', () => {
    const digits = safetyNumber(personaId, root, sodium)
    expect(parseSafetyNumber(` ${groupSafetyNumber(digits).join('\n')}\t`)).toBe(digits)
    expect(parseSafetyNumber(digits)).toBe(digits)
    for (const wrong of ['', digits.slice(1), `${digits}0`, digits.replace(/^./, '٣'), `${digits.slice(1)}x`]) {
      expect(parseSafetyNumber(wrong)).toBeNull()
    }
  })
})
