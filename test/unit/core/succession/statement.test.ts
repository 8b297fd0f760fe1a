import { describe, expect, it } from 'vitest'
import { PREV_BYTES } from '../../../../src/core/blob.ts'
import { parseBase64url } from '../../../../src/core/encoding/bytes.ts'
import { PREDECESSOR, type Document } from '../../../../src/core/document.ts'
import { MAX_EPOCH } from '../../../../src/core/limits.ts'
import {
  isWholeStatement,
  judgeStatement,
  makeStatement,
  MAX_STATEMENT_BYTES,
  parseStatement,
  readStatement,
  shorterStatements,
  type StatementVerdict,
} from '../../../../src/core/succession/statement.ts'
import { encodeTable, type EncodedTable } from '../../../../src/core/table.ts'
import type { VerifiedBlob } from '../../../../src/core/verify.ts'
import { compress } from '../../../../src/daemon/own/compress.ts'
import { makeDevice, makePersona, makeVerified, NOW_SEC, sodium, verified } from '../../../support/made-persona.ts'

const [ada, bea] = [makePersona(1), makePersona(2)]
const { personaId, next: root } = ada.positions[0]!
const SUCCESSOR = { personaId: bea.positions[0]!.personaId, root: bea.positions[0]!.next }
const whole = makeStatement(ada.positions[MAX_EPOCH]!, root, SUCCESSOR, (message) => ada.sign(MAX_EPOCH, message))

function judgeAt(value: string, head: VerifiedBlob | null): StatementVerdict | null {
  const statement = parseStatement(value)
  if (statement === null) return null
  return judgeStatement(statement, SUCCESSOR, personaId, { root, minEpoch: 0, head }, sodium)
}

describe('a successor statement', () => {
  it('has 368 bytes with every link, and reads back', () => {
    expect(whole.length).toBe(MAX_STATEMENT_BYTES)
    expect(MAX_STATEMENT_BYTES).toBe(368)
    const values = shorterStatements(whole)
    expect(values.map((value) => parseStatement(value)?.from)).toEqual(Array.from({ length: 16 }, (_, from) => from))
    expect(readStatement([[PREDECESSOR, values[0]!]])?.bytes).toEqual(whole)
    expect(readStatement([[PREDECESSOR, values]])).toBeNull()
    expect(readStatement([])).toBeNull()
  })

  it('is judged by every reader who knows a table of its first epoch or a later one, and by no other', () => {
    let ran = 0
    for (let epoch = 0; epoch <= MAX_EPOCH; epoch++) {
      const head = makeVerified(ada, { epoch, devices: [0] })
      for (const [from, value] of shorterStatements(whole).entries()) {
        const expected: StatementVerdict = epoch === MAX_EPOCH ? 'unproven' : epoch < from ? 'behind' : 'proven'
        expect(judgeAt(value, head), `${epoch} ${from}`).toBe(expected)
        ran++
      }
    }
    expect(ran).toBe(17 * 16)
  })

  it('is invalid after a change of any single bit, whatever the reader knows', () => {
    let ran = 0
    const head = makeVerified(ada, { devices: [0] })
    for (let at = 0; at < whole.length * 8; at++) {
      const bytes = whole.slice()
      bytes[at >> 3]! ^= 1 << (at & 7)
      const statement = parseStatement(shorterStatements(bytes)[0]!)!
      for (const known of [head, null]) {
        expect(judgeStatement(statement, SUCCESSOR, personaId, { root, minEpoch: 0, head: known }, sodium)).toBe(
          'invalid',
        )
      }
      expect(isWholeStatement(statement, SUCCESSOR, sodium), `bit ${at}`).toBe(false)
      ran++
    }
    expect(ran).toBe(2944)
  })

  it('proves itself when it is whole, and only then', () => {
    const [first, second] = shorterStatements(whole)
    expect(isWholeStatement(parseStatement(first!)!, SUCCESSOR, sodium)).toBe(true)
    expect(isWholeStatement(parseStatement(second!)!, SUCCESSOR, sodium)).toBe(false)
    expect(isWholeStatement(parseStatement(first!)!, { personaId, root }, sodium)).toBe(false)
  })
})

describe('a table that carries a successor statement', () => {
  const encode = (count: number, document: Document = [], mayGiveUp = false, names = 'device'): EncodedTable =>
    encodeTable(
      {
        chain: bea.positions[0]!,
        seq: 1,
        timeSec: NOW_SEC,
        prev: new Uint8Array(PREV_BYTES),
        devices: Array.from({ length: count }, (_, i) => makeDevice(i, `${names} ${i}`)),
        named: true,
        document,
        predecessor: shorterStatements(whole),
      },
      mayGiveUp,
      compress,
      (message) => bea.sign(0, message),
    )
  const fromOf = (blob: Uint8Array): number | null => {
    const { content } = verified(blob)
    return content.ok ? (readStatement(content.document)?.from ?? null) : null
  }

  it('has every link with four devices, fewer with more devices, and none of it at last', () => {
    const froms = Array.from({ length: 15 }, (_, count) => fromOf(encode(count).blob))
    expect(froms.slice(0, 5)).toEqual([0, 0, 0, 0, 0])
    expect(froms.at(-1)).toBeNull()
    // The more devices, the later it begins.
    const numbers = froms.map((from) => from ?? 16)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(new Set(numbers).size).toBeGreaterThan(5)
  })

  it('gives up unknown keys before the statement, and the statement before a name', () => {
    const crowded = encode(8, [['note', 'x'.repeat(40)]])
    expect(crowded).toMatchObject({ gaveUpKeys: true, gaveUpPredecessor: false, gaveUpNames: false, named: true })
    expect(encode(14, [], true)).toMatchObject({ gaveUpPredecessor: true, gaveUpNames: false, named: true })
  })

  it('has only the own statement, not one that the document before it had', () => {
    const foreign: Document = [
      ['Predecessor', 'x'],
      ['note', 'y'],
    ]
    const { content } = verified(encode(1, foreign).blob)
    expect(content.ok && content.document.map(([key]) => key)).toEqual(['names', PREDECESSOR, 'note'])
    expect(content.ok && readStatement(content.document)?.bytes).toEqual(whole)
    expect(parseBase64url(shorterStatements(whole)[0]!)).toEqual(whole)
  })
})
