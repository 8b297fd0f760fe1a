import { describe, expect, it } from 'vitest'
import { BlobError } from '../../../src/core/errors.ts'
import { MAX_BLOB_BYTES, MAX_STATUS_BYTES } from '../../../src/core/limits.ts'
import { composeStatus, formatToken, ownWords, parseStatus, tokenBytes } from '../../../src/core/token.ts'

const PREFIX = 'persona:'
const BLOB = Uint8Array.from({ length: 300 }, (_, i) => i)
const TOKEN = formatToken(BLOB)

/** The result for a text: 'words', 'fragment', 'token' or a code. */
function outcome(text: string): string {
  try {
    const content = parseStatus(text)
    if (content.kind === 'token') return 'token'
    return content.fragment ? 'fragment' : 'words'
  } catch (error) {
    if (error instanceof BlobError) return error.code as string
    throw error
  }
}

describe('a token', () => {
  it.each([
    [0, 'fragment'],
    [1, 'fragment'],
    [207, 'fragment'],
    [208, 'token'],
    [209, 'TOKEN_NOT_CANONICAL'], // one more than a multiple of four
    [210, 'token'],
    [997, 'TOKEN_NOT_CANONICAL'],
    [998, 'token'],
    [999, 'TOKEN_TOO_LONG'],
    [1000, 'TOKEN_TOO_LONG'],
  ])('with %i characters after the prefix gives %s', (length, expected) => {
    expect(outcome(PREFIX + 'A'.repeat(length))).toBe(expected)
  })

  it('is delimited only by tab, line feed, vertical tab, form feed, carriage return and space', () => {
    for (const white of ['\t', '\n', '\v', '\f', '\r', ' ', '\r\n']) {
      expect(outcome(`a${white}${TOKEN}${white}b`), JSON.stringify(white)).toBe('token')
    }
    const others = ['\u00a0', '\u0085', '\u2003', '\u2028', '\u3000', '\ufeff', '\u200b', '\0', ',', '(']
    for (const other of others) {
      expect(outcome(`a${other}${TOKEN}`), JSON.stringify(other)).toBe('words')
      expect(outcome(`${TOKEN}${other}b`), JSON.stringify(other)).toBe('TOKEN_DAMAGED')
    }
    expect(others.length).toBe(10)
  })

  it('begins a word, in lower case', () => {
    expect(outcome(`x${TOKEN}`)).toBe('words')
    expect(outcome(`persona:${TOKEN}`)).toBe('fragment')
    expect(outcome(TOKEN.replace('persona', 'PERSONA'))).toBe('words')
  })

  it('is damaged by a character of another alphabet only after 208 good ones', () => {
    expect(outcome(`${PREFIX}${'A'.repeat(208)}/`)).toBe('TOKEN_DAMAGED')
    expect(outcome(`${PREFIX}${'A'.repeat(207)}/${'A'.repeat(500)}`)).toBe('fragment')
    expect(outcome(`${PREFIX}${'A'.repeat(208)}=`)).toBe('TOKEN_DAMAGED')
  })

  it('is refused beside a second one, whether or not either could be read', () => {
    expect(outcome(`${TOKEN} ${TOKEN}`)).toBe('TOKEN_TWICE')
    expect(outcome(`${TOKEN} words ${TOKEN}!`)).toBe('TOKEN_TWICE')
    expect(outcome(`${TOKEN} ${PREFIX}${'A'.repeat(999)}`)).toBe('TOKEN_TWICE')
  })

  it('may occur beside a word that only looks like a token', () => {
    expect(parseStatus(`persona: ${TOKEN} persona:x`)).toEqual({
      kind: 'token',
      words: 'persona: persona:x',
      blob: BLOB,
      isShown: false,
    })
  })

  it('is shown only as the last word, where a writer puts it, and anywhere else it may be a quote', () => {
    for (const [text, isShown] of [
      [TOKEN, true],
      [`words ${TOKEN}`, true],
      [`words ${TOKEN}\n `, true],
      [`lol what is that: ${TOKEN} ???`, false],
      [`${TOKEN} words`, false],
    ] as const)
      expect(parseStatus(text), text).toMatchObject({ kind: 'token', isShown })
  })

  it('is found in a text over the limit', () => {
    expect(outcome(`${'é'.repeat(5000)} ${TOKEN}`)).toBe('token')
  })

  it('has the length that tokenBytes computes', () => {
    for (const length of [0, 1, 2, 3, 156, 747, MAX_BLOB_BYTES]) {
      expect(tokenBytes(length)).toBe(formatToken(new Uint8Array(length)).length)
    }
    expect(tokenBytes(MAX_BLOB_BYTES)).toBe(MAX_STATUS_BYTES)
    expect(tokenBytes(MAX_BLOB_BYTES + 1)).toBeGreaterThan(MAX_STATUS_BYTES)
  })
})

