import { expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/encoding/bytes.ts'
import { crc32c, maskCrc } from '../../../src/store/crc32c.ts'
import { readManifest } from '../../../src/store/leveldb-manifest.ts'

/** A MANIFEST of these edits. All lengths and numbers are below 128, so every varint is one byte. */
function manifest(...edits: readonly (readonly number[])[]): Uint8Array {
  const records = edits.map((edit) => {
    const record = Uint8Array.of(0, 0, 0, 0, edit.length, 0, 1, ...edit)
    new DataView(record.buffer).setUint32(0, maskCrc(crc32c(record, 6)), true)
    return record
  })
  return concatBytes(...records)
}

const START = [1, 3, 0x61, 0x62, 0x63, 2, 7, 9, 0, 3, 8, 4, 100] // comparator, log 7, previous log, next file 8, last write 100
const add = (level: number, number: number): number[] => [7, level, number, 50, 1, 0x61, 1, 0x62]
const remove = (level: number, number: number): number[] => [6, level, number]

it('readManifest applies all edits', () => {
  const bytes = manifest(
    [...START, ...add(0, 4), ...add(0, 5)],
    [5, 1, 1, 0x61, ...remove(0, 4), ...add(1, 6)],
    [2, 9, 4, 110],
  )
  const { logNumber, lastSequence, tables } = readManifest(bytes, 'MANIFEST-000001')
  expect({ logNumber, lastSequence }).toStrictEqual({ logNumber: 9, lastSequence: 110 })
  expect([...tables]).toStrictEqual([
    [5, { size: 50 }],
    [6, { size: 50 }],
  ])
})

it('readManifest keeps a table that moves to another level', () => {
  const { tables } = readManifest(
    manifest([...START, ...add(0, 4)], [...remove(0, 4), ...add(1, 4)]),
    'MANIFEST-000001',
  )
  expect([...tables.keys()]).toStrictEqual([4])
})

it('readManifest refuses an unknown edit, a cut one, and a missing one', () => {
  const edits = [[...START, 8, 1], [...START, 7, 0, 4], [1, 3, 0x61, 0x62, 0x63], []]
  let ran = 0
  for (const edit of edits) {
    const read = (): unknown => readManifest(manifest(edit), 'MANIFEST-000001')
    expect(read).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    ran++
  }
  expect(ran).toBe(4)
})
