import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/encoding/bytes.ts'
import { crc32c, maskCrc } from '../../../src/store/crc32c.ts'
import { checkLevelTable } from '../../../src/store/leveldb-table.ts'
import { tempDir } from '../../support/temp-dir.ts'

const FOOTER_BYTES = 48

/** A table of LevelDB with several blocks. */
async function makeTable(compression: boolean): Promise<Uint8Array> {
  const directory = join(tempDir(), 'level')
  const level = new Level(directory, { compression })
  for (let n = 0; n < 200; n++) await level.put(`key ${n}`, 'v'.repeat(100))
  await level.close()
  // Opening turns the log into a table.
  await level.open()
  await level.close()
  const names = readdirSync(directory).filter((name) => name.endsWith('.ldb'))
  expect(names).toHaveLength(1)
  return readFileSync(join(directory, names[0]!))
}

const damage = (what: string): unknown =>
  expect.objectContaining({ code: 'STORE_CORRUPT', message: expect.stringContaining(what) })

it('checkLevelTable accepts a table that LevelDB wrote without compression, and refuses a compressed one', async () => {
  checkLevelTable(await makeTable(false), 'x.ldb')
  const compressed = await makeTable(true)
  expect(() => checkLevelTable(compressed, 'x.ldb')).toThrowError(damage(''))
})

it('checkLevelTable refuses a block of another type, even with a right checksum', async () => {
  const bytes = Uint8Array.from(await makeTable(false))
  // The index is the last block. Its trailer of 5 bytes, with the type first, lies before the footer.
  const typeAt = bytes.length - FOOTER_BYTES - 5
  const indexAt = lastHandle(bytes).offset
  bytes[typeAt] = 1
  new DataView(bytes.buffer).setUint32(typeAt + 1, maskCrc(crc32c(bytes, indexAt, typeAt + 1)), true)
  expect(() => checkLevelTable(bytes, 'x.ldb')).toThrowError(damage('compressed'))
})

it('checkLevelTable refuses bytes outside all blocks', async () => {
  const bytes = await makeTable(false)
  const footerAt = bytes.length - FOOTER_BYTES
  const padded = concatBytes(bytes.subarray(0, footerAt), new Uint8Array(1), bytes.subarray(footerAt))
  expect(() => checkLevelTable(padded, 'x.ldb')).toThrowError(damage('do not reach the footer'))
})

it('checkLevelTable refuses a footer that leads to another block, has another magic, or is missing', async () => {
  const bytes = Uint8Array.from(await makeTable(false))
  const footerAt = bytes.length - FOOTER_BYTES
  const { start, end } = lastHandle(bytes)
  const both = Uint8Array.from(bytes)
  both.set(bytes.subarray(start, end), footerAt)
  both.set(bytes.subarray(start, end), footerAt + end - start)
  expect(() => checkLevelTable(both, 'x.ldb')).toThrowError(damage('no block begins here'))
  const magic = Uint8Array.from(bytes)
  magic[bytes.length - 1]! ^= 1
  expect(() => checkLevelTable(magic, 'x.ldb')).toThrowError(damage('does not end like a table'))
  expect(() => checkLevelTable(bytes.subarray(0, 40), 'x.ldb')).toThrowError(damage('shorter than a footer'))
})

/** The position of the index handle in the footer, and its offset. */
function lastHandle(bytes: Uint8Array): { start: number; end: number; offset: number } {
  let at = bytes.length - FOOTER_BYTES
  const varint = (): number => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  varint()
  varint()
  const start = at
  const offset = varint()
  varint()
  return { start, end: at, offset }
}
