/** How many ends have their state in memory. */
import { expect, it } from 'vitest'
import { Loaded, MAX_LOADED, MAX_LOADED_BYTES, type Loadable } from '../../../../src/daemon/channels/ends/loaded.ts'

class TestEnd implements Loadable {
  costBytes: number
  isBusy = false
  isLoaded = true

  constructor(costBytes = 1) {
    this.costBytes = costBytes
  }

  unload(): boolean {
    if (this.isBusy) return false
    this.isLoaded = false
    return true
  }
}

/** Ends that were used one after another. */
function used(count: number, costBytes?: number): { loaded: Loaded; ends: TestEnd[]; stay: () => number[] } {
  const loaded = new Loaded()
  const ends = Array.from({ length: count }, () => new TestEnd(costBytes))
  for (const end of ends) loaded.touch(end)
  return { loaded, ends, stay: () => ends.flatMap(({ isLoaded }, i) => (isLoaded ? [i] : [])) }
}

it('the ends that were used last stay in memory', () => {
  const { stay } = used(MAX_LOADED + 2)
  expect(stay()).toEqual(Array.from({ length: MAX_LOADED }, (_, i) => i + 2))
})

it('an end that is used again stays before those that are not', () => {
  const { loaded, ends, stay } = used(MAX_LOADED)
  loaded.touch(ends[0]!)
  loaded.touch(new TestEnd())
  expect(stay()).toEqual([0, ...Array.from({ length: MAX_LOADED - 2 }, (_, i) => i + 2)])
})

it('an end at work stays, and the next one goes in its place', () => {
  const { loaded, ends, stay } = used(MAX_LOADED)
  ends[0]!.isBusy = true
  loaded.touch(new TestEnd())
  expect(stay().slice(0, 2)).toEqual([0, 2])
})

it('large ends leave the memory before there are too many, by their size when they were used last', () => {
  const { loaded, ends, stay } = used(4, MAX_LOADED_BYTES / 4)
  expect(stay()).toEqual([0, 1, 2, 3])
  ends[3]!.costBytes++
  loaded.touch(ends[3]!)
  expect(stay()).toEqual([1, 2, 3])
  loaded.forget(ends[1]!)
  loaded.touch(new TestEnd(MAX_LOADED_BYTES / 4))
  expect(stay()).toEqual([1, 2, 3])
  loaded.touch(new TestEnd(MAX_LOADED_BYTES / 4))
  expect(stay()).toEqual([1, 3])
})
