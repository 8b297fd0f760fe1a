/** Cuts a succession short at each of its writes, of files and of the store, and then starts again. */
import { describe, expect, it } from 'vitest'
import { cutShort, everyCut } from '../support/cut-short.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../support/keeper.ts'
import { rotates, withWords } from '../support/rotation.ts'

interface Work {
  readonly name: string
  readonly begin: () => Promise<{ test: TestKeeper; words: string | null }>
}

const WORKS: readonly Work[] = [
  {
    name: 'a succession at epoch 0, whose key has the number of the new one',
    begin: async () => {
      const { laptop, words } = await withWords()
      await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
      return { test: laptop, words }
    },
  },
  {
    name: 'a succession at epoch 16',
    begin: async () => {
      const { laptop, words } = await withWords()
      await rotates(laptop, words, { epoch: 16 })
      return { test: laptop, words }
    },
  },
  {
    name: 'a succession while the old seed is still on the device',
    begin: async () => ({ test: await TestKeeper.withPersona(), words: null }),
  },
]

async function succeeds(keeper: TestKeeper, words: string | null): Promise<unknown> {
  const { plan } = await keeper.call('succession.plan')
  return await keeper.call('succession.apply', { plan, ...(words === null ? {} : { words }) })
}

/** The words that this device has; null if they were confirmed. */
async function wordsOf(keeper: TestKeeper): Promise<string | null> {
  const { words } = await keeper.call('recovery.show').catch(() => ({ words: null }))
  return words === null ? null : words.join(' ')
}

describe.each(WORKS)('$name', ({ begin }) => {
  it('is finished or undone by the next start, which holds the key and the seed of one persona only', async () => {
    const { test, words } = await begin()
    const act = (keeper: TestKeeper): Promise<unknown> => succeeds(keeper, words)
    const before = await test.call('device.list')
    const seedBefore = await wordsOf(test)
    const whole = await cutShort(test, act, { where: 'nowhere', failAt: 0, kind: 'dead' })
    expect(whole.done).toBe(true)
    const outcomes = new Set<string>()
    let ran = 0
    for (const cut of everyCut(whole)) {
      ran++
      const place = `${cut.kind} at ${cut.where} ${cut.failAt}`
      const { after: next, done } = await cutShort(test, act, cut)
      const { personaId, epoch, devices } = await next.call('device.list')
      const isNew = personaId !== before.personaId
      if (done) expect(isNew, place).toBe(true)
      expect([epoch, next.custody.epochs()], place).toStrictEqual(isNew ? [0, [0]] : [before.epoch, [before.epoch]])
      expect(devices, place).toStrictEqual(before.devices)
      expect(next.custody.successor.position(), place).toBeNull()
      const seed = await wordsOf(next)
      if (isNew) expect(await next.call('recovery.check', { words: seed ?? '' }), place).toEqual({ belongs: true })
      else expect(seed, place).toBe(seedBefore)
      const { table } = await next.call('device.rename', { device: OWN_LAPTOP, name: 'again' })
      expect([table.personaId, table.seq], place).toStrictEqual([personaId, isNew ? 2 : before.seq + 1])
      outcomes.add(isNew ? 'finished' : 'undone')
    }
    expect(ran).toBe(3 * (whole.files[1] - whole.files[0] + whole.commits[1] - whole.commits[0]))
    expect(ran).toBeGreaterThan(20)
    // Both outcomes must occur, or no work was cut short.
    expect(outcomes).toStrictEqual(new Set(['finished', 'undone']))
  }, 180_000)
})
