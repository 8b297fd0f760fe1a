import { describe, expect, it } from 'vitest'
import { decodeBlob, resignBlob, signedMessage } from '../../../src/core/blob.ts'
import type { Engine } from '../../../src/core/engine.ts'
import { BlobError } from '../../../src/core/errors.ts'
import { formatToken } from '../../../src/core/token.ts'
import { judgeStatus, decodeVerified, verifyBlob } from '../../../src/core/verify.ts'
import { ENGINES, makeBlob, makePersona, NOW_SEC, sodium, verified } from '../../support/made-persona.ts'

const ada = makePersona(1)
const NAMED = { devices: [0, 1], document: [['names', ['laptop', 'phone']]] as const }

function codeOf(blob: Uint8Array, engine: Engine = sodium): string | null {
  try {
    verifyBlob(decodeBlob(blob), engine)
    return null
  } catch (error) {
    if (error instanceof BlobError) return error.code as string
    throw error
  }
}

/** An engine that counts its calls. */
function counting(): Engine & { verifies: number } {
  const counter = {
    verifies: 0,
    sha512: sodium.sha512.bind(sodium),
    verify: (signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean => {
      counter.verifies++
      return sodium.verify(signature, message, key)
    },
  }
  return counter
}

describe('verifying a blob', () => {
  it('fails for every single flipped bit, at every epoch', () => {
    let flips = 0
    for (const epoch of [0, 2]) {
      const blob = makeBlob(ada, { epoch, ...NAMED })
      for (let at = 0; at < blob.length; at++) {
        for (const bit of [1, 0x80]) {
          const flipped = blob.with(at, blob[at]! ^ bit)
          expect(codeOf(flipped), `byte ${at} of epoch ${epoch}`).not.toBe(null)
          flips++
        }
      }
    }
    expect(flips).toBe(2 * (225 + 337))
  })

  it('checks the form before the signature, and the signature before the document', () => {
    const engine = counting()
    expect(codeOf(makeBlob(ada, { seq: 0 }), engine)).toBe('BLOB_SEQ_ZERO')
    expect(codeOf(makeBlob(ada, { devices: [0, 0] }), engine)).toBe('DEVICE_KEY_TWICE')
    expect(engine.verifies).toBe(0)
    const bomb = makeBlob(ada, { document: `a: ${'x'.repeat(100_000)}`, chain: { signingKey: new Uint8Array(32) } })
    bomb[40]! ^= 1
    expect(codeOf(bomb, engine)).toBe('SIGNATURE_BAD')
    expect(engine.verifies).toBe(1)
  })

  it('verifies an inception once per persona, chain and signature, and remembers only good ones', () => {
    const inceptions = new Set<string>()
    const engine = counting()
    const judge = (blob: Uint8Array): unknown => verifyBlob(decodeBlob(blob), engine, inceptions)
    judge(makeBlob(ada, { epoch: 1 }))
    expect(engine.verifies).toBe(2)
    judge(makeBlob(ada, { epoch: 7, seq: 3 }))
    expect(engine.verifies).toBe(3)
    const forged = makeBlob(ada, { epoch: 1, chain: { inception: new Uint8Array(64).fill(1) } })
    for (let i = 0; i < 2; i++) expect(() => judge(forged)).toThrow(expect.objectContaining({ code: 'INCEPTION_BAD' }))
    expect(engine.verifies).toBe(7)
    expect(inceptions.size).toBe(1)
  })

  it('refuses the key of an earlier epoch for a later blob', () => {
    const blob = makeBlob(ada, { epoch: 3 })
    for (const epoch of [0, 1, 2, 4]) {
      blob.set(ada.sign(epoch, signedMessage(blob)), 34)
      expect(codeOf(blob)).toBe('SIGNATURE_BAD')
    }
  })

  it('returns an unreadable document as a value, with keys and chain', () => {
    for (const engine of ENGINES) {
      const { content, deviceKeys } = verifyBlob(decodeBlob(makeBlob(ada, { devices: [0], document: '- a' })), engine)
      expect(content).toMatchObject({ ok: false, code: 'DOCUMENT_SYNTAX' })
      expect(deviceKeys.length).toBe(1)
    }
  })

  it('lets no key of a document reach a prototype', () => {
    const document = [
      ['names', ['__proto__', 'constructor']],
      ['constructor', 'y'],
      ['toString', 'z'],
    ] as const
    const { content } = verified(makeBlob(ada, { devices: [0, 1], document }))
    expect(content).toMatchObject({ ok: true, names: ['__proto__', 'constructor'] })
    expect(({} as Record<string, unknown>)['x']).toBe(undefined)
  })

  it('keeps T over a re-sign, and changes T with any other change', () => {
    const { tableHash } = verified(makeBlob(ada, NAMED))
    const again = resignBlob(makeBlob(ada, NAMED), NOW_SEC + 99, (message) => ada.sign(0, message))
    expect(verified(again).tableHash).toEqual(tableHash)
    for (const other of [{ seq: 2 }, { devices: [1, 0] }, { document: '' }, { prev: new Uint8Array(16).fill(1) }]) {
      expect(verified(makeBlob(ada, { ...NAMED, ...other })).tableHash).not.toEqual(tableHash)
    }
  })

  it('is skipped for a stored blob, which decodes to the same value', () => {
    const blob = makeBlob(ada, { epoch: 2, ...NAMED })
    const engine = counting()
    expect(decodeVerified(blob, engine)).toEqual(verified(blob))
    expect(engine.verifies).toBe(0)
  })
})

describe('judging a status message', () => {
  it('returns the words and the verified blob', () => {
    const blob = makeBlob(ada, NAMED)
    const judged = judgeStatus(`In the garden ${formatToken(blob)}`, sodium)
    expect([judged.words, judged.fragment]).toEqual(['In the garden', false])
    expect(judged.blob).toEqual(verified(blob))
  })

  it('reports whether a text without a token has something that begins like one', () => {
    expect(judgeStatus('hello', sodium)).toEqual({
      words: 'hello',
      fragment: false,
      blob: null,
      isShown: false,
      short: null,
    })
    expect(judgeStatus('persona:AAAA', sodium)).toEqual({
      words: 'persona:AAAA',
      fragment: true,
      blob: null,
      isShown: false,
      short: null,
    })
  })
})
