import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { escapeText, formatJson, hasMixedScripts, keyTail, showName } from '../../../../src/cli/io/escape.ts'

const KEY = 'D759E0CA9F8F9A3217C4BCA65C5B20600D189C8EE410C0CA7E64EF0228DA6D67'
const NAUGHTY = fileURLToPath(new URL('../../../../../shared/vectors/naughty-strings.json', import.meta.url))
const naughtyAbsence = existsSync(NAUGHTY) ? '' : ` (skipped: no ${NAUGHTY})`

// Nothing that a terminal acts upon, or shows as nothing. Zs without the space; the emoji exceptions are tested apart.
const HARMFUL =
  /[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs}|(?!\u200D|\uFE0F)[\p{Cf}\p{Default_Ignorable_Code_Point}]/u

/** The text that escapeText was given. */
function unescape(shown: string): string {
  return shown.replaceAll(/\\(\\|u\{([0-9A-F]+)\})/g, (_, escape: string, hex: string | undefined) =>
    hex === undefined ? escape : String.fromCodePoint(Number.parseInt(hex, 16)),
  )
}

describe('a value as JSON on the terminal', () => {
  test('cannot control the terminal, and parses to the same value', () => {
    const value = {
      '\x9b31m': ['\x1b[2J\x7f\x85\u2028\u202e\u2066\ufeff\u{E0001}\ud800', 'На зв’язку 🚀 日本語 \\ "'],
      n: 1,
      no: null,
    }
    const json = formatJson(value)
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
    expect(json).toContain('На зв’язку 🚀 日本語')
    expect(JSON.parse(json)).toStrictEqual(value)
  })
})

