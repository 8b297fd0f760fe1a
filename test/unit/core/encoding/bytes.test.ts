import { describe, expect, it } from 'vitest'
import {
  compareBytes,
  concatBytes,
  decodeUtf8,
  encodeUtf8,
  equalBytes,
  formatBase64url,
  formatHex,
  isBase64url,
  isZero,
  parseBase64url,
  parseHex,
  readU32,
  u32be,
} from '../../../../src/core/encoding/bytes.ts'

describe('hex', () => {
  it('is written in upper case and read in either case', () => {
    expect(formatHex(Uint8Array.of(0, 0x0f, 0xa0, 0xff))).toBe('000FA0FF')
    expect(parseHex('000fA0Ff')).toEqual(Uint8Array.of(0, 0x0f, 0xa0, 0xff))
  })

  it('is refused when one character is not a hex digit', () => {
    const bad = ['0', '0g', 'g0', ' 00', '00 ', '0x00', '00\n', '０0', '0\u{1f600}', '@@', '``', '//', '::']
    for (const text of bad) expect(parseHex(text), text).toBe(null)
    expect(bad.length).toBe(13)
  })

  it('of no bytes is empty', () => {
    expect(parseHex('')).toEqual(new Uint8Array(0))
    expect(formatHex(new Uint8Array(0))).toBe('')
  })
})

describe('base64url', () => {
  it('gives the texts of RFC 4648, section 10, without padding', () => {
    const known = ['', 'Zg', 'Zm8', 'Zm9v', 'Zm9vYg', 'Zm9vYmE', 'Zm9vYmFy']
    for (const [length, text] of known.entries()) {
      expect(formatBase64url(encodeUtf8('foobar'.slice(0, length)))).toBe(text)
      expect(parseBase64url(text)).toEqual(encodeUtf8('foobar'.slice(0, length)))
    }
    expect(formatBase64url(Uint8Array.of(0xfb, 0xff))).toBe('-_8')
  })

  it('is read only in its canonical form, as all texts of up to three characters show', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/= \n='
    let accepted = 0
    for (const a of alphabet) {
      for (const b of ['', ...alphabet]) {
        for (const c of b === '' ? [''] : ['', ...alphabet]) {
          const bytes = parseBase64url(a + b + c)
          if (isBase64url(a + b + c) !== (bytes !== null)) expect.fail(`${a + b + c} is judged in two ways`)
          if (bytes === null) continue
          accepted++
          expect(formatBase64url(bytes)).toBe(a + b + c)
        }
      }
    }
    expect(accepted).toBe(256 + 65_536) // as many as there are byte strings of one and two bytes
  })

  it('is refused with another character at any place, whatever its code', () => {
    for (const text of ['Zm9vYmFy', 'Zm9vYmE', 'Zm9vYg']) {
      for (const at of text.split('').keys()) {
        for (const other of ['=', '\u0080', '\u0141', '\uffff'])
          expect(parseBase64url(text.slice(0, at) + other + text.slice(at + 1)), `${at} ${other}`).toBeNull()
      }
    }
  })

  it('never has one character more than a multiple of four', () => {
    for (const text of ['A', 'AAAAA', 'AAAAAAAAA'])
      expect([parseBase64url(text), isBase64url(text)]).toEqual([null, false])
  })

  it('is judged without its bytes as with them, also where it is long or has other characters', () => {
    const texts = [
      '',
      'AAAA'.repeat(300),
      'AAAA\n',
      'AAA\n',
      'AAAé',
      'AAA\u{1f600}',
      'AAAA'.repeat(300) + 'AB',
      'AAAA'.repeat(300) + 'AQ',
      'AAB',
      'AAE',
    ]
    for (const text of texts) expect(isBase64url(text), text).toBe(parseBase64url(text) !== null)
    expect(texts.filter(isBase64url).length).toBe(4)
  })
})

describe('bytes', () => {
  it('are ordered byte by byte, with a prefix first', () => {
    const ordered = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0]].map((list) => Uint8Array.from(list))
    for (const [i, a] of ordered.entries()) {
      for (const [k, b] of ordered.entries()) {
        expect(Math.sign(compareBytes(a, b))).toBe(Math.sign(i - k))
        expect(equalBytes(a, b)).toBe(i === k)
      }
    }
    expect(ordered.length).toBe(9)
  })

  it('are joined in their order', () => {
    expect(concatBytes(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3))
    expect(concatBytes()).toEqual(new Uint8Array(0))
  })

  it('are zero only if each byte is zero', () => {
    expect(isZero(new Uint8Array(3))).toBe(true)
    expect(isZero(Uint8Array.of(0, 0, 1))).toBe(false)
  })

  it('hold a u32 with the most significant byte first, also in a view into a larger buffer', () => {
    for (const value of [0, 1, 0x01020304, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      const within = concatBytes(Uint8Array.of(9, 9, 9), u32be(value), Uint8Array.of(9)).subarray(2)
      expect(readU32(within, 1)).toBe(value)
    }
    expect(u32be(0x01020304)).toEqual(Uint8Array.of(1, 2, 3, 4))
  })
})

describe('UTF-8', () => {
  it('keeps a byte order mark, so that a document cannot hide one', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa')
  })

  it('is refused if it is overlong, cut, a surrogate or beyond the last code point', () => {
    const bad = [[0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff], [0x80]]
    for (const bytes of bad) expect(decodeUtf8(Uint8Array.from(bytes))).toBe(null)
    expect(bad.length).toBe(6)
  })
})
