import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatHostPort } from '../../../src/core/encoding/host-port.ts'
import { formatBase64url, formatHex } from '../../../src/core/encoding/bytes.ts'
import { parseAddress } from '../../../src/pairing/address.ts'
import * as code from '../../../src/pairing/code.ts'
import { codeThrownBy } from '../../support/failing.ts'
import { engine } from '../../support/person.ts'

const COUNTING = Uint8Array.from({ length: 16 }, (_, i) => i)
const WORDS = code.formatCodeWords(COUNTING)

function codeOf(text: string): string {
  return codeThrownBy(() => code.parseCode(text))
}

describe('a pairing code', () => {
  it('is 128 random bits, different each time', () => {
    const drawn = Array.from({ length: 16 }, () => formatHex(code.drawCode(engine)))
    expect(drawn.every((hex) => hex.length === 32)).toBe(true)
    expect(new Set(drawn).size).toBe(16)
  })

  it('is read from its twelve words, however they are typed', () => {
    expect(WORDS).toHaveLength(12)
    for (const text of [WORDS.join(' '), ` ${WORDS.join('\n\t ').toUpperCase()} \n`]) {
      expect(code.parseCode(text)).toEqual({ code: COUNTING, addresses: [] })
    }
  })

  it('is refused with a reason that names the position of a word, never the word', () => {
    const replaced = (at: number, word: string): string => WORDS.with(at, word).join(' ')
    expect(codeOf(WORDS.slice(1).join(' '))).toBe('PAIRING_CODE_LENGTH')
    expect(codeOf('')).toBe('PAIRING_CODE_LENGTH')
    expect(codeOf([...WORDS, 'zoo'].join(' '))).toBe('PAIRING_CODE_LENGTH')
    expect(codeOf(replaced(4, 'quuxly'))).toBe('PAIRING_CODE_UNKNOWN_WORD')
    expect(codeOf(replaced(4, WORDS[4] === 'zoo' ? 'zone' : 'zoo'))).toBe('PAIRING_CODE_CHECKSUM')
    expect(() => code.parseCode(replaced(4, 'quuxly'))).toThrow(/^word 5 is not a word of any pairing code$/)
  })

  it('derives the pre-shared key and the announcement key by HKDF under different labels', () => {
    // Computed with hmac and hashlib of Python 3: HMAC(HMAC(64 zero bytes, code), label || 01)[:32].
    expect(formatHex(code.derivePsk(COUNTING, engine))).toBe(
      '6A154ACCDC23B8FD9A4C85BF91BF09BCA97552CC527B9DB5FD9557754F5E6952',
    )
    expect(formatHex(code.deriveAnnounceKey(COUNTING))).toBe(
      'E1BF8D9ADBD35DA04ACBEB71AF1EA33ACE8E4E26F55FB27001FED2DD6B68B646',
    )
  })
})

describe('a pairing URI', () => {
  const addresses = [
    { host: '192.168.1.7', port: 40_123 },
    { host: 'fd00::7', port: 1 },
    { host: 'fe80::1%eth0', port: 65_535 },
    { host: 'laptop.local', port: 80 },
  ]
  const uri = code.formatPairingUri({ code: COUNTING, addresses })

  it('carries the code and the addresses of the other device', () => {
    expect(uri).toBe(
      'persona-pair:AAECAwQFBgcICQoLDA0ODw?at=192.168.1.7:40123&at=[fd00::7]:1&at=[fe80::1%eth0]:65535&at=laptop.local:80',
    )
    expect(code.parseCode(`${uri}\n`)).toEqual({ code: COUNTING, addresses })
    const bare = code.formatPairingUri({ code: COUNTING, addresses: [] })
    expect(code.parseCode(bare)).toEqual({ code: COUNTING, addresses: [] })
  })

  it('carries at most sixteen addresses', () => {
    const many = Array.from({ length: 17 }, (_, i) => ({ host: '10.0.0.1', port: i + 1 }))
    const text = code.formatPairingUri({ code: COUNTING, addresses: many })
    expect(code.parseCode(text).addresses).toHaveLength(16)
    expect(codeOf(`${text}&at=10.0.0.1:17`)).toBe('PAIRING_URI')
  })

  it.each([
    'persona-pair:',
    'persona-pair:AAECAwQFBgcICQoLDA0OD',
    'persona-pair:AAECAwQFBgcICQoLDA0ODw=',
    'persona-pair:AAECAwQFBgcICQoLDA0ODx', // bits after the last byte
    'persona-pair:AAECAwQFBgcICQoLDA0ODw?',
    'persona-pair:AAECAwQFBgcICQoLDA0ODw?at=',
    'persona-pair:AAECAwQFBgcICQoLDA0ODw?to=10.0.0.1:1',
    'persona-pair:AAECAwQFBgcICQoLDA0ODw?at=10.0.0.1:1?at=10.0.0.1:2',
    'persona-pair:AAECAwQFBgcICQoLDA0ODw?at=10.0.0.1:1&',
    `persona-pair:AAECAwQFBgcICQoLDA0ODw?at=${'a'.repeat(254)}:1`,
    `persona-pair:AAECAwQFBgcICQoLDA0ODw?${Array.from({ length: 16 }, () => `at=${'a'.repeat(80)}:1`).join('&')}`,
  ])('is refused when incomplete or altered: %s', (text) => {
    expect(codeOf(text)).toBe('PAIRING_URI')
  })

  it('is the only URI that gives a code', () => {
    let parsed = 0
    const pieces = fc.constantFrom(
      'persona-pair:',
      formatBase64url(COUNTING),
      '?at=',
      '&',
      '10.0.0.1:80',
      '[::1]:9',
      ' ',
      '%',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string({ maxLength: 3 })), { maxLength: 7 }), (parts) => {
        const text = parts.join('')
        if (!text.trim().startsWith('persona-pair:') || codeOf(text) !== 'nothing') return
        parsed++
        expect(code.formatPairingUri(code.parseCode(text))).toBe(text.trim())
      }),
      { numRuns: 2000, examples: [[['persona-pair:', formatBase64url(COUNTING), '?at=', '10.0.0.1:80']]] },
    )
    expect(parsed).toBeGreaterThan(0)
  })
})

describe('an address', () => {
  it.each(['10.0.0.1:80', 'localhost:1', 'a.b-c.d:65535', '[::1]:443', '[fe80::1%wlan0]:9'])('%s is valid', (text) => {
    expect(formatHostPort(parseAddress(text)!)).toBe(text)
  })

  it.each([
    '',
    ':1',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'host:1e3',
    'host: 1',
    '-host:1',
    'host-:1',
    '::1:80',
    '[::1]',
    '[host]:1',
    '[::1%a&b]:1',
    'a b:1',
    'a/b:1',
    'a@b:1',
    '$(x):1',
    'host:1\n',
  ])('%j is refused', (text) => {
    expect(parseAddress(text)).toBeNull()
  })
})