describe('a text of others on the terminal', () => {
  const cases: readonly (readonly [title: string, text: string, shown: string])[] = [
    ['plain words stay', 'Working from the garden', 'Working from the garden'],
    ['letters of all scripts stay', 'На зв’язку, 日本語, مرحبا', 'На зв’язку, 日本語, مرحبا'],
    ['an emoji stays', 'Dave 🚀', 'Dave 🚀'],
    ['an emoji joined from two stays', '👩‍💻', '👩‍💻'],
    ['an emoji with a skin tone, joined, stays', '👩🏽‍💻', '👩🏽‍💻'],
    ['the style sign of an emoji stays', '❤️', '❤️'],
    ['a keycap stays', '1️⃣', '1️⃣'],
    ['an escape sequence is spelt', '\x1b[31mred\x1b[0m', '\\u{1B}[31mred\\u{1B}[0m'],
    ['an eight-bit control is spelt', '\x9b31m', '\\u{9B}31m'],
    ['the title of the window cannot be set', '\x1b]0;owned\x07', '\\u{1B}]0;owned\\u{7}'],
    ['a line end cannot forge a line', 'Bob\npersona: error: x', 'Bob\\u{A}persona: error: x'],
    ['a carriage return cannot overwrite', 'Bob\rAlice', 'Bob\\u{D}Alice'],
    ['a backspace cannot erase', 'Bob\b\b\bEve', 'Bob\\u{8}\\u{8}\\u{8}Eve'],
    ['a NUL is spelt', 'a\0b', 'a\\u{0}b'],
    ['a tab is spelt', 'a\tb', 'a\\u{9}b'],
    ['a bidi override is spelt', 'gro.\u202Etxt', 'gro.\\u{202E}txt'],
    ['a bidi isolate is spelt', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a zero-width space is spelt', 'Al\u200Bice', 'Al\\u{200B}ice'],
    ['a joiner between letters is spelt', 'Al\u200Dice', 'Al\\u{200D}ice'],
    ['a joiner behind an emoji with nothing to join is spelt', '🚀\u200D', '🚀\\u{200D}'],
    ['a style sign on a letter is spelt', 'A\uFE0F', 'A\\u{FE0F}'],
    ['a second style sign is spelt', '❤\uFE0F\uFE0F', '❤\uFE0F\\u{FE0F}'],
    ['a byte order mark is spelt', '\uFEFFBob', '\\u{FEFF}Bob'],
    ['a soft hyphen is spelt', 'Al\u00ADice', 'Al\\u{AD}ice'],
    ['a no-break space is spelt', 'a\u00A0b', 'a\\u{A0}b'],
    ['a Hangul filler, which is a letter and invisible, is spelt', 'a\u3164b', 'a\\u{3164}b'],
    ['an empty braille pattern is spelt', 'a\u2800b', 'a\\u{2800}b'],
    ['a tag character is spelt', 'a\u{E0041}', 'a\\u{E0041}'],
    ['a line separator is spelt', 'a\u2028b', 'a\\u{2028}b'],
    ['a private character is spelt', '\uE000', '\\u{E000}'],
    ['half a character is spelt', '\uD83D', '\\u{D83D}'],
    ['a mark at the beginning cannot sit on our own words', '\u0301a', '\\u{301}a'],
    ['three marks on a letter stay, a fourth is spelt', 'a\u0301\u0302\u0303\u0304', 'a\u0301\u0302\u0303\\u{304}'],
    ['a backslash is doubled, so that nobody can write an escape', '\\u{1B}', '\\\\u{1B}'],
    ['object prototype names are words', '__proto__', '__proto__'],
  ]

  test.each(cases)('%s', (_, text, shown) => {
    expect(escapeText(text)).toBe(shown)
  })

  test('the table of cases is complete', () => {
    expect(cases).toHaveLength(35)
  })

  test('no text stays harmful, and two texts never look the same', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: codeUnit() }),
    )
    fc.assert(
      fc.property(anyText, (text) => {
        const shown = escapeText(text)
        expect(HARMFUL.test(shown)).toBe(false)
        expect(unescape(shown)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  test.skipIf(naughtyAbsence !== '')(`of the naughty strings nothing harmful is left${naughtyAbsence}`, () => {
    const strings = JSON.parse(readFileSync(NAUGHTY, 'utf8')) as string[]
    expect(strings.length).toBeGreaterThan(400)
    for (const text of strings) {
      expect(HARMFUL.test(escapeText(text)), JSON.stringify(text)).toBe(false)
      expect(unescape(escapeText(text))).toBe(text)
    }
  })
})

/** Lone halves of characters, controls and the characters that this file is about. */
function codeUnit(): fc.Arbitrary<string> {
  const hostile = [
    '\x1b',
    '\n',
    '\\',
    '\u200D',
    '\uFE0F',
    '\u202E',
    '\u0301',
    '\uD83D',
    '\uDE80',
    '👩',
    '1',
    'a',
    '{',
    '}',
    'u',
  ]
  return fc.constantFrom(...hostile)
}

describe('a name on the terminal', () => {
  test('shows the end of its key', () => {
    expect(showName('laptop', KEY)).toBe('laptop …28DA6D67')
    expect(keyTail(KEY)).toBe('…28DA6D67')
  })

  test('shows no key end if there is no key', () => {
    expect(showName('laptop', null)).toBe('laptop')
  })

  test('is flagged when it mixes scripts, and escaped', () => {
    expect(showName('\u0420aypal\x1b', KEY)).toBe('\u0420aypal\\u{1B} (mixed scripts) …28DA6D67')
  })

  const mixed: readonly (readonly [name: string, isMixed: boolean])[] = [
    ['Alice', false],
    ['Карол', false],
    ['Ελένη 2', false],
    ['日本のケンジ Kenji', false], // as people write it
    ['민수 Kim', false],
    ['Zoë 🚀 #1', false],
    ['μ', false],
    ['Аlice', true], // Cyrillic А
    ['Bοb', true], // Greek omicron
    ['Карол K', true],
    ['שלום bob', true],
    ['日本 Карол', true],
    ['ሰላም ᚠ', false], // both in none of the known scripts: one group
    ['ሰላም a', true],
  ]
  test.each(mixed)('%s: mixed scripts are %s', (name, isMixed) => {
    expect(hasMixedScripts(name)).toBe(isMixed)
  })

  test('the table of names is complete', () => {
    expect(mixed).toHaveLength(14)
  })
})
