import { expect, test } from 'vitest'
import { METHODS } from '../../../src/ipc/methods/all-methods.ts'

const takes = (words: string): boolean => METHODS['blob.get'].params.safeParse({ words }).success

test('own words must be a text that a client can show', () => {
  for (const words of ['', 'In the garden', 'Straße 漢字 👩‍🌾', 'a\tb\nc', 'x'.repeat(4096)])
    expect(takes(words), words).toBe(true)
  for (const words of ['\0', 'a\0b', '\uD800', 'a\uDC00', '\uDC00\uD800', 'x'.repeat(4097)])
    expect(takes(words)).toBe(false)
})
