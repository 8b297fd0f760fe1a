/** A link as a QR code (ISO/IEC 18004): bytes, level L, the smallest version that fits, as an SVG image. */
import { encodeUtf8 } from '../core/encoding/bytes.ts'
import { correction } from './qr-correction.ts'

const MAX_VERSION = 40 // format: 177 modules, 2953 bytes
const QUIET_MODULES = 4 // format: readers need the white around
/** For each version, level L: codewords of correction in a block, and blocks. */
const CORRECTION = '7.10.15.20.26.18.20.24.30.18.20.24.26.30.22.24.28.30.28.28.28.28.30.30.26.28.30.30.30'
  .split('.')
  .map(Number)
const BLOCKS = '1.1.1.1.1.2.2.2.2.4.4.4.4.4.6.6.6.6.7.8.8.9.9.10.12.12.12.13.14.15.16.17.18.19.19.20.21.22.24.25'
  .split('.')
  .map(Number)
const LEVEL_L = 1
const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + (y >> 1)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

/** Rows of modules; true is dark. */
export type Modules = boolean[][]

/** Draws a text as an SVG image. @throws {RangeError} for more than 2953 bytes */
export function qrSvg(text: string): string {
  const rows = qrModules(text)
  const side = rows.length + 2 * QUIET_MODULES
  let path = ''
  for (const [y, row] of rows.entries())
    for (const [x, isDark] of row.entries()) if (isDark) path += `M${x + QUIET_MODULES} ${y + QUIET_MODULES}h1v1h-1z`
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" role="img">` +
    `<path fill="#fff" d="M0 0h${side}v${side}H0z"/><path d="${path}"/></svg>`
  )
}

/** @param mask 0..7; by default the one with the fewest pairs of modules of one colour */
export function qrModules(text: string, mask?: number): Modules {
  const bytes = encodeUtf8(text)
  let version = 1
  while (version <= MAX_VERSION && headBits(version) + 8 * bytes.length > 8 * dataCodewords(version)) version++
  if (version > MAX_VERSION) throw new RangeError(`a QR code has no room for ${bytes.length} bytes`)
  const codewords = interleaved(withHead(bytes, version), version)
  if (mask !== undefined) return drawn(version, codewords, mask)
  const all = MASKS.map((_, each) => drawn(version, codewords, each))
  return all.reduce((best, each) => (evenness(each) < evenness(best) ? each : best))
}

function headBits(version: number): number {
  return 4 + (version < 10 ? 8 : 16)
}

/** All bits that are no pattern of the code itself, as codewords. */
function allCodewords(version: number): number {
  const aligned = version < 2 ? 0 : Math.floor(version / 7) + 2
  const patterns = version < 2 ? 0 : (25 * aligned - 10) * aligned - 55 + (version < 7 ? 0 : 36)
  return ((16 * version + 128) * version + 64 - patterns) >> 3
}

function correctionOf(version: number): number {
  return CORRECTION[version - 1] ?? 30
}

function dataCodewords(version: number): number {
  return allCodewords(version) - correctionOf(version) * BLOCKS[version - 1]!
}

/** Mode and length, the bytes, an end, and padding. */
function withHead(bytes: Uint8Array, version: number): Uint8Array {
  const words = new Uint8Array(dataCodewords(version))
  let at = 0
  const put = (value: number, bits: number): void => {
    for (let i = bits - 1; i >= 0 && at < 8 * words.length; i--, at++)
      words[at >> 3]! |= ((value >> i) & 1) << (7 - (at & 7))
  }
  put(4, 4)
  put(bytes.length, headBits(version) - 4)
  for (const byte of bytes) put(byte, 8)
  put(0, 4)
  at = (at + 7) & ~7
  for (let pad = 0xec; at < 8 * words.length; pad ^= 0xec ^ 0x11) put(pad, 8)
  return words
}

