import { describe, expect, test } from 'vitest'
import { isDue, lists, nextCard, wasTakenOut, type CardEdit } from '../../../src/card/edit.ts'
import type { VerifiedCard } from '../../../src/card/verify.ts'
import { makePersona, NOW_SEC } from '../../support/made-persona.ts'
import { APP, makeEntry, verifiedCard } from '../../support/cards.ts'

const alice = makePersona(1)
const [one, two, three] = [makeEntry(1), makeEntry(2), makeEntry(3)]

function edit(head: VerifiedCard | null, wishes: Partial<CardEdit> = {}): CardEdit {
  const chain = alice.positions[0]!
  return { head, chain, app: APP, own: three, ownTag: three.tag, inboxes: [], stores: [], nowSec: NOW_SEC, ...wishes }
}

describe('the next card', () => {
  test('is the first one where there is none', () => {
    expect(nextCard(edit(null))).toMatchObject({ seq: 1, prev: null, devices: [three] })
  })

  test('names the card before it, keeps the other entries, and adds this device', () => {
    const head = verifiedCard(alice, { seq: 4 })
    expect(nextCard(edit(head))).toMatchObject({ seq: 5, prev: head.hash, devices: [one, two, three] })
  })

  test('has new keys of this device in the place of the old ones', () => {
    const renewed = { ...one, enc: three.enc }
    const card = nextCard(edit(verifiedCard(alice), { own: renewed, ownTag: one.tag }))
    expect(card.devices).toEqual([two, renewed])
    expect([lists(card, renewed), lists(card, one)]).toEqual([true, false])
  })

  test('lacks a device that leaves', () => {
    expect(nextCard(edit(verifiedCard(alice), { own: null, ownTag: one.tag })).devices).toEqual([two])
  })

  test('keeps at a rotation only the entries that the owner approved', () => {
    const rotated = { chain: alice.positions[1]!, keeps: ({ tag }: { tag: Uint8Array }) => tag === two.tag }
    const head = verifiedCard(alice, { seq: 3 })
    const kept = nextCard(edit({ ...head, devices: [one, two] }, rotated))
    expect(kept).toMatchObject({ seq: 4, devices: [two, three], chain: { epoch: 1 } })
  })
})

describe('a device was taken out', () => {
  const without = verifiedCard(alice, { seq: 7, devices: [1, 2] })

  test('if a later card than the last that listed it lacks it', () => {
    expect(wasTakenOut(without, three.tag, { epoch: 0, seq: 6 })).toBe(true)
    expect(wasTakenOut(verifiedCard(alice, { epoch: 1, devices: [1] }), three.tag, { epoch: 0, seq: 99 })).toBe(true)
  })

  test('not if it was never read back in a card, if the card lists it, or if the card is older', () => {
    expect(wasTakenOut(without, three.tag, null)).toBe(false)
    expect(wasTakenOut(without, one.tag, { epoch: 0, seq: 6 })).toBe(false)
    expect(wasTakenOut(without, three.tag, { epoch: 0, seq: 7 })).toBe(false)
    expect(wasTakenOut(null, three.tag, { epoch: 0, seq: 7 })).toBe(false)
  })
})

test('a card is due after seven days', () => {
  const card = verifiedCard(alice)
  expect([isDue(card, NOW_SEC + 7 * 86_400 - 1), isDue(card, NOW_SEC + 7 * 86_400)]).toEqual([false, true])
})
