import { describe, expect, it } from 'vitest'
import { TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'

const WRONG = deviceKey('a profile of somebody else')
const OWN = deviceKey('an own profile')
const [bob, carol, dave] = [person('bob'), person('carol'), person('dave')]

async function scan(
  test: TestKeeper,
  profile: string,
  shown: readonly (readonly [string, string, string])[],
): Promise<void> {
  const observations = shown.map(([from, text, name]) => ({ from, text, name, seenAtSec: test.nowSec }))
  await test.call('observe.batch', { source: `profile:${profile}`, observations })
}

async function names(test: TestKeeper): Promise<string[]> {
  return (await test.call('contact.list')).contacts.map(({ name }) => name)
}

describe('undoing a scan', () => {
  const ofBob = [bob.key('phone'), bob.table(['phone']).text(), 'Bob'] as const
  const ofCarol = [carol.key('phone'), carol.table(['phone']).text(), 'Carol'] as const
  const ofDave = [dave.key('phone'), dave.table(['phone']).text(), 'Dave'] as const
  const ofAnn = [deviceKey('ann'), 'hello', 'Ann'] as const

  it('forgets the contacts that only this profile showed, and keeps what the owner or another source knows', async () => {
    const test = await TestKeeper.open()
    await scan(test, WRONG, [ofBob, ofCarol, ofDave, ofAnn])
    await scan(test, OWN, [ofCarol])
    await test.call('contact.policy', { contact: 'Dave', policy: 'ask' })
    expect(await names(test)).toEqual(['Ann', 'Bob', 'Carol', 'Dave'])
    expect(await test.call('observe.undo', { profile: WRONG })).toEqual({ devices: 4, contacts: 1, names: ['Bob'] })
    expect(await names(test)).toEqual(['Carol', 'Dave'])
    expect((await test.call('contact.show', { contact: 'Carol' })).devices).toMatchObject([{ state: 'confirmed' }])
    expect(await test.call('observe.undo', { profile: WRONG })).toEqual({ devices: 0, contacts: 0, names: [] })
  })

  it('is undone by another scan', async () => {
    const test = await TestKeeper.open()
    await scan(test, WRONG, [ofBob])
    await test.call('observe.undo', { profile: WRONG })
    await scan(test.later(1), OWN, [ofBob])
    expect(await names(test)).toEqual(['Bob'])
  })
})
