/** Parts of contents that come together. */
import { expect, it } from 'vitest'
import { joinedParts, type Part } from '../../../src/channel/exchange/parts.ts'

function part(number: number, offset: number, ...bytes: number[]): Part {
  return { write: 'part', number, totalBytes: 100, offset, bytes: Uint8Array.from(bytes) }
}

it('the parts of a content are one part, those of another content another one', () => {
  const parts = [part(1, 4, 1, 2), part(1, 6, 3), part(1, 7), part(2, 0, 4), part(2, 1, 5)]
  expect(joinedParts(parts)).toEqual([part(1, 4, 1, 2, 3), part(2, 0, 4, 5)])
  expect(joinedParts([])).toEqual([])
})

it('a joined part keeps to the limit, and a larger one stays alone', () => {
  const parts = [part(1, 0, 1, 2), part(1, 2, 3), part(1, 3, 4, 5, 6, 7), part(1, 7, 8), part(1, 8, 9, 10, 11)]
  expect(joinedParts(parts, 3)).toEqual([
    part(1, 0, 1, 2, 3),
    part(1, 3, 4, 5, 6, 7),
    part(1, 7, 8),
    part(1, 8, 9, 10, 11),
  ])
  expect(joinedParts(parts, 4).map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
    [0, 3],
    [3, 4],
    [7, 4],
  ])
})
