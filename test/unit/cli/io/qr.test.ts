import { readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { create } from 'qrcode'
import { expect, it } from 'vitest'
import { drawQr, writeQr } from '../../../../src/cli/io/qr.ts'
import { person } from '../../../support/person.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const LINK = person('bob').link().toUpperCase()

/** The modules that a drawing shows, row by row, from what a terminal does with it. */
function modulesOf(lines: readonly string[]): boolean[][] {
  return lines.flatMap((line) => {
    const blocks = Array.from(line.slice('\x1b[38;5;16;48;5;231m'.length, -'\x1b[0m'.length))
    return [blocks.map((block) => '█▀'.includes(block)), blocks.map((block) => '█▄'.includes(block))]
  })
}

it('a code is drawn with two modules per character and a light border of four', () => {
  const { modules } = create(LINK, { errorCorrectionLevel: 'M' })
  const drawn = modulesOf(drawQr(LINK, 80)!)
  expect(modules.size).toBe(37)
  const inner = drawn.slice(4, 4 + 37).map((row) => row.slice(4, 4 + 37))
  expect(inner).toEqual(
    Array.from({ length: 37 }, (_, y) => Array.from({ length: 37 }, (_, x) => modules.data[y * 37 + x] === 1)),
  )
  const dark = (rows: boolean[][]): number => rows.flat().filter(Boolean).length
  expect(dark(drawn)).toBe(dark(inner))
  expect([drawn.length, ...new Set(drawn.map((row) => row.length))]).toEqual([46, 45])
})

it('each line sets and resets both colours, so that it is dark on light on any terminal', () => {
  const lines = drawQr(LINK, 80)!
  expect(lines).toHaveLength(23)
  for (const line of lines) expect(line).toMatch(/^\x1b\[38;5;16;48;5;231m[ █▀▄]{45}\x1b\[0m$/)
})

it('a terminal that is too narrow gets no code', () => {
  expect(drawQr(LINK, 44)).toBeNull()
  expect(drawQr(LINK, 45)).not.toBeNull()
})

interface Png {
  readonly sync: { read: (bytes: Buffer) => { readonly width: number; readonly data: Uint8Array } }
}
const { PNG } = createRequire(createRequire(import.meta.url).resolve('qrcode'))('pngjs') as { PNG: Png }

it('a file has the same code in black on white, for its owner only, and replaces no other file', async () => {
  const file = join(tempDir(), 'link.png')
  await writeQr(LINK, file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  const { width, data } = PNG.sync.read(readFileSync(file))
  expect(width).toBe((37 + 8) * 8)
  const { modules } = create(LINK, { errorCorrectionLevel: 'M' })
  const pixel = (row: number, column: number): number[] => {
    const at = ((row + 4) * 8 * width + (column + 4) * 8) * 4
    return [...data.subarray(at, at + 4)]
  }
  for (const column of Array.from({ length: 37 }, (_, i) => i))
    expect(pixel(9, column)).toEqual(modules.data[9 * 37 + column] === 1 ? [0, 0, 0, 255] : [255, 255, 255, 255])
  expect(pixel(-4, -4)).toEqual([255, 255, 255, 255])
  await expect(writeQr(LINK, file)).rejects.toMatchObject({ code: 'FILE_EXISTS' })
  await expect(writeQr(LINK, join(file, 'x'))).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' })
})
