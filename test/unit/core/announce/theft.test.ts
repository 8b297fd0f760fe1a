import { expect, test } from 'vitest'
import { provesTheft } from '../../../../src/core/announce/theft.ts'
import { FORWARD_SEQ } from '../../../../src/core/announce/place.ts'
import type { SignedValue } from '../../../../src/core/announce/signed-value.ts'
import { ada, announcedBlob, forwardsTo, itemsOf, placeOf, resigned } from '../../../support/announced.ts'
import { makePersona, sodium } from '../../../support/made-persona.ts'

const HEAD = announcedBlob(ada, { epoch: 3 })

function proves(signed: SignedValue, epoch: number, blobs = [HEAD]): boolean {
  return provesTheft({ signed, epoch, readingKey: placeOf(ada).readingKey! }, blobs, sodium)
}

test('an item that the owner does not sign proves the theft of its key, for each key that a table of the chain shows', () => {
  for (const epoch of [0, 1, 2, 3]) {
    const [item] = itemsOf(ada, announcedBlob(ada, { epoch })).items as [SignedValue]
    const closed = resigned(ada, epoch, item, { seq: FORWARD_SEQ })
    expect(proves(closed, epoch), `epoch ${epoch}`).toBe(true)
    expect(proves(item, epoch), `the owner's of epoch ${epoch}`).toBe(false)
    for (const other of [0, 1, 2, 3].filter((each) => each !== epoch)) expect(proves(closed, other)).toBe(false)
  }
})

test('a forward of the owner proves nothing', () => {
  const [forward] = forwardsTo(ada, HEAD, 1).items as [SignedValue]
  expect(proves(forward, 1)).toBe(false)
})

test('an item of a key that no table shows proves nothing', () => {
  const [item] = itemsOf(ada, announcedBlob(ada, { epoch: 4 })).items as [SignedValue]
  const closed = resigned(ada, 4, item, { seq: FORWARD_SEQ })
  expect(proves(closed, 4)).toBe(false)
  expect(proves(closed, 4, [announcedBlob(ada, { epoch: 4 })])).toBe(true)
  const bob = makePersona(2)
  expect(proves(closed, 4, [announcedBlob(bob, { epoch: 5 })])).toBe(false)
})
