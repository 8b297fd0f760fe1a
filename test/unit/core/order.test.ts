import { describe, expect, it } from 'vitest'
import { MAX_CLOCK_AHEAD_SEC, MAX_SEQ, MAX_SEQ_STEP } from '../../../src/core/limits.ts'
import {
  compareTables,
  freshness,
  isClockAhead,
  judge,
  pickHead,
  pickHeld,
  resignAtSec,
  type KnownPersona,
} from '../../../src/core/order.ts'
import type { VerifiedBlob } from '../../../src/core/verify.ts'
import { makePersona, makeVerified, NOW_SEC, type BlobWishes } from '../../support/made-persona.ts'

const ada = makePersona(1)
const DAY_SEC = 86_400
const root = ada.positions[0]!.next

const make = (wishes: BlobWishes): VerifiedBlob => makeVerified(ada, wishes)
const knows = (head: VerifiedBlob | null, minEpoch = 0): KnownPersona => ({ root, minEpoch, head })

describe('the order of tables', () => {
  it('compares epoch, then seq, then fewer devices, then lower T, and never the time', () => {
    const sameSeq = [make({ devices: [0] }), make({ devices: [1] })].toSorted((a, b) => compareTables(b, a))
    const ordered = [
      make({ epoch: 2, seq: 1, timeSec: 1 }),
      make({ epoch: 1, seq: MAX_SEQ }),
      make({ epoch: 1, seq: 1 }),
      make({ seq: MAX_SEQ, devices: [0, 1] }),
      make({ seq: 2, timeSec: 0xffff_ffff }),
      make({ devices: [] }),
      ...sameSeq,
      make({ devices: [0, 1] }),
    ]
    for (const [i, a] of ordered.entries()) {
      for (const [k, b] of ordered.entries()) expect(Math.sign(compareTables(a, b))).toBe(Math.sign(k - i))
    }
    expect(sameSeq[0]!.tableHash[0]).toBeLessThanOrEqual(sameSeq[1]!.tableHash[0]!)
    expect(ordered.length).toBe(9)
  })
})

describe('a step of seq', () => {
  const head = make({ seq: 1000 })
  it.each([
    [-1, 'stale'],
    [0, 'refresh'],
    [1, 'accept'],
    [2, 'accept'],
    [MAX_SEQ_STEP - 1, 'accept'],
    [MAX_SEQ_STEP, 'accept'],
    [MAX_SEQ_STEP + 1, 'held'],
    [MAX_SEQ - 1000, 'held'],
  ])('of %i gives the verdict %s', (step, verdict) => {
    expect(judge(make({ seq: 1000 + step }), knows(head), NOW_SEC).verdict).toBe(verdict)
  })

  it('to the last seq does not suffer from rounding', () => {
    const last = make({ seq: MAX_SEQ - 1 })
    expect(judge(make({ seq: MAX_SEQ }), knows(last), NOW_SEC).verdict).toBe('accept')
    expect(judge(make({ seq: MAX_SEQ }), knows(make({ seq: MAX_SEQ })), NOW_SEC).verdict).toBe('refresh')
  })

  it('keeps only the highest held blob', () => {
    const [lower, higher] = [make({ seq: 100_000 }), make({ seq: 200_000 })]
    expect(pickHeld(null, lower)).toBe(lower)
    expect(pickHeld(lower, higher)).toBe(higher)
    expect(pickHeld(higher, lower)).toBe(higher)
    expect(pickHeld(lower, lower)).toBe(lower)
  })
})

describe('a fork', () => {
  const head = make({ seq: 5 })
  const prev = head.tableHash.subarray(0, 16)
  it('of the head shows only in the very next table', () => {
    const judged = (seq: number, before: Uint8Array): unknown =>
      judge(make({ seq, prev: before }), knows(head), NOW_SEC)
    expect(judged(6, prev)).toMatchObject({ forkBehind: false })
    expect(judged(6, prev.with(15, prev[15]! ^ 1))).toMatchObject({ forkBehind: true })
    expect(judged(7, prev.with(0, prev[0]! ^ 1))).toMatchObject({ forkBehind: false })
  })

  it('looks the same to both readers, and one table wins', () => {
    const [a, b] = [make({ seq: 5, devices: [0] }), make({ seq: 5, devices: [1] })]
    const [first, second] = [judge(a, knows(b), NOW_SEC), judge(b, knows(a), NOW_SEC)]
    expect([first.verdict, second.verdict]).toEqual(['fork', 'fork'])
    expect('wins' in first && 'wins' in second && first.wins !== second.wins).toBe(true)
  })
})

