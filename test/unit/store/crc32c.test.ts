import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { crc32c, maskCrc } from '../../../src/store/crc32c.ts'

/** Values of RFC 3720, appendix B.4, and the common check value. */
const VECTORS: readonly (readonly [string, Uint8Array, number])[] = [
  ['nothing', new Uint8Array(0), 0],
  ['"123456789"', encodeUtf8('123456789'), 0xe3069283],
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['0..31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ['31..0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
]

it('crc32c equals the published values', () => {
  let ran = 0
  for (const [title, bytes, crc] of VECTORS) {
    expect(crc32c(bytes), title).toBe(crc)
    ran++
  }
  expect(ran).toBe(6)
})

it('crc32c of a part continues from the CRC of the bytes before it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const at = Math.min(cut, bytes.length)
      expect(crc32c(bytes, at, bytes.length, crc32c(bytes, 0, at))).toBe(crc32c(bytes))
    }),
  )
})

it('maskCrc equals the mask of LevelDB', () => {
  expect(maskCrc(0)).toBe(0xa282ead8)
  expect(maskCrc(0xe3069283)).toBe(0xc78ab0e5)
})
