/** How fast many proposals work. */
import { expect, test } from 'vitest'
import { Due, Pace } from '../../../../../src/daemon/links/proposals/pace.ts'
import { HandClock } from '../../../../support/hand-clock.ts'

const SCREEN = 32

/** Works as often as it may. @returns how often that was */
function work(pace: Pace): number {
  let count = 0
  for (; pace.waitMs === 0 && count < 1000; count++) pace.spend()
  return count
}

test('a screen of contacts works at once, and the next one after a rest', () => {
  const clock = new HandClock()
  const pace = new Pace(clock)
  expect(work(pace)).toBe(SCREEN)
  const { waitMs } = pace
  expect(waitMs).toBeGreaterThan(0)
  clock.turn(waitMs - 1)
  expect(work(pace)).toBe(0)
  clock.turn(1)
  expect(work(pace)).toBe(1)
})

test('a thousand contacts take some minutes, and rest for most of that time', () => {
  const clock = new HandClock()
  const pace = new Pace(clock)
  let [count, rests] = [0, 0]
  while (count < 1000) {
    count += work(pace)
    rests += pace.waitMs
    clock.turn(pace.waitMs)
  }
  expect(rests).toBeGreaterThan(300_000)
  expect(rests).toBeLessThan(600_000)
})

test('a long rest saves no more than one screen', () => {
  const clock = new HandClock()
  const pace = new Pace(clock)
  clock.turn(86_400_000)
  expect(work(pace)).toBe(SCREEN)
})

test('those that do nothing cost nothing', () => {
  const pace = new Pace(new HandClock())
  for (let i = 0; i < 1000; i++) expect(pace.waitMs).toBe(0)
})

test('nobody begins anything after the end', () => {
  const pace = new Pace(new HandClock())
  pace.stop()
  expect(pace.waitMs).toBe(Infinity)
})

test('those that are due wait for the pace, and those of the newest change come first, once each', () => {
  const clock = new HandClock()
  const pace = new Pace(clock)
  const due = new Due(pace)
  while (pace.waitMs === 0) pace.spend()
  due.add(['old', 'older'])
  expect([...due.take()]).toEqual([])
  due.add(['new', 'old'])
  clock.turn(pace.waitMs)
  const [first] = due.take()
  expect(first).toBe('new')
  expect([[...due.take()], due.isEmpty]).toEqual([['old', 'older'], true])
})

test('a few of those that do something work in one turn, so that an answer of the owner comes between', () => {
  const pace = new Pace(new HandClock())
  const due = new Due(pace)
  due.add(Array.from({ length: 20 }, (_, i) => `${i}`))
  const turn = (isWork: boolean): number => {
    let count = 0
    for (const _ of due.take()) {
      count++
      if (isWork) pace.spend()
    }
    return count
  }
  expect([turn(true), turn(true), turn(false), due.isEmpty]).toEqual([4, 4, 12, true])
})
