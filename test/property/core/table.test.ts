/** Size: a table that an edit accepts can be rotated, and a removal always fits. */
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { PREV_BYTES } from '../../../src/core/blob.ts'
import type { Document } from '../../../src/core/document.ts'
import { TableError } from '../../../src/core/errors.ts'
import { MAX_EPOCH, MAX_STATUS_BYTES } from '../../../src/core/limits.ts'
import { checkRoomToRotate, encodeTable, type Device, type EncodedTable } from '../../../src/core/table.ts'
import { removeDevice } from '../../../src/core/edit.ts'
import { MAX_STATEMENT_BYTES, readStatement, shorterStatements } from '../../../src/core/succession/statement.ts'
import { formatToken } from '../../../src/core/token.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { makeDevice, makePersona, NOW_SEC, verified } from '../../support/made-persona.ts'

const ada = makePersona(1)
const epochs = fc.integer({ min: 0, max: MAX_EPOCH })
const tables = fc.record({
  epoch: epochs,
  count: fc.nat({ max: 20 }),
  letters: fc.integer({ min: 1, max: 20 }),
  notes: fc.uniqueArray(fc.stringMatching(/^k[a-z]{1,9}$/), { maxLength: 30 }),
  named: fc.boolean(),
})

/** Nicknames that compress badly. */
function devicesOf(count: number, letters: number): Device[] {
  return Array.from({ length: count }, (_, i) => {
    const codes = Array.from({ length: letters }, (_unused, k) => 0x4e00 + ((i * 7919 + k * 104_729) % 20_000))
    return makeDevice(i, String.fromCodePoint(0x61 + i, ...codes))
  })
}

function encoded(
  epoch: number,
  devices: readonly Device[],
  document: Document,
  named: boolean,
  statement: Uint8Array | null,
): EncodedTable {
  const prev = new Uint8Array(PREV_BYTES)
  const predecessor = statement === null ? [] : shorterStatements(statement)
  const draft = { chain: ada.positions[epoch]!, seq: 2, timeSec: NOW_SEC, prev, devices, named, document, predecessor }
  return encodeTable(draft, true, compress, (message) => ada.sign(epoch, message))
}

function signed(epoch: number, devices: readonly Device[], document: Document, named: boolean): Uint8Array {
  return encoded(epoch, devices, document, named, null).blob
}

function hasRoom(epoch: number, devices: number): boolean {
  try {
    checkRoomToRotate(epoch, devices)
    return true
  } catch (error) {
    if (error instanceof TableError) return false
    throw error
  }
}

function expectFits(blob: Uint8Array, devices: readonly Device[]): void {
  expect(formatToken(blob).length).toBeLessThanOrEqual(MAX_STATUS_BYTES)
  const { deviceKeys, content } = verified(blob)
  expect(deviceKeys.length).toBe(devices.length)
  expect(content.ok).toBe(true)
}

it('a table with room to rotate fits at its epoch and at the next, whatever its names and unknown keys', () => {
  let rotated = 0
  fc.assert(
    fc.property(tables, ({ epoch, count, letters, notes, named }) => {
      if (!hasRoom(epoch, count)) return
      const devices = devicesOf(count, letters)
      const document: Document = [['names', []], ...notes.map((note) => [note, `${note} `.repeat(9).trim()] as const)]
      expectFits(signed(epoch, devices, document, named), devices)
      expectFits(signed(Math.min(MAX_EPOCH, epoch + 1), devices, document, named), devices)
      rotated++
    }),
    { numRuns: 150 },
  )
  expect(rotated).toBeGreaterThan(40)
})

it('removing a device never fails for size, down to the last one', () => {
  let removed = 0
  fc.assert(
    fc.property(tables, fc.nat(), ({ epoch, count, letters, notes, named }, choice) => {
      if (!hasRoom(epoch, count)) return
      const document: Document = notes.map((note) => [note, 'x'])
      let devices: readonly Device[] = devicesOf(count, letters)
      while (devices.length > 0) {
        devices = removeDevice(devices, devices[choice % devices.length]!.key)
        expectFits(signed(epoch, devices, document, named), devices)
        removed++
      }
    }),
    { numRuns: 40 },
  )
  expect(removed).toBeGreaterThan(40)
})

it('a successor statement costs no table its devices or names, and is carried wherever its shortest form fits', () => {
  let [carried, left] = [0, 0]
  fc.assert(
    fc.property(
      tables,
      fc.uint8Array({ minLength: MAX_STATEMENT_BYTES, maxLength: MAX_STATEMENT_BYTES }),
      ({ epoch, count, letters, notes, named }, statement) => {
        if (!hasRoom(epoch, count)) return
        const devices = devicesOf(count, letters)
        const document: Document = notes.map((note) => [note, 'x'])
        const without = encoded(epoch, devices, document, named, null)
        const table = encoded(epoch, devices, document, named, statement)
        expectFits(table.blob, devices)
        expect([table.named, table.gaveUpNames]).toEqual([without.named, without.gaveUpNames])
        const { content } = verified(table.blob)
        const found = content.ok ? readStatement(content.document) : null
        expect(found === null).toBe(table.gaveUpPredecessor)
        if (found === null) left++
        else carried++
      },
    ),
    { numRuns: 150 },
  )
  expect(Math.min(carried, left)).toBeGreaterThan(10)
})
