import { describe, expect, it } from 'vitest'
import {
  blobBytesWithoutDocument,
  checkDeviceKey,
  decodeBlob,
  encodeBlob,
  resignBlob,
  signedMessage,
  tableMessage,
} from '../../../src/core/blob.ts'
import { BlobError } from '../../../src/core/errors.ts'
import { MAX_BLOB_BYTES } from '../../../src/core/limits.ts'
import { makeBlob, makeDeviceKey, makePersona, NOW_SEC } from '../../support/made-persona.ts'

const ada = makePersona(1)
const good = makeBlob(ada, { devices: [0, 1] })

function codeOf(run: () => unknown): string | null {
  try {
    run()
    return null
  } catch (error) {
    if (error instanceof BlobError) return error.code as string
    throw error
  }
}

/** Decodes a blob with these bytes changed, and returns the error code. It does not check signatures. */
function decodedCode(bytes: Uint8Array, at = 0, ...patch: readonly number[]): string | null {
  const blob = bytes.slice()
  blob.set(patch, at)
  return codeOf(() => decodeBlob(blob))
}

describe('a blob', () => {
  it.each([
    [0, 'BLOB_EPOCH_RANGE', 17],
    [16, null, 16],
    [16, 'BLOB_EPOCH_RANGE', 17],
    [16, 'BLOB_EPOCH_RANGE', 255],
  ])('of epoch %i gives %s when its epoch byte is %i', (epoch, code, said) => {
    expect(decodedCode(makeBlob(ada, { epoch }), 98, said)).toBe(code)
  })

  it.each([
    [0, 'BLOB_SEQ_ZERO'],
    [1, null],
    [0xffff_ffff, null],
  ])('of seq %i gives %s', (seq, code) => {
    expect(codeOf(() => decodeBlob(makeBlob(ada, { seq })))).toBe(code)
  })

  it.each([
    [17, 'BLOB_TRUNCATED'],
    [20, 'BLOB_TRUNCATED'],
    [21, 'BLOB_TOO_MANY_DEVICES'],
    [255, 'BLOB_TOO_MANY_DEVICES'],
  ])('with a device count of %i and two keys gives %s', (count, code) => {
    expect(decodedCode(good, 155, count)).toBe(code)
  })

  it.each([
    [0, 0, 'BLOB_UNKNOWN_VERSION'],
    [0, 2, 'BLOB_UNKNOWN_VERSION'],
    [1, 1, 'BLOB_SEALED_UNSUPPORTED'],
    [1, 3, 'BLOB_SEALED_UNSUPPORTED'],
    [1, 2, 'BLOB_UNKNOWN_FLAGS'],
    [1, 0x80, 'BLOB_UNKNOWN_FLAGS'],
  ])('with byte %i set to %i gives %s', (at, value, code) => {
    expect(decodedCode(good, at, value)).toBe(code)
  })

  it('of 748 bytes decodes, one of 749 is too long', () => {
    const room = MAX_BLOB_BYTES - blobBytesWithoutDocument(0, 1)
    expect(decodeBlob(makeBlob(ada, { devices: [0], deflated: new Uint8Array(room) })).bytes.length).toBe(748)
    const longer = makeBlob(ada, { devices: [0], deflated: new Uint8Array(room + 1) })
    expect(codeOf(() => decodeBlob(longer))).toBe('TOKEN_TOO_LONG')
  })

  it('cut anywhere before its document always gives BLOB_TRUNCATED', () => {
    let cuts = 0
    for (const epoch of [0, 1, 5, 16]) {
      const blob = makeBlob(ada, { epoch, devices: [0, 1], deflated: new Uint8Array(0) })
      expect(blob.length).toBe(blobBytesWithoutDocument(epoch, 2))
      for (let length = 0; length < blob.length; length++, cuts++) {
        expect(decodedCode(blob.subarray(0, length)), `${length} of epoch ${epoch}`).toBe('BLOB_TRUNCATED')
      }
      expect(decodedCode(blob)).toBe(null)
    }
    expect(cuts).toBe(220 + 316 + 380 + 556)
  })

  it('encodes back to the same bytes', () => {
    for (const epoch of [0, 1, 2, 16]) {
      const blob = makeBlob(ada, { epoch, seq: 7, devices: [0, 1, 2], document: 'a: b' })
      const decoded = decodeBlob(blob)
      expect(encodeBlob({ chain: decoded, ...decoded }, () => decoded.signature)).toEqual(blob)
    }
  })

  it('in a larger buffer is read from its own first byte', () => {
    const larger = new Uint8Array(good.length + 20)
    larger.set(good, 10)
    const { seq, timeSec, deviceKeys } = decodeBlob(larger.subarray(10, 10 + good.length))
    expect([seq, timeSec]).toEqual([1, NOW_SEC])
    expect(deviceKeys).toEqual([makeDeviceKey(0), makeDeviceKey(1)])
  })
})

describe('the signed message', () => {
  it('changes with every byte of the blob except the signature', () => {
    const before = signedMessage(good)
    for (let at = 0; at < good.length; at++) {
      const changed = signedMessage(good.with(at, good[at]! ^ 1))
      const isSignature = at >= 34 && at < 98
      expect(
        changed.some((byte, i) => byte !== before[i]),
        `byte ${at}`,
      ).toBe(!isSignature)
    }
  })

  it('has another label than the message of T, which leaves out the time', () => {
    const before = tableMessage(good)
    let free = 0
    for (let at = 0; at < good.length; at++) {
      const changed = tableMessage(good.with(at, good[at]! ^ 1))
      if (changed.every((byte, i) => byte === before[i])) free++
    }
    expect(free).toBe(64 + 4)
    expect(before.length).toBe(signedMessage(good).length + 1)
  })

  it('changes with a re-sign, while the message of T and the given blob do not', () => {
    const kept = good.slice()
    const again = resignBlob(good, NOW_SEC + 1, (message) => ada.sign(0, message))
    expect(good).toEqual(kept)
    const inBuffer = Buffer.from(good)
    expect(resignBlob(inBuffer, NOW_SEC + 1, (message) => ada.sign(0, message))).toEqual(again)
    expect(Uint8Array.from(inBuffer)).toEqual(kept)
    expect(tableMessage(again)).toEqual(tableMessage(good))
    expect(signedMessage(again)).not.toEqual(signedMessage(good))
    expect(decodeBlob(again).timeSec).toBe(NOW_SEC + 1)
  })
})

describe('the time in a blob', () => {
  it.each([
    [-1, 0],
    [0, 0],
    [0xffff_ffff, 0xffff_ffff],
    [0x1_0000_0000, 0xffff_ffff],
  ])('given as %i is written as %i and never wraps around', (timeSec, written) => {
    const again = resignBlob(good, timeSec, (message) => ada.sign(0, message))
    expect(decodeBlob(again).timeSec).toBe(written)
  })
})

describe('a device key', () => {
  it.each([31, 33, 0])('of %i bytes is not canonical', (length) => {
    expect(codeOf(() => checkDeviceKey(new Uint8Array(length).fill(9)))).toBe('DEVICE_KEY_NOT_CANONICAL')
  })

  it('is compared with all keys before it, not only with the last', () => {
    expect(codeOf(() => decodeBlob(makeBlob(ada, { devices: [0, 1, 2, 0] })))).toBe('DEVICE_KEY_TWICE')
  })
})
