import { expect, test } from 'vitest'
import { Quota } from '../../../src/process/quota.ts'

test('a bucket gives its burst at once, then one whenever one has come back', () => {
  let nowSec = 100
  const quota = new Quota({ burst: 3, perSec: 0.5 }, () => nowSec)
  expect(Array.from({ length: 4 }, () => quota.take('a'))).toStrictEqual([true, true, true, false])
  expect(quota.waitSec('a')).toBe(2)
  nowSec += 1.5
  expect(quota.take('a')).toBe(false)
  nowSec += 0.5
  expect([quota.take('a'), quota.take('a'), quota.take('b')]).toStrictEqual([true, false, true])
})

test('a clock that is set back refills nothing, and then goes on', () => {
  let nowSec = 100
  const quota = new Quota({ burst: 1, perSec: 1 }, () => nowSec)
  expect(quota.take('a')).toBe(true)
  nowSec = 50
  expect(quota.take('a')).toBe(false)
  nowSec = 51
  expect(quota.take('a')).toBe(true)
})

test('of too many buckets the one that was used longest ago is forgotten, not those in use', () => {
  const quota = new Quota({ burst: 1, perSec: 1 }, () => 0)
  expect(quota.take('in use')).toBe(true)
  for (let n = 0; n < 5000; n++) {
    quota.take(`other ${n}`)
    expect(quota.take('in use')).toBe(false)
  }
  expect(quota.take('other 0')).toBe(true)
})