describe('time', () => {
  it.each([
    [MAX_CLOCK_AHEAD_SEC - 1, false],
    [MAX_CLOCK_AHEAD_SEC, false],
    [MAX_CLOCK_AHEAD_SEC + 1, true],
  ])('%i s after this clock counts as ahead: %s', (ahead, expected) => {
    expect(isClockAhead(NOW_SEC + ahead, NOW_SEC)).toBe(expected)
  })

  const at = (ahead: number): VerifiedBlob => make({ timeSec: NOW_SEC + ahead })
  it.each([
    [0, 1, true],
    [0, 0, false],
    [0, -1, false],
    [0, MAX_CLOCK_AHEAD_SEC, true],
    [0, MAX_CLOCK_AHEAD_SEC + 1, false],
    [MAX_CLOCK_AHEAD_SEC + 1, 0, true],
    [MAX_CLOCK_AHEAD_SEC + 1, MAX_CLOCK_AHEAD_SEC + 2, false],
    [MAX_CLOCK_AHEAD_SEC + 2, MAX_CLOCK_AHEAD_SEC + 1, false],
    [MAX_CLOCK_AHEAD_SEC + 1, 900_000_000, false],
  ])('of a head is %i s and of the same table %i s, so the table refreshes the head: %s', (head, incoming, later) => {
    expect(judge(at(incoming), knows(at(head)), NOW_SEC)).toEqual({ verdict: 'refresh', later })
  })

  it('never refuses a blob, even if its writer is in 1970 or 2106', () => {
    for (const timeSec of [0, 1, 0xffff_ffff]) {
      expect(judge(make({ seq: 2, timeSec }), knows(make({})), NOW_SEC).verdict).toBe('accept')
    }
  })

  it.each([
    [-1000, 'fresh'],
    [0, 'fresh'],
    [14 * DAY_SEC, 'fresh'],
    [14 * DAY_SEC + 1, 'stale'],
    [60 * DAY_SEC, 'stale'],
    [60 * DAY_SEC + 1, 'expired'],
  ])('%i s ago is %s', (age, expected) => {
    expect(freshness(NOW_SEC - age, NOW_SEC)).toBe(expected)
  })

  it('to re-sign comes for one device after the other, six hours apart', () => {
    const due = [0, 1, 19].map((k) => resignAtSec(NOW_SEC, k) - NOW_SEC)
    expect(due).toEqual([7 * DAY_SEC, 7 * DAY_SEC + 6 * 3600, 7 * DAY_SEC + 19 * 6 * 3600])
    expect(due[2]).toBeLessThan(14 * DAY_SEC) // the last of twenty devices still keeps the table fresh
  })
})

describe('the head', () => {
  it('of one table signed twice has the later time, unless that is ahead of the clock', () => {
    const [early, late, ahead] = [make({}), make({ timeSec: NOW_SEC + 60 }), make({ timeSec: NOW_SEC + 90_000 })]
    expect(pickHead(early, late, NOW_SEC)).toBe(late)
    expect(pickHead(late, early, NOW_SEC)).toBe(late)
    expect(pickHead(ahead, early, NOW_SEC)).toBe(early)
    expect(pickHead(late, make({ seq: 2, timeSec: 0 }), NOW_SEC).seq).toBe(2)
  })

  it('is never below the epoch of the contact link, however good the blob', () => {
    expect(judge(make({ epoch: 1 }), knows(null, 2), NOW_SEC).verdict).toBe('stale')
    expect(judge(make({ epoch: 2 }), knows(null, 2), NOW_SEC).verdict).toBe('new')
    expect(judge(make({ epoch: 3 }), knows(null, 2), NOW_SEC).verdict).toBe('new')
  })

  it('is never replaced by a blob of another chain, which is a violation before any other verdict', () => {
    const forged = makePersona(1)
    const next = new Uint8Array(32).fill(3)
    for (const wishes of [{ seq: 1 }, { seq: 2 }, { seq: MAX_SEQ }, { seq: 9, document: 'broken' }]) {
      const blob = makeVerified(forged, { ...wishes, chain: { next } })
      expect(judge(blob, knows(make({ seq: 2 })), NOW_SEC).verdict).toBe('violation')
      expect(judge(blob, knows(null, 5), NOW_SEC).verdict).toBe('violation')
    }
  })
})
