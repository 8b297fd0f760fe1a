/** Cuts a change of keys short at each of its writes, of files and of the store, and then starts again. */
import { describe, expect, it } from 'vitest'
import { cutShort, everyCut } from '../support/cut-short.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, type TestKeeper } from '../support/keeper.ts'
import { rotates, siblings } from '../support/rotation.ts'

interface Work {
  readonly name: string
  /** Prepares the state for the daemon under test. */
  readonly begin: () => Promise<{ test: TestKeeper; act: (keeper: TestKeeper) => Promise<unknown>; epoch: number }>
}

const WORKS: readonly Work[] = [
  {
    name: 'a rotation',
    begin: async () => {
      const { laptop, words } = await siblings()
      return { test: laptop, epoch: 1, act: (keeper) => rotates(keeper, words, { epoch: 1, without: ['phone'] }) }
    },
  },
  {
    name: 'a rotation by a device without the present key',
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      await laptop.sees(OWN_PHONE, await ownText(phone))
      return { test: laptop, epoch: 3, act: (keeper) => rotates(keeper, words, { epoch: 3 }) }
    },
  },
  {
    name: "following a sibling's rotation by the words",
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      await laptop.sees(OWN_PHONE, await ownText(phone))
      return { test: laptop, epoch: 2, act: (keeper) => keeper.call('rotation.follow', { words }) }
    },
  },
  {
    name: "taking a sibling's rotation",
    begin: async () => {
      const { laptop, phone, words } = await siblings()
      await rotates(phone, words, { epoch: 2 })
      const text = await ownText(phone)
      return { test: laptop, epoch: 2, act: (keeper) => keeper.sees(OWN_PHONE, text) }
    },
  },
]

describe.each(WORKS)('$name', ({ begin }) => {
  it('is finished or undone by the next start, which holds only the key of the head, or no key if the head has another', async () => {
    const { test, act, epoch: after } = await begin()
    const { epoch: before } = await test.call('device.list')
    const heldBefore = test.custody.epochs()
    const whole = await cutShort(test, act, { where: 'nowhere', failAt: 0, kind: 'dead' })
    expect(whole.done).toBe(true)
    const heldAfter = whole.after.custody.epochs()
    const outcomes = new Set<string>()
    let ran = 0
    for (const cut of everyCut(whole)) {
      ran++
      const place = `${cut.kind} at ${cut.where} ${cut.failAt}`
      const { after: next, done } = await cutShort(test, act, cut)
      const { epoch } = await next.call('device.list')
      const held = next.custody.epochs()
      expect([before, after], place).toContain(epoch)
      if (done) expect([epoch, held], place).toStrictEqual([after, heldAfter])
      const possible = [...(epoch === before ? [heldBefore] : []), ...(epoch === after ? [heldAfter] : [])]
      expect(possible, place).toContainEqual(held)
      if (held.length > 0) {
        expect(held, place).toStrictEqual([epoch])
        expect((await next.call('device.rename', { device: OWN_LAPTOP, name: 'again' })).table.epoch, place).toBe(epoch)
      }
      outcomes.add(`${epoch} ${held.join(' ')}`)
    }
    expect(ran).toBe(3 * (whole.files[1] - whole.files[0] + whole.commits[1] - whole.commits[0]))
    expect(ran).toBeGreaterThan(10)
    // Both outcomes must occur, or no work was cut short.
    expect(outcomes).toStrictEqual(new Set([`${before} ${heldBefore.join(' ')}`, `${after} ${heldAfter.join(' ')}`]))
  }, 60_000)
})
