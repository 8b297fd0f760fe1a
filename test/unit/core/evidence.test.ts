import { describe, expect, it } from 'vitest'
import {
  addEvidence,
  MAX_EVIDENCE_PER_PERSONA,
  MAX_EVIDENCE_PER_SEQ,
  type Evidence,
  type EvidenceKind,
} from '../../../src/core/evidence.ts'

function piece(kind: EvidenceKind, seq: number, table: string, root = 'r', epoch = 0): Evidence {
  return { kind, epoch, seq, tableHash: table, root, seenAtSec: 1, blob: table }
}

function collect(...pieces: readonly Evidence[]): readonly Evidence[] {
  return pieces.reduce(addEvidence, [])
}

const stale = (n: number): Evidence => piece('stale', n, `s${n}`)
const fill = (kind: EvidenceKind, count: number): Evidence[] =>
  Array.from({ length: count }, (_, n) => piece(kind, n, `${kind}${n}`))

describe('evidence', () => {
  it('is kept once for each table and chain, in the same array if nothing is new', () => {
    const kept = collect(stale(1))
    expect(addEvidence(kept, { ...stale(1), seenAtSec: 9 })).toBe(kept)
    expect(addEvidence(kept, piece('stale', 1, 's1', 'other chain')).length).toBe(2)
  })

  it('gets the stronger kind when its table turns out to prove more, and keeps its time', () => {
    const kept = collect(stale(1), { ...piece('fork', 1, 's1'), seenAtSec: 9 })
    expect(kept).toEqual([{ ...stale(1), kind: 'fork' }])
    expect(addEvidence(kept, stale(1))).toBe(kept)
  })

  it.each([
    [MAX_EVIDENCE_PER_SEQ - 1, true],
    [MAX_EVIDENCE_PER_SEQ, false],
    [MAX_EVIDENCE_PER_SEQ + 1, false],
  ])('of one seq, with %i blobs, has room for another: %s', (count, hasRoom) => {
    const kept = collect(...Array.from({ length: count }, (_, n) => piece('fork', 7, `f${n}`)))
    expect(addEvidence(kept, piece('fork', 7, 'new')) !== kept).toBe(hasRoom)
    expect(addEvidence(kept, piece('fork', 7, 'new', 'r', 1)) !== kept).toBe(true)
    expect(addEvidence(kept, piece('fork', 8, 'new')) !== kept).toBe(true)
  })

  it.each([
    [MAX_EVIDENCE_PER_PERSONA - 1, true],
    [MAX_EVIDENCE_PER_PERSONA, false],
  ])('of one persona, with %i blobs, has room for another: %s', (count, hasRoom) => {
    const kept = collect(...fill('stale', count))
    expect(addEvidence(kept, stale(99)) !== kept).toBe(hasRoom)
    expect(kept.length).toBe(count)
  })

  it('that proves more replaces the oldest piece that proves less, never the reverse', () => {
    const full = collect(...fill('stale', 15), piece('fork', 99, 'f'))
    const withFork = addEvidence(full, piece('fork', 50, 'g'))
    expect(withFork.map(({ tableHash }) => tableHash)).toEqual([...full.slice(1).map((one) => one.tableHash), 'g'])
    const withTheft = fill('violation', 16).reduce(addEvidence, withFork)
    expect(new Set(withTheft.map(({ kind }) => kind))).toEqual(new Set(['violation']))
    for (const kind of ['stale', 'fork', 'violation'] as const) {
      expect(addEvidence(withTheft, piece(kind, 1000, 'late'))).toBe(withTheft)
    }
  })

  it('of a full seq makes room only by losing a weaker piece of that seq, even if the persona has room', () => {
    const kept = collect(piece('stale', 7, 'a'), piece('fork', 7, 'b'))
    expect(addEvidence(kept, piece('stale', 7, 'c'))).toBe(kept)
    const theft = addEvidence(kept, piece('violation', 7, 'c'))
    expect(theft.map(({ tableHash }) => tableHash)).toEqual(['b', 'c'])
  })

  it('of another chain has room of its own at a seq', () => {
    const kept = collect(piece('violation', 7, 'a', 'x'), piece('violation', 7, 'b', 'x'))
    expect(addEvidence(kept, piece('violation', 7, 'c', 'x'))).toBe(kept)
    expect(addEvidence(kept, piece('violation', 7, 'c', 'y'))).toHaveLength(3)
  })

  it('of a chain that no piece shows gets in always, and pushes out the oldest of the chain with most pieces', () => {
    const full = collect(
      ...Array.from({ length: 14 }, (_, n) => piece('violation', n, `t${n}`, `r${n}`)),
      piece('violation', 20, 'second of r5', 'r5'),
      piece('violation', 21, 'third of r5', 'r5'),
    )
    const news = addEvidence(full, piece('violation', 1, 'new', 'new'))
    expect(news.map(({ tableHash }) => tableHash)).toEqual(
      [...full.map((one) => one.tableHash), 'new'].filter((t) => t !== 't5'),
    )
    expect(addEvidence(news, piece('violation', 2, 'again', 'new'))).toBe(news)
    const single = Array.from({ length: 16 }, (_, n) => piece('violation', n, `t${n}`, `r${n}`))
    expect(addEvidence(single, piece('violation', 1, 'new', 'new'))[0]).toBe(single[1])
  })

  it('stays within its bounds, whatever a thief signs', () => {
    let kept: readonly Evidence[] = []
    const kinds = ['stale', 'fork', 'violation'] as const
    for (let n = 0; n < 3000; n++) {
      kept = addEvidence(kept, piece(kinds[n % 3]!, n % 11, `t${n % 701}`, `r${n % 5}`, n % 2))
      expect(kept.length).toBeLessThanOrEqual(MAX_EVIDENCE_PER_PERSONA)
    }
    const perSeq = Map.groupBy(kept, ({ epoch, seq, root }) => `${epoch} ${seq} ${root}`)
    expect(Math.max(...[...perSeq.values()].map((pieces) => pieces.length))).toBeLessThanOrEqual(MAX_EVIDENCE_PER_SEQ)
  })
})