/** Cuts the words into blocks, adds the correction of each, and takes from all blocks in turn. */
function interleaved(words: Uint8Array, version: number): number[] {
  const blocks = BLOCKS[version - 1]!
  const short = Math.floor(words.length / blocks)
  const firstLong = blocks - (words.length % blocks)
  const data: Uint8Array[] = []
  for (let i = 0, at = 0; i < blocks; i++) {
    const length = short + (i < firstLong ? 0 : 1)
    data.push(words.subarray(at, (at += length)))
  }
  const corrections = data.map((block) => correction(block, correctionOf(version)))
  return [data, corrections].flatMap((lists) =>
    Array.from({ length: Math.max(...lists.map(({ length }) => length)) }, (_, i) =>
      lists.flatMap((block) => (i < block.length ? [block[i]!] : [])),
    ).flat(),
  )
}

function drawn(version: number, codewords: readonly number[], mask: number): Modules {
  const side = 17 + 4 * version
  const rows: (boolean | undefined)[][] = Array.from({ length: side }, () => Array<undefined>(side).fill(undefined))
  const set = (x: number, y: number, isDark: boolean): void => {
    if (rows[y] !== undefined && x >= 0 && x < side) rows[y][x] = isDark
  }
  drawPatterns(version, side, set)
  drawFacts(version, side, mask, set)
  let bit = 0
  for (let right = side - 1; right > 0; right -= right === 8 ? 3 : 2)
    for (let i = 0; i < side; i++) {
      const y = ((right + 1) & 2) === 0 ? side - 1 - i : i
      for (const x of [right, right - 1]) {
        if (rows[y]![x] !== undefined) continue
        const isSet = (((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1
        bit++
        rows[y]![x] = isSet !== MASKS[mask]!(x, y)
      }
    }
  return rows as Modules
}

type SetModule = (x: number, y: number, isDark: boolean) => void

/** Lines, corners, and small squares between. */
function drawPatterns(version: number, side: number, set: SetModule): void {
  for (let i = 0; i < side; i++) {
    set(6, i, i % 2 === 0)
    set(i, 6, i % 2 === 0)
  }
  const squares = (centre: readonly [number, number], radius: number, light: readonly number[]): void => {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++)
        set(centre[0] + dx, centre[1] + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))))
  }
  const far = side - 4
  for (const centre of [
    [3, 3],
    [far, 3],
    [3, far],
  ] as const)
    squares(centre, 4, [2, 4])
  const places = alignments(version, side)
  const last = places.length - 1
  for (const [i, x] of places.entries())
    for (const [j, y] of places.entries()) {
      const isCorner = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)
      if (!isCorner) squares([x, y], 2, [1])
    }
}

function alignments(version: number, side: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = version === 32 ? 26 : 2 * Math.ceil((side - 13) / (2 * count - 2))
  return [6, ...Array.from({ length: count - 1 }, (_, i) => side - 7 - (count - 2 - i) * step)]
}

/** The level with the mask, and the version of large codes, each with a correction of its own. */
function drawFacts(version: number, side: number, mask: number, set: SetModule): void {
  const format = checked((LEVEL_L << 3) | mask, 10, 0x537) ^ 0x5412
  for (let i = 0; i < 15; i++) {
    const isDark = ((format >> i) & 1) === 1
    const inner = i < 6 ? i : i < 8 ? i + 1 : 14 - i
    if (i < 8) {
      set(8, inner, isDark)
      set(side - 1 - i, 8, isDark)
    } else {
      set(i === 8 ? 7 : inner, 8, isDark)
      set(8, side - 15 + i, isDark)
    }
  }
  set(8, side - 8, true)
  if (version < 7) return
  const facts = checked(version, 12, 0x1f25)
  for (let i = 0; i < 18; i++) {
    const [far, near] = [side - 11 + (i % 3), Math.floor(i / 3)]
    const isDark = ((facts >> i) & 1) === 1
    set(far, near, isDark)
    set(near, far, isDark)
  }
}

/** A value with its BCH code after it. */
function checked(value: number, bits: number, polynomial: number): number {
  let rest = value << bits
  for (let i = 31; i >= bits; i--) if ((rest >> i) & 1) rest ^= polynomial << (i - bits)
  return (value << bits) | rest
}

/** Neighbours of one colour: readers are good at codes with few of them. */
function evenness(rows: Modules): number {
  let same = 0
  for (const [y, row] of rows.entries())
    for (let x = 0; x < row.length; x++) {
      if (row[x] === row[x + 1]) same++
      if (row[x] === rows[y + 1]?.[x]) same++
    }
  return same
}
