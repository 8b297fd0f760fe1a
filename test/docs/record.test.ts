/** docs/record.md against the code. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { encodeUtf8, formatHex } from '../../src/core/encoding/bytes.ts'
import { RecordError, type RecordErrorCode } from '../../src/record/errors.ts'
import { MAX_PARTS, PART_BYTES } from '../../src/record/dht/parts.ts'
import { encodeSignedSlot, SIGNED_SLOT_HEAD_BYTES } from '../../src/record/signed-slot.ts'
import { codesOf } from '../support/error-codes.ts'
import { engine, seedOf } from '../support/person.ts'

const DOC = readFileSync(new URL('../../docs/record.md', import.meta.url), 'utf8')

describe('docs/record.md', () => {
  it('lists every error code with its cause, and no other', () => {
    const codes = codesOf('RecordErrorCode', 'record/errors.ts')
    const listed = [...DOC.matchAll(/^\| `(RECORD_[A-Z_]+)` \|/gm)].map(([, code]) => code)
    expect(listed).toEqual(codes)
  })

  it('has the sizes of the networks', () => {
    const flowing = DOC.replaceAll('\n', ' ')
    expect(flowing).toContain(`at most ${PART_BYTES} bytes`)
    expect(flowing).toContain(`at most ${MAX_PARTS} parts, so a value has at most ${MAX_PARTS * PART_BYTES} bytes`)
    expect(flowing).toContain(`1048576 / n) - ${SIGNED_SLOT_HEAD_BYTES} bytes`)
  })

  it('names the refusals that pass', () => {
    const passing = codesOf('RecordErrorCode', 'record/errors.ts').filter(
      (code) => new RecordError(code as RecordErrorCode, '', '').passes,
    )
    expect(DOC).toContain(
      `${passing
        .map((code) => `\`${code}\``)
        .join(', ')
        .replace(/, (?=[^,]*$)/, ' and ')} may pass`,
    )
  })

  it('has the bytes that are signed', () => {
    const { publicKey, secretKey } = engine.signKeyPair(seedOf('writer'))
    const bytes = encodeUtf8('hello')
    const encoded = encodeSignedSlot(258, { seq: 7n, bytes }, secretKey, engine)
    expect(formatHex(encoded.subarray(0, 8))).toBe('0000000000000007')
    expect(encoded.subarray(72)).toEqual(bytes)
    const message = encodeUtf8('4:salt2:\u0001\u00023:seqi7e1:v5:hello')
    expect(engine.verify(encoded.subarray(8, 72), message, publicKey)).toBe(true)
  })
})
