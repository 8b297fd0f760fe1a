import { expect, test } from 'vitest'
import * as labels from '../../../src/core/labels.ts'
import { SEAL_LABELS } from '../../../src/seal/labels.ts'

const all = Object.entries(labels).map(([name, bytes]) => [name, Buffer.from(bytes)] as const)

test('each label is a text of its own below personad/v1, and ends in a zero', () => {
  expect(all.length).toBeGreaterThan(20)
  for (const [name, bytes] of all) {
    expect(bytes.toString('latin1'), name).toMatch(/^personad\/v1\/[a-z0-9-]+\0$/)
  }
})

test('no label is a prefix of another', () => {
  const prefixes = all.flatMap(([name, bytes]) =>
    all.filter(([other, longer]) => other !== name && longer.subarray(0, bytes.length).equals(bytes)),
  )
  expect(prefixes).toEqual([])
})

test('the labels of seals are those labels, under their names', () => {
  const texts = new Set(all.map(([, bytes]) => bytes.toString('latin1')))
  const named = Object.entries(SEAL_LABELS).map(([name, bytes]) => [name, Buffer.from(bytes).toString('latin1')])
  expect(named.length).toBeGreaterThan(3)
  for (const [name, text] of named) {
    expect(text).toBe(`personad/v1/${name}\0`)
    expect(texts).toContain(text)
  }
})
