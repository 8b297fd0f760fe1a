/** The rules of the shopping list for the case that several devices have edited one item (examples/shopping-list/list.js). */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

interface Item {
  readonly id: string
  readonly text: string
  readonly isTicked: boolean
  readonly isRemoved: boolean
  readonly stamp: number
}

interface Rules {
  readonly readItems: (text: string | null) => Item[]
  readonly stampAfter: (item: Item, nowMs: number) => number
  readonly replaces: (edit: Item, other: Item | undefined) => boolean
}

// The file is for browsers and has no types.
const FILE = new URL('../../../examples/shopping-list/list.js', import.meta.url).href
const { readItems, stampAfter, replaces } = (await import(FILE)) as Rules

const MAX_STAMP = 8.64e15
const edit = fc.record({
  id: fc.constant('bread'),
  text: fc.constantFrom('', 'Bread', 'Rye bread'),
  isTicked: fc.boolean(),
  isRemoved: fc.boolean(),
  stamp: fc.integer({ min: 0, max: 5 }),
})

function last(edits: readonly Item[]): Item | undefined {
  let item: Item | undefined
  for (const each of edits) if (replaces(each, item)) item = each
  return item
}

test('all devices come to one item, in whatever order edits arrive, and however often', () => {
  const orders = fc
    .array(edit, { minLength: 1, maxLength: 6 })
    .chain((edits) =>
      fc.tuple(fc.constant(edits), fc.shuffledSubarray([...edits, ...edits], { minLength: edits.length * 2 })),
    )
  fc.assert(
    fc.property(orders, ([edits, others]) => {
      expect(last(others)).toEqual(last(edits))
    }),
  )
})

test('an edit wins over the one that its device had seen, however wrong the clocks are', () => {
  fc.assert(
    fc.property(edit, edit, fc.nat({ max: 10 }), (seen, change, nowMs) => {
      expect(replaces({ ...change, stamp: stampAfter(seen, nowMs) }, seen)).toBe(true)
    }),
  )
})

test('of two edits that know nothing of each other, the one with the later clock wins, also when it removes the item', () => {
  const seen: Item = { id: 'bread', text: 'Bread', isTicked: false, isRemoved: false, stamp: 1000 }
  const changed = { ...seen, text: 'Rye bread', stamp: stampAfter(seen, 2000) }
  const removed = { ...seen, isRemoved: true, stamp: stampAfter(seen, 2001) }
  expect([last([changed, removed]), last([removed, changed])]).toEqual([removed, removed])
})

test('what a peer sends is items of a bounded size, or passed by', () => {
  const item: Item = { id: 'i'.repeat(40), text: 't'.repeat(100), isTicked: false, isRemoved: false, stamp: MAX_STAMP }
  const read = (...items: readonly unknown[]): Item[] => readItems(JSON.stringify(items))
  expect(read(item, { ...item, stamp: 0 })).toHaveLength(2)
  const wrong = [
    { id: `${item.id}i` },
    { id: 1 },
    { text: `${item.text}t` },
    { text: null },
    { isTicked: 1 },
    { isRemoved: 'no' },
    { stamp: -1 },
    { stamp: 0.5 },
    { stamp: MAX_STAMP + 1 },
  ]
  for (const part of wrong) expect(read({ ...item, ...part })).toEqual([])
  expect(wrong).toHaveLength(9)
  expect([read(null, 'x', 3), readItems('{}'), readItems('{'), readItems(null)]).toEqual([[], [], [], []])
})