describe('own words', () => {
  it.each([
    ['without a token stay, except white space at the ends', ' a  b\n\nc ', 'a  b\n\nc'],
    ['keep their white space even if one of them is the prefix', 'my  persona:\n yes', 'my  persona:\n yes'],
    ['keep a token that is too short', `a persona:${'A'.repeat(207)}`, `a persona:${'A'.repeat(207)}`],
    ['keep spaces that are not white space in the format', '\u00a0a\u2003', '\u00a0a\u2003'],
    ['lose a token at the end and the space before it', `a  b ${TOKEN}`, 'a  b'],
    ['lose a token at the beginning', `${TOKEN} a  b`, 'a  b'],
    ['lose a token in the middle', `a\n${TOKEN}\n\nb`, 'a\n\nb'],
    ['lose every token', `${TOKEN} a ${TOKEN} ${TOKEN}\tb`, 'a\tb'],
    ['lose a damaged token', `a ${TOKEN}/x b`, 'a b'],
    ['lose a token that is too long', `a ${PREFIX}${'A'.repeat(1200)}`, 'a'],
    ['may be empty', TOKEN, ''],
  ])('%s', (_, text, words) => {
    expect(ownWords(text)).toBe(words)
  })

  it('come back unchanged from a composed status, and composing again changes nothing', () => {
    const texts = [
      '',
      'a',
      'In the  garden\n till six',
      'persona:',
      `x${TOKEN}`,
      'ünïcödé \u{1f4f1}',
      `old ${TOKEN} words`,
    ]
    for (const text of texts) {
      const words = ownWords(text)
      const status = composeStatus(text, BLOB).text
      expect(parseStatus(status)).toEqual({ kind: 'token', words, blob: BLOB, isShown: true })
      expect(ownWords(status)).toBe(words)
      expect(composeStatus(status, BLOB).text).toBe(status)
    }
    expect(texts.length).toBe(7)
  })

  it('take linear time, even if they are only white space', () => {
    // A trimming regular expression would need minutes for this text, and the test would time out.
    const hostile = `${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}`
    expect(ownWords(hostile)).toBe('x')
    expect(outcome(`${' '.repeat(1_000_000)}${PREFIX} `.repeat(2))).toBe('fragment')
    expect(ownWords(`${PREFIX} `.repeat(200_000)).length).toBe(200_000 * 9 - 1)
  })
})

describe('a composed status', () => {
  it.each([
    [-1, 0],
    [0, 0],
    [1, 1],
    [2, 2],
  ])('at %i bytes from the limit is %i bytes over', (from, over) => {
    const words = 'w'.repeat(MAX_STATUS_BYTES - TOKEN.length - 1 + from)
    const { text, bytes, bytesOver } = composeStatus(words, BLOB)
    expect([bytes, bytesOver]).toEqual([MAX_STATUS_BYTES + from, over])
    expect(text.length).toBe(bytes)
  })

  it('counts bytes of UTF-8, not characters', () => {
    expect(composeStatus('é', BLOB).bytes).toBe(TOKEN.length + 3)
  })

  it('is only the token if there are no words', () => {
    expect(composeStatus(' \n', BLOB).text).toBe(TOKEN)
  })
})
