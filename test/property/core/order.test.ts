/** Picking a head: all readers end with the same head, whatever the order of arrival. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_CLOCK_AHEAD_SEC, MAX_SEQ_STEP } from '../../../src/core/limits.ts'
import { compareTables, judge, pickHead } from '../../../src/core/order.ts'
import type { VerifiedBlob } from '../../../src/core/verify.ts'
import { makePersona, makeVerified, NOW_SEC } from '../../support/made-persona.ts'

const ada = makePersona(1)
const root = ada.positions[0]!.next
const TIMES = [-1, 0, 60, MAX_CLOCK_AHEAD_SEC, MAX_CLOCK_AHEAD_SEC + 1, MAX_CLOCK_AHEAD_SEC + 2, 1_000_000]
const BLOBS: readonly VerifiedBlob[] = [0, 1].flatMap((epoch) =>
  [1, 2].flatMap((seq) =>
    [[], [0], [1]].flatMap((devices) =>
      TIMES.map((ahead) => makeVerified(ada, { epoch, seq, devices, timeSec: NOW_SEC + ahead })),
    ),
  ),
)
const blobs = fc.constantFrom(...BLOBS)

describe('picking a head', () => {
  it('is commutative, associative and idempotent, and returns one of the two', () => {
    expect(BLOBS.length).toBe(2 * 2 * 3 * 7)
    fc.assert(
      fc.property(blobs, blobs, blobs, (a, b, c) => {
        const pick = (x: VerifiedBlob, y: VerifiedBlob): VerifiedBlob => pickHead(x, y, NOW_SEC)
        expect(pick(a, b)).toBe(pick(b, a))
        expect(pick(pick(a, b), c)).toBe(pick(a, pick(b, c)))
        expect(pick(a, a)).toBe(a)
        expect([a, b]).toContain(pick(a, b))
        expect(compareTables(pick(a, b), a)).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 2000 },
    )
  })

  it('by judging one blob after the other ends with the same table, whatever the order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(blobs, { minLength: 1, maxLength: 8 }), fc.infiniteStream(fc.nat()), (list, keys) => {
        const shuffled = list.map((blob) => [keys.next().value, blob] as const).toSorted(([a], [b]) => a - b)
        const [one, other] = [follow(list), follow(shuffled.map(([, blob]) => blob))]
        expect(compareTables(one, other)).toBe(0)
        expect(
          compareTables(
            one,
            list.reduce((a, b) => pickHead(a, b, NOW_SEC)),
          ),
        ).toBe(0)
        const isAhead = (blob: VerifiedBlob): boolean => blob.timeSec > NOW_SEC + MAX_CLOCK_AHEAD_SEC
        if (!isAhead(one) || !isAhead(other)) expect(one.timeSec).toBe(other.timeSec)
      }),
      { numRuns: 1000 },
    )
  })

  it('never goes back: an accepted blob wins over the head, and a lower one never replaces it', () => {
    fc.assert(
      fc.property(blobs, blobs, (head, incoming) => {
        const judged = judge(incoming, { root, minEpoch: 0, head }, NOW_SEC)
        const order = compareTables(incoming, head)
        const isTaken = judged.verdict === 'accept' || (judged.verdict === 'fork' && judged.wins)
        expect(isTaken).toBe(order > 0)
        expect(judged.verdict === 'refresh').toBe(order === 0)
      }),
      { numRuns: 1000 },
    )
    expect(MAX_SEQ_STEP).toBeGreaterThan(2) // no blob here is held
  })
})

function follow(list: readonly VerifiedBlob[]): VerifiedBlob {
  let head: VerifiedBlob | null = null
  for (const blob of list) {
    const judged = judge(blob, { root, minEpoch: 0, head }, NOW_SEC)
    const isTaken =
      judged.verdict === 'new' ||
      judged.verdict === 'accept' ||
      (judged.verdict === 'fork' && judged.wins) ||
      (judged.verdict === 'refresh' && judged.later)
    if (isTaken) head = blob
  }
  return head!
}
