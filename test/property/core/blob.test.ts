/** Blobs: a decoded blob encodes back to the same bytes, and any bytes give a value or a BlobError. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBlob, encodeBlob, PREV_BYTES, signedMessage } from '../../../src/core/blob.ts'
import { formatBase64url, formatHex, parseBase64url } from '../../../src/core/encoding/bytes.ts'
import { BlobError } from '../../../src/core/errors.ts'
import { MAX_BLOB_BYTES, MAX_EPOCH, MAX_SEQ } from '../../../src/core/limits.ts'
import { encodeTable, nameDevices } from '../../../src/core/table.ts'
import { composeStatus, ownWords } from '../../../src/core/token.ts'
import { judgeStatus, verifyBlob, type VerifiedBlob } from '../../../src/core/verify.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { makeBlob, makeDevice, makePersona, sodium } from '../../support/made-persona.ts'

const ada = makePersona(1)
const epochs = fc.integer({ min: 0, max: MAX_EPOCH })
const GOOD = Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) =>
  makeBlob(ada, { epoch, devices: [0, 1], document: 'names: [laptop,phone]\nnote: x' }),
)

function verifyOrCode(bytes: Uint8Array): VerifiedBlob | string {
  try {
    return verifyBlob(decodeBlob(bytes), sodium)
  } catch (error) {
    if (error instanceof BlobError) return error.code as string
    throw error
  }
}

/** A good blob with bytes changed, cut or added at random, mostly in its fields; sometimes signed again. */
const damaged = fc
  .record({
    epoch: epochs,
    changes: fc.array(
      fc.tuple(fc.oneof(fc.nat(1), fc.nat({ max: 800 }), fc.integer({ min: 96, max: 160 })), fc.nat(255)),
      {
        maxLength: 4,
      },
    ),
    cut: fc.option(fc.nat({ max: MAX_BLOB_BYTES }), { freq: 4 }),
    more: fc.uint8Array({ maxLength: 5 }),
    isSigned: fc.boolean(),
  })
  .map(({ epoch, changes, cut, more, isSigned }) => {
    const good = GOOD[epoch]!
    const bytes = new Uint8Array([...good.subarray(0, cut ?? good.length), ...more])
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
    if (isSigned && bytes.length > 160) bytes.set(ada.sign(epoch, signedMessage(bytes)), 34)
    return bytes
  })

describe('a blob', () => {
  it('that decodes encodes back to the same bytes', () => {
    let decoded = 0
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 3, arbitrary: damaged },
          epochs.map((epoch) => GOOD[epoch]!),
        ),
        (bytes) => {
          try {
            const blob = decodeBlob(bytes)
            expect(encodeBlob({ chain: blob, ...blob }, () => blob.signature)).toEqual(bytes)
            decoded++
          } catch (error) {
            if (!(error instanceof BlobError)) throw error
          }
        },
      ),
      { numRuns: 1500 },
    )
    expect(decoded).toBeGreaterThan(300)
  })

  it('of any bytes gives a value or a BlobError, and verifies only if it is the signed one', () => {
    const codes = new Map<string, number>()
    fc.assert(
      fc.property(fc.oneof({ weight: 8, arbitrary: damaged }, fc.uint8Array({ maxLength: 800 })), (bytes) => {
        const result = verifyOrCode(bytes.slice())
        const code = typeof result === 'string' ? result : 'good'
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (typeof result !== 'string') {
          expect(sodium.verify(result.signature, signedMessage(bytes), result.signingKey)).toBe(true)
          // At epoch 0, K_0 itself signs the commitment. After that nobody can change it.
          if (result.epoch > 0) expect(formatHex(result.root)).toBe(formatHex(ada.positions[0]!.next))
        }
      }),
      { numRuns: 1500 },
    )
    expect(codes.size).toBeGreaterThan(5)
    expect(codes.get('good')).toBeGreaterThan(10)
  })

  it('of any table signs, verifies and decodes to that table, with and without names, at every epoch', () => {
    const name = fc.stringMatching(/^[a-z]([a-z -]{0,6}[a-z])?$/)
    const tables = fc.record({
      epoch: epochs,
      seq: fc.integer({ min: 1, max: MAX_SEQ }),
      timeSec: fc.nat({ max: 0xffff_ffff }),
      prev: fc.uint8Array({ minLength: PREV_BYTES, maxLength: PREV_BYTES }),
      numbers: fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 6 }),
      names: fc.uniqueArray(name, { minLength: 6, maxLength: 6 }),
      named: fc.boolean(),
      words: fc.string({ unit: 'grapheme', maxLength: 20 }),
    })
    fc.assert(
      fc.property(tables, ({ epoch, numbers, names, words, ...fields }) => {
        const devices = numbers.map((number, i) => makeDevice(number, names[i]))
        const draft = { chain: ada.positions[epoch]!, devices, document: [['note', 'kept']] as const, ...fields }
        const { blob } = encodeTable(draft, false, compress, (message) => ada.sign(epoch, message))
        const judged = judgeStatus(composeStatus(words, blob).text, sodium)
        expect(judged.words).toBe(ownWords(words))
        const { seq, timeSec, prev, ...rest } = judged.blob!
        expect({ seq, timeSec, prev, epoch: rest.epoch }).toEqual({
          seq: fields.seq,
          timeSec: fields.timeSec,
          prev: fields.prev,
          epoch,
        })
        expect(rest.content).toMatchObject({ ok: true })
        const known = new Map(devices.map(({ key, name: known }) => [key, known]))
        expect(nameDevices(judged.blob!, (key) => known.get(key))).toEqual(devices)
      }),
      { numRuns: 200 },
    )
  })
})

describe('a text', () => {
  const pieces = fc.oneof(
    fc.constantFrom('persona:', 'persona', ':', ' ', '\n', '\u00a0', 'A'.repeat(208), 'A'.repeat(998), '/', '='),
    epochs.map((epoch) => composeStatus('', GOOD[epoch]!).text),
    damaged.map((bytes) => `persona:${formatBase64url(bytes)}`),
    fc.string({ unit: 'binary', maxLength: 10 }),
  )
  const texts = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''))

  it('through judgeStatus gives a value or a BlobError', () => {
    const outcomes = new Map<string, number>()
    const count = (what: string): void => void outcomes.set(what, (outcomes.get(what) ?? 0) + 1)
    fc.assert(
      fc.property(texts, (text) => {
        try {
          count(judgeStatus(text, sodium).blob === null ? 'words' : 'blob')
        } catch (error) {
          if (!(error instanceof BlobError)) throw error
          count(error.code as string)
        }
      }),
      { numRuns: 1500 },
    )
    for (const expected of ['words', 'blob', 'TOKEN_TWICE', 'TOKEN_DAMAGED', 'SIGNATURE_BAD']) {
      expect(outcomes.get(expected) ?? 0, expected).toBeGreaterThan(5)
    }
  })

  it('has words without a token, and they survive both a second ownWords and publishing', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const words = ownWords(text)
        expect(ownWords(words)).toBe(words)
        const status = composeStatus(text, GOOD[0]!)
        expect(ownWords(status.text)).toBe(words)
        expect(judgeStatus(status.text, sodium)).toMatchObject({ words, blob: { seq: 1 } })
        expect(status.text.endsWith(formatBase64url(GOOD[0]!))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  it('decodes as base64url exactly if the bytes encode back to it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.string({ maxLength: 12 }), (bytes, text) => {
        expect(parseBase64url(formatBase64url(bytes))).toEqual(bytes)
        const parsed = parseBase64url(text)
        if (parsed !== null) expect(formatBase64url(parsed)).toBe(text)
      }),
    )
  })
})
