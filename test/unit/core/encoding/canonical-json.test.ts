import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatCanonicalJson,
  parseCanonicalJson,
  parseCanonicalObject,
  type JsonValue,
} from '../../../../src/core/encoding/canonical-json.ts'

describe('canonical JSON', () => {
  it('is written as the examples of RFC 8785 have it', () => {
    const value = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    ) as JsonValue
    expect(formatCanonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"` +
        '\u20ac$' +
        String.raw`\u000f\nA'B\"\\\\\"/"}`,
    )
    // Section 3.2.3: members are sorted by UTF-16 code units, so an emoji comes before U+FB33.
    const members = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
    const text = formatCanonicalJson(members)
    expect([...text.matchAll(/:(\d)/g)].map(([, digit]) => digit).join('')).toBe('2467153')
  })

  it('is read back as the same value, and only from that text', () => {
    const value = fc.jsonValue({ maxDepth: 4 }).filter((each) => JSON.stringify(each).isWellFormed())
    fc.assert(
      fc.property(value, (each) => {
        const text = formatCanonicalJson(each as JsonValue)
        expect(formatCanonicalJson(parseCanonicalJson(text))).toBe(text)
        expect(parseCanonicalJson(` ${text}`)).toBeNull()
        const other = JSON.stringify(each)
        if (other !== text) expect(parseCanonicalJson(other)).toBeNull()
      }),
    )
  })

  it.each([
    '',
    '{',
    '{"a":1,"a":1}',
    '{"b":1,"a":1}',
    '[1 ]',
    '1.0',
    '-0',
    '1e1',
    String.raw`"\u0061"`,
    String.raw`"\ud800"`,
    '"\ud800"',
  ])('refuses %j', (text) => {
    expect(parseCanonicalJson(text)).toBeNull()
  })

  it('refuses a text of more than 16 levels', () => {
    const levels = (count: number): string => '['.repeat(count) + ']'.repeat(count)
    expect(parseCanonicalJson(levels(17))).not.toBeNull()
    expect(parseCanonicalJson(levels(18))).toBeNull()
    expect(parseCanonicalJson(levels(100_000))).toBeNull()
  })

  it('keeps a member with the name __proto__', () => {
    expect(formatCanonicalJson(parseCanonicalObject('{"__proto__":1}'))).toBe('{"__proto__":1}')
    expect(parseCanonicalObject('[]')).toBeNull()
    expect(parseCanonicalObject('null')).toBeNull()
  })
})
