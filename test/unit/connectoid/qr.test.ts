import qrcode from 'qrcode'
import { describe, expect, it } from 'vitest'
import { qrModules, qrSvg } from '../../../src/connectoid/qr.ts'

const MAX_BYTES = 2953

/** A text with so many bytes, from the characters of a link. */
function textOf(bytes: number): string {
  return Array.from({ length: bytes }, (_, i) => 'abc/?#=xyzA'[(i * 7) % 11]).join('')
}

describe('the QR code of a link', () => {
  it('is that of the package of the command line, for each version and mask', () => {
    const versions = new Set<number>()
    for (let bytes = 1; bytes <= MAX_BYTES; bytes += 71) {
      const mask = bytes % 8
      const wish = { errorCorrectionLevel: 'L', maskPattern: mask as 0 } as const
      const { modules, version } = qrcode.create([{ data: Buffer.from(textOf(bytes)), mode: 'byte' }], wish)
      const expected = Array.from({ length: modules.size }, (_, y) =>
        Array.from({ length: modules.size }, (__, x) => modules.get(y, x) === 1),
      )
      expect(qrModules(textOf(bytes), mask)).toEqual(expected)
      versions.add(version)
    }
    expect(versions.size).toBeGreaterThan(25)
  })

  it('holds at most 2953 bytes', () => {
    expect(qrModules(textOf(MAX_BYTES), 0)).toHaveLength(177)
    expect(() => qrModules(textOf(MAX_BYTES + 1), 0)).toThrow(RangeError)
  })

  it('is an image with its quiet zone', () => {
    const side = qrModules('https://app.example/').length
    expect(qrSvg('https://app.example/')).toContain(`viewBox="0 0 ${side + 8} ${side + 8}"`)
  })
})
