/** The preset dictionary never changes, and it shrinks ordinary tables. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'fflate'
import { expect, test } from 'vitest'
import { DOCUMENT_DICTIONARY } from '../../../../src/core/encoding/dictionary.ts'
import { formatDocument, parseDocument } from '../../../../src/core/document.ts'
import { inflate } from '../../../../src/core/inflate.ts'
import { MAX_DOCUMENT_BYTES } from '../../../../src/core/limits.ts'

function compress(names: readonly string[], dictionary?: Uint8Array): Uint8Array {
  return deflateSync(formatDocument([['names', names]]), { level: 9, ...(dictionary ? { dictionary } : {}) })
}

test('the dictionary never changes, because all readers of version 1 have these bytes', () => {
  expect(DOCUMENT_DICTIONARY).toHaveLength(509)
  expect(createHash('sha256').update(DOCUMENT_DICTIONARY).digest('hex')).toBe(
    '1c8b40b896cefcd2e3b583b2cbdf694b5472ecf1868d3f7003cf94d50272cf9b',
  )
})

test('ordinary tables take at most half the bytes that they would take without it', () => {
  const tables = [
    ['laptop', 'phone'],
    ['Laptop', 'Phone', 'Tablet'],
    ['desktop', 'laptop', 'phone', 'work laptop'],
    ['ноутбук', 'телефон'],
    ['iPhone', 'MacBook Air', 'iPad'],
    ['Handy', 'Rechner', 'Büro'],
    ['téléphone', 'ordinateur'],
  ]
  for (const names of tables) {
    const stream = compress(names, DOCUMENT_DICTIONARY)
    expect(stream.length, names.join()).toBeLessThanOrEqual(compress(names).length / 2)
    expect(parseDocument(inflate(stream, DOCUMENT_DICTIONARY, MAX_DOCUMENT_BYTES))).toEqual([['names', names]])
  }
  expect(tables).toHaveLength(7)
})
