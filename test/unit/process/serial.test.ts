import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Serial, SharedWork } from '../../../src/process/serial.ts'

test('whoever asks before shared work begins shares it, and whoever asks while it runs shares the next', async () => {
  let changes = 0
  const seen: number[] = []
  const work = new SharedWork(async () => {
    seen.push(changes)
    await setImmediate()
  })
  const asks: Promise<void>[] = []
  for (let i = 0; i < 8; i++) {
    changes++
    asks.push(work.ask())
    // As commits of one group end: each in a microtask of its own.
    await Promise.resolve()
  }
  await Promise.all(asks)
  expect(seen).toEqual([1, 8])
  await work.ask()
  expect(seen).toEqual([1, 8, 8])
})

test('shared work that fails tells all who share it, and the next begins', async () => {
  const serial = new Serial()
  let runs = 0
  const work = new SharedWork(async () => {
    await Promise.resolve()
    if (++runs === 1) throw new Error('the first')
  }, serial)
  const both = await Promise.allSettled([work.ask(), work.ask()])
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await work.ask()
  expect(runs).toBe(2)
})

test('shared work does not run beside other work of its series', async () => {
  const serial = new Serial()
  const order: string[] = []
  const work = new SharedWork(async () => {
    order.push('shared')
    await Promise.resolve()
  }, serial)
  const other = serial.run(async () => {
    await setImmediate()
    order.push('other')
  })
  await Promise.all([work.ask(), other])
  expect(order).toEqual(['other', 'shared'])
})
