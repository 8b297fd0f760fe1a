import { expect, it } from 'vitest'
import { Buckets } from '../../../../src/relayd/store/buckets.ts'

const SEC_US = 1_000_000
const one = (key: string): { key: string; burst: number; perSec: number }[] => [{ key, burst: 1, perSec: 1 }]

it('a bucket gives its burst, then one token for each part of a second', () => {
  const buckets = new Buckets()
  const bucket = [{ key: 'a', burst: 2, perSec: 4 }]
  expect([0, 0, 0].map((us) => buckets.spend(bucket, us))).toEqual([0, 0, 250])
  expect(buckets.spend(bucket, 0.25 * SEC_US)).toBe(0)
  expect(buckets.spend(bucket, 0.25 * SEC_US)).toBe(250)
})

it('an empty bucket takes no token from the others of a call', () => {
  const buckets = new Buckets()
  expect(buckets.spend(one('empty'), 0)).toBe(0)
  expect(buckets.spend([...one('full'), ...one('empty')], 0)).toBe(1000)
  expect(buckets.spend(one('full'), 0)).toBe(0)
})

it('a call that is refused keeps no new bucket, so nobody makes others forgotten for nothing', () => {
  const buckets = new Buckets()
  for (const key of ['address', 'silent']) expect(buckets.spend(one(key), 0)).toBe(0)
  for (let n = 0; n < 1000; n++) buckets.spend([...one('address'), ...one(`made up ${n}`)], 0)
  expect(buckets.size).toBe(2)
  expect(buckets.spend(one('silent'), 0)).toBe(1000)
})

it('a clock that goes back takes nothing away, and fills again from there', () => {
  const buckets = new Buckets()
  expect(buckets.spend(one('a'), 9 * SEC_US)).toBe(0)
  expect(buckets.spend(one('a'), 5 * SEC_US)).toBe(1000)
  expect(buckets.spend(one('a'), 6 * SEC_US)).toBe(0)
})

it('buckets beyond the limit are forgotten, those that were silent longest first', () => {
  const buckets = new Buckets()
  const bucket = one('busy')
  expect(buckets.spend(one('silent'), 0)).toBe(0)
  let largest = 0
  for (let n = 0; n < 250_000; n++) {
    if (n % 50_000 === 0) expect(buckets.spend(bucket, 0)).toBe(n === 0 ? 0 : 1000)
    buckets.spend(one(`made up ${n}`), 0)
    largest = Math.max(largest, buckets.size)
  }
  expect(largest).toBeLessThanOrEqual(200_000)
  expect(buckets.spend(bucket, 0)).toBe(1000)
  expect(buckets.spend(one('silent'), 0)).toBe(0)
})
