import { describe, expect, test } from 'vitest'
import { judgeCard, type KnownCards } from '../../../src/card/order.ts'
import { makePersona, NOW_SEC } from '../../support/made-persona.ts'
import { verifiedCard } from '../../support/cards.ts'

const alice = makePersona(1)
const first = verifiedCard(alice)
const fifth = verifiedCard(alice, { seq: 5 })
const known = (wishes: Partial<KnownCards> = {}): KnownCards => ({
  root: first.root,
  minEpoch: 0,
  head: fifth,
  ...wishes,
})

test('the first card is accepted at any seq', () => {
  const none = { root: null, minEpoch: 0, head: null }
  expect(judgeCard(verifiedCard(alice, { seq: 4_000_000 }), none)).toEqual({ verdict: 'accept' })
})

test('a higher seq counts, a lower one is stale, and the same card is the same', () => {
  expect(judgeCard(verifiedCard(alice, { seq: 6 }), known())).toEqual({ verdict: 'accept' })
  expect(judgeCard(first, known())).toEqual({ verdict: 'stale' })
  expect(judgeCard(fifth, known())).toEqual({ verdict: 'same' })
})

test('of two cards with one seq the one with the lower hash counts, whichever came first', () => {
  const other = verifiedCard(alice, { seq: 5, issuedAtSec: NOW_SEC + 1 })
  const wins = [judgeCard(other, known()), judgeCard(fifth, known({ head: other }))]
  expect(wins).toContainEqual({ verdict: 'fork', wins: true })
  expect(wins).toContainEqual({ verdict: 'fork', wins: false })
})

test('a jump of more than 65 536 is held, and one of 65 536 is accepted', () => {
  expect(judgeCard(verifiedCard(alice, { seq: 5 + 65_536 }), known())).toEqual({ verdict: 'accept' })
  expect(judgeCard(verifiedCard(alice, { seq: 5 + 65_537 }), known())).toEqual({ verdict: 'held' })
})

describe('after a rotation', () => {
  const rotated = verifiedCard(alice, { epoch: 1, seq: 1 })

  test('a card of the new epoch counts, whatever its seq', () => {
    expect(judgeCard(rotated, known())).toEqual({ verdict: 'accept' })
  })

  test('no card of the old epoch is taken, also where another app or a blob showed the new one', () => {
    const later = verifiedCard(alice, { seq: 9 })
    expect(judgeCard(later, known({ head: rotated }))).toEqual({ verdict: 'ended' })
    expect(judgeCard(later, known({ minEpoch: 1 }))).toEqual({ verdict: 'ended' })
    expect(judgeCard(later, known({ minEpoch: 1, head: null }))).toEqual({ verdict: 'ended' })
  })
})

test('a card of a second chain is disputed, also if it would be stale', () => {
  const next = new Uint8Array(32).fill(9)
  const second = verifiedCard(alice, { seq: 1, chain: { next } })
  expect(judgeCard(second, known())).toEqual({ verdict: 'disputed' })
  expect(judgeCard(second, known({ minEpoch: 3 }))).toEqual({ verdict: 'disputed' })
})
