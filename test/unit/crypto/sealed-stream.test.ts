import { describe, expect, it } from 'vitest'
import { BOX_TAG_BYTES, CHUNK_BYTES } from '../../../src/core/stream/box-stream.ts'
import { concatBytes, u32be } from '../../../src/core/encoding/bytes.ts'
import {
  BACKUP_HEADER_BYTES,
  BackupOpener,
  BackupSealer,
  backupKeyOf,
  newBackupKey,
} from '../../../src/crypto/sealed-stream.ts'
import { MIN_SEAL_COST } from '../../../src/crypto/sealing.ts'
import { ENGINES, sodium } from '../../support/made-persona.ts'

const PASSPHRASE = 'correct horse'
const { header, key } = await newBackupKey(PASSPHRASE, MIN_SEAL_COST, sodium)

function plain(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7) % 251)
}

/** Seals content of `length` bytes into boxes. */
function boxesOf(length: number, engine = sodium): Uint8Array[] {
  const sealer = new BackupSealer(Uint8Array.from(key), engine)
  const content = plain(length)
  const boxes: Uint8Array[] = []
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    boxes.push(sealer.seal(content.slice(at, at + CHUNK_BYTES), at + CHUNK_BYTES >= length))
  }
  return boxes
}

function outcome(boxes: readonly Uint8Array[], engine = sodium): string {
  const opener = new BackupOpener(Uint8Array.from(key), engine)
  try {
    const opened = concatBytes(...boxes.map((box, i) => opener.open(box, i === boxes.length - 1)))
    return `${opened.length} bytes`
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('the boxes of a backup', () => {
  it('open again at every length near the box size, with either engine', () => {
    let ran = 0
    for (const engine of ENGINES) {
      for (const length of [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES]) {
        const boxes = boxesOf(length)
        expect(boxes[0]!.length).toBe(Math.min(length, CHUNK_BYTES) + BOX_TAG_BYTES)
        expect(outcome(boxes, engine as typeof sodium)).toBe(`${length} bytes`)
        ran++
      }
    }
    expect(ran).toBe(10)
  })

  it('are refused if one is changed, swapped, repeated, left out, cut off or added', () => {
    const [a, b, c] = boxesOf(2 * CHUNK_BYTES + 100) as [Uint8Array, Uint8Array, Uint8Array]
    const flipped = Uint8Array.from(b)
    flipped[1000]! ^= 1
    const cases: [string, Uint8Array[], string][] = [
      ['nothing', [a, b, c], `${2 * CHUNK_BYTES + 100} bytes`],
      ['changed', [a, flipped, c], 'BACKUP_DAMAGED'],
      ['swapped', [b, a, c], 'SEAL_WRONG_PASSPHRASE'],
      ['swapped later', [a, c, b], 'BACKUP_DAMAGED'],
      ['repeated', [a, a, b, c], 'BACKUP_DAMAGED'],
      ['left out', [a, c], 'BACKUP_DAMAGED'],
      ['the last cut off', [a, b], 'BACKUP_CUT'],
      ['cut within the last', [a, b, c.slice(0, 50)], 'BACKUP_DAMAGED'],
      ['cut within a tag', [a, b, c.slice(0, 5)], 'BACKUP_DAMAGED'],
      ['one box added', [a, b, c, c], 'BACKUP_DAMAGED'],
    ]
    let ran = 0
    for (const [what, boxes, wanted] of cases) {
      expect([what, outcome(boxes)]).toEqual([what, wanted])
      ran++
    }
    expect(ran).toBe(10)
  })
})

describe('the header of a backup', () => {
  const codeOf = async (changed: Uint8Array, passphrase = PASSPHRASE): Promise<string> => {
    try {
      const opener = new BackupOpener(await backupKeyOf(changed, passphrase, sodium), sodium)
      return `${opener.open(boxesOf(10)[0]!, true).length} bytes`
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  const changed = (at: number, bytes: Uint8Array): Uint8Array => {
    const copy = Uint8Array.from(header)
    copy.set(bytes, at)
    return copy
  }

  it('is not made from an unusable passphrase', async () => {
    await expect(newBackupKey('', MIN_SEAL_COST, sodium)).rejects.toThrow(/empty/)
  })

  it('is refused for another file type, a later version, a cost out of bounds, another salt or another passphrase', async () => {
    expect(header.length).toBe(BACKUP_HEADER_BYTES)
    expect(await codeOf(header)).toBe('10 bytes')
    expect(await codeOf(changed(0, Uint8Array.of(0)))).toBe('BACKUP_NOT_ONE')
    expect(await codeOf(header.slice(1))).toBe('BACKUP_NOT_ONE')
    for (const version of [0, 3])
      expect(await codeOf(changed(8, Uint8Array.of(version)))).toBe('BACKUP_UNKNOWN_VERSION')
    expect(await codeOf(changed(8, Uint8Array.of(2)))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(changed(9, u32be(0xffffffff)))).toBe('SEAL_COST_REFUSED')
    expect(await codeOf(changed(9, u32be(1)))).toBe('SEAL_COST_REFUSED')
    expect(await codeOf(changed(13, u32be(0xffffffff)))).toBe('SEAL_COST_REFUSED')
    expect(await codeOf(changed(13, u32be(1024)))).toBe('SEAL_COST_REFUSED')
    expect(await codeOf(changed(9, u32be(3)))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(changed(20, Uint8Array.of(header[20]! ^ 1)))).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(header, 'wrong horse')).toBe('SEAL_WRONG_PASSPHRASE')
    expect(await codeOf(header, '')).toBe('SEAL_WRONG_PASSPHRASE')
  })
})
