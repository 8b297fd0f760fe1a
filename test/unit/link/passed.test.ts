/** What the daemon of a source channel says and passes on for another daemon of its persona (docs/links.md, section 5). */
import { describe, expect, test } from 'vitest'
import { gone, lacking, MAX_LEAP, NOTHING_PASSED, spoke, stopped, type Passed } from '../../../src/link/passed.ts'
import { NO_PROPOSAL, spokenFor, tell } from '../../../src/link/proposal.ts'
import type { ProposalText, Saying } from '../../../src/link/text.ts'
import { NOW_SEC } from '../../support/made-persona.ts'
import { TARGET_APP } from '../../support/proposals.ts'

const TOLD = { channel: 'one', name: 'Kim', isProvided: true }
const BYTES = Uint8Array.of(1)

function text(n: number, says: 'decline' | 'open'): ProposalText {
  const saying: Saying = says === 'open' ? { says, opened: '00' } : { says }
  return { app: TARGET_APP, n, seen: 4, saying }
}

/** The target daemon has said this, and it has gone. */
function said(n: number, says: 'decline' | 'open'): Passed {
  return gone(spoke({ ...NOTHING_PASSED, told: TOLD }, text(n, says), BYTES, NOW_SEC))
}

describe('a contact who is not provided any more', () => {
  test('is withdrawn above the newest number, and once', () => {
    const ended = stopped(said(7, 'decline'), TARGET_APP, NOW_SEC)
    expect(ended.next).toMatchObject({ n: NOW_SEC, seen: 4, says: 'withdraw' })
    expect(stopped(gone(ended), TARGET_APP, NOW_SEC + 1).next).toBeNull()
    expect(stopped(said(NOW_SEC + 5, 'decline'), TARGET_APP, NOW_SEC).next?.n).toBe(NOW_SEC + 6)
  })

  test('is not withdrawn where nothing was said, or where the channel is open', () => {
    expect(stopped(NOTHING_PASSED, TARGET_APP, NOW_SEC)).toEqual(NOTHING_PASSED)
    expect(stopped(said(7, 'open'), TARGET_APP, NOW_SEC)).toEqual(said(7, 'open'))
    const waiting = spoke({ ...NOTHING_PASSED, told: TOLD }, text(7, 'decline'), BYTES, NOW_SEC)
    expect(stopped(waiting, TARGET_APP, NOW_SEC).next).toBeNull()
  })
})

describe('a text of the target daemon', () => {
  test('goes if it is not older, and once more under its number', () => {
    const before = said(7, 'decline')
    expect([6, 7, 8].map((n) => spoke(before, text(n, 'decline'), BYTES, NOW_SEC).next?.n)).toEqual([undefined, 7, 8])
  })

  test('goes while the contact is provided alone, but for an open channel', () => {
    const before = { ...said(7, 'decline'), told: { ...TOLD, isProvided: false } }
    expect(spoke(before, text(8, 'decline'), BYTES, NOW_SEC)).toEqual(before)
    expect(spoke(before, text(8, 'open'), BYTES, NOW_SEC).next?.n).toBe(8)
    const unheard = { ...NOTHING_PASSED, told: { ...TOLD, isProvided: false } }
    expect(spoke(unheard, text(8, 'open'), BYTES, NOW_SEC)).toEqual(unheard)
  })

  test('goes unless its number leaps, so that numbers are left for a withdrawal', () => {
    const last = NOW_SEC + MAX_LEAP
    const goes = (before: Passed, n: number): boolean => spoke(before, text(n, 'decline'), BYTES, NOW_SEC) !== before
    expect([last, last + 1, Number.MAX_SAFE_INTEGER].map((n) => goes(said(7, 'decline'), n))).toEqual([
      true,
      false,
      false,
    ])
    const ahead = said(last, 'decline')
    expect([last - 1, last + MAX_LEAP, last + MAX_LEAP + 1].map((n) => goes(ahead, n))).toEqual([false, true, false])
  })
})

test('the target daemon is told of each change, of the newest number, and of nobody who was never provided', () => {
  expect(lacking(NOTHING_PASSED, { ...TOLD, isProvided: false })).toBeNull()
  expect(lacking(NOTHING_PASSED, TOLD)).toEqual({ ...TOLD, n: 0 })
  expect(lacking(said(7, 'decline'), TOLD)).toBeNull()
  for (const change of [{ channel: 'two' }, { name: 'Pat' }, { isProvided: false }])
    expect(lacking(said(7, 'decline'), { ...TOLD, ...change })).toEqual({ ...TOLD, ...change, n: 7 })
})

test('a side for which another daemon has spoken says all again, above that number', () => {
  const [first] = tell(
    { ...NO_PROPOSAL, own: { ...NO_PROPOSAL.own, isProvided: true, answer: 'declined' } },
    TARGET_APP,
    5,
  )!
  expect(tell(first, TARGET_APP, 6)).toBeNull()
  expect(spokenFor(first, 4)).toBe(first)
  for (const n of [5, 9]) {
    const again = spokenFor(first, n)
    expect(spokenFor(again, n)).toBe(again)
    expect(tell(again, TARGET_APP, 6)![1]).toMatchObject({ n: n + 1, saying: { says: 'decline' } })
  }
})
