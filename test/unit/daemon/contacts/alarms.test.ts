import { describe, expect, it } from 'vitest'
import { judgeEvidence } from '../../../../src/cli/contacts/alarms.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { type Person, person } from '../../../support/person.ts'
import { raiseDue } from '../../../../src/daemon/keeper/alarms.ts'

const DAY_SEC = 86_400
let count = 0

async function withBob(): Promise<{ test: TestKeeper; bob: Person }> {
  const test = await TestKeeper.withPersona()
  const bob = person(`alarming bob ${++count}`)
  await test.sees(bob.key('phone'), bob.table(['phone', 'laptop']), { name: 'Bob' })
  test.events.length = 0
  return { test, bob }
}

/** Bob's phone and somebody with the same key sign the next table independently. */
async function withFork(): Promise<{ test: TestKeeper; bob: Person }> {
  const { test, bob } = await withBob()
  const thief = bob.sibling()
  await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
  await test.later(60).sees(bob.key('laptop'), thief.table(['laptop', 'phone', 'thief']))
  return { test, bob }
}

async function codes(test: TestKeeper): Promise<string[]> {
  return (await test.call('alarm.list')).alarms.map(({ code }) => code)
}

describe('an alarm', () => {
  it('stays until the owner dismisses it, even after a restart', async () => {
    const { test, bob } = await withBob()
    const other = person(`other ${++count}`)
    await test.later(60).sees(bob.key('phone'), other.table([{ name: 'x', key: bob.key('phone') }]))
    const again = await test.reopened()
    const { alarms } = await again.call('alarm.list')
    expect(alarms).toMatchObject([{ code: 'PERSONA_SWITCHED', contact: 'Bob', keys: [bob.key('phone')], count: 1 }])
    await again.call('alarm.dismiss', { id: alarms[0]!.id.toUpperCase() })
    expect(await codes(again)).toStrictEqual([])
    await expect(again.call('alarm.dismiss', { id: alarms[0]!.id })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('is not raised for a blocked friend that shows a persona', async () => {
    const { test, bob } = await withBob()
    const mallory = person(`mallory ${++count}`)
    await test.sees(mallory.key('phone'), '', { name: 'Mallory' })
    await test.call('contact.block', { contact: 'Mallory' })
    await test.later(61).sees(mallory.key('phone'), mallory.table(['phone', { name: 'x', key: bob.key('phone') }]))
    expect(await test.call('contact.show', { contact: 'Mallory' })).toMatchObject({ kind: 'persona', blocked: true })
    expect(await codes(test)).toStrictEqual([])
  })

  it('that repeats causes an event once an hour, and is counted', async () => {
    const { test, bob } = await withBob()
    const other = person(`other ${++count}`)
    const otherTable = other.table([{ name: 'x', key: bob.key('phone') }])
    for (let i = 0; i < 5; i++) {
      await test.later(600).sees(bob.key('phone'), otherTable)
      await test.later(600).sees(bob.key('phone'), bob.last!)
    }
    expect(test.told('alarm')).toHaveLength(2)
    expect((await test.call('alarm.list')).alarms).toMatchObject([{ code: 'PERSONA_SWITCHED', count: 2 }])
  })

  it('is one for each persona, with any number of devices', async () => {
    const { test } = await withBob()
    const mallory = person(`mallory ${++count}`)
    const friends = Array.from({ length: 12 }, (_, i) => person(`listed ${++count} ${i}`))
    for (const friend of friends) await test.sees(friend.key('phone'), friend.table(['phone']), { name: friend.name })
    const listed = friends.map((friend, i) => ({ name: `x${i}`, key: friend.key('phone') }))
    await test.sees(mallory.key('phone'), mallory.table(['phone', ...listed]), { name: 'Mallory' })
    const { alarms } = await test.call('alarm.list')
    expect(alarms.map(({ code, contact, keys }) => [code, contact, keys.length])).toStrictEqual([
      ['DEVICE_CONTESTED', 'Mallory', 8],
    ])
  })
})

describe('the alarm of a contested device', () => {
  it('names the known owner, and ends when the device itself confirms the new one and the owner agrees', async () => {
    const { test, bob } = await withBob()
    const laptop = bob.key('laptop')
    await test.sees(laptop, 'brb', { name: 'Bob at work' })
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    await test.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop']))
    const { alarms } = await test.call('alarm.list')
    expect(alarms).toMatchObject([{ code: 'DEVICE_CONTESTED', contact: 'Bob', keys: [laptop] }])
    expect(alarms[0]!.message).toContain('is known as your friend "Bob at work"')
    await test.later(60).sees(laptop, bob.last!)
    expect(await codes(test)).toStrictEqual(['DEVICE_CONTESTED'])
    await test.call('pending.accept', { contact: 'Bob at work' })
    expect(await codes(test)).toStrictEqual([])
  })

  it('stays until all its devices have confirmed, and forever if there were more than it can name', async () => {
    for (const [many, left] of [
      [2, []],
      [8, []],
      [9, ['DEVICE_CONTESTED']],
    ] as const) {
      const { test } = await withBob()
      const dora = person(`dora ${++count}`)
      const names = Array.from({ length: many }, (_, i) => `d${i}`)
      for (const name of names) await test.sees(dora.key(name), 'brb', { name })
      await test.sees(dora.key('phone'), dora.table(['phone', ...names]), { name: 'Dora' })
      for (const name of names) {
        expect(await codes(test)).toStrictEqual(['DEVICE_CONTESTED'])
        await test.later(60).sees(dora.key(name), dora.last!)
        await test.call('pending.accept', { contact: name })
      }
      expect(await codes(test)).toStrictEqual(left)
    }
  })

  it('stays if the device shows another persona', async () => {
    const { test, bob } = await withBob()
    const mallory = person(`mallory ${++count}`)
    const listed = [{ name: 'x', key: bob.key('phone') }]
    await test.sees(mallory.key('phone'), mallory.table(['phone', ...listed]), { name: 'Mallory' })
    await test.later(60).sees(bob.key('phone'), mallory.last!)
    expect((await codes(test)).toSorted()).toStrictEqual(['DEVICE_CONTESTED', 'PERSONA_SWITCHED'])
  })
})

describe('attack 22: two tables with one number', () => {
  it('cause no alarm while a higher table may end the fork, and an alarm after 14 days', async () => {
    const { test } = await withFork()
    expect(await codes(test)).toStrictEqual([])
    test.later(14 * DAY_SEC - 1)
    expect(await codes(test)).toStrictEqual([])
    test.later(1)
    await raiseDue(test.keeper)
    expect(test.told('alarm')).toMatchObject([{ code: 'FORK' }])
    expect(await codes(test)).toStrictEqual(['FORK'])
    expect(test.told('alarm')).toStrictEqual([])
  })

  it('cause no alarm if a higher table comes in time, and a lasting alarm if it comes too late', async () => {
    for (const [waitSec, left] of [
      [13 * DAY_SEC, []],
      [15 * DAY_SEC, ['FORK']],
    ] as const) {
      const { test, bob } = await withFork()
      await raiseDue(test.later(waitSec).keeper)
      await test.sees(bob.key('phone'), bob.table(['phone', 'laptop']))
      test.later(15 * DAY_SEC)
      expect(await codes(test)).toStrictEqual(left)
    }
  })

  it('are evidence that anybody can check', async () => {
    const { test, bob } = await withFork()
    const file = await test.call('evidence.get', { contact: 'Bob' })
    const { invalid, proofs } = await judgeEvidence(file)
    expect(invalid).toStrictEqual([])
    expect(proofs).toMatchObject([{ kind: 'fork', personaId: bob.id, epoch: 0 }])
  })
})

describe('evidence', () => {
  it('of a second chain proves that somebody else has the first key', async () => {
    const { test, bob } = await withBob()
    const thief = bob.thief()
    await test.later(60).sees(bob.key('laptop'), thief.table(['laptop']))
    expect(await codes(test)).toStrictEqual(['CHAIN_DISPUTED'])
    const { proofs } = await judgeEvidence(await test.call('evidence.get', { contact: 'Bob' }))
    expect(proofs).toMatchObject([{ kind: 'two-chains', personaId: bob.id }])
  })

  it('that was altered or belongs to another persona proves nothing', async () => {
    const { test } = await withFork()
    const file = await test.call('evidence.get', { contact: 'Bob' })
    const { test: otherTest, bob: other } = await withFork()
    const foreign = await otherTest.call('evidence.get', { contact: other.id })
    const altered = file.blobs.map((blob) => ({ ...blob, token: blob.token.replace(/.(.{40})$/, 'A$1') }))
    for (const [blobs, code] of [
      [altered, 'SIGNATURE_BAD'],
      [foreign.blobs, 'OTHER_PERSONA'],
    ] as const) {
      const { invalid, proofs, tables } = await judgeEvidence({ ...file, blobs: [...blobs] })
      expect([proofs, tables]).toStrictEqual([[], 0])
      expect(new Set(invalid.map((each) => each.code))).toStrictEqual(new Set([code]))
    }
  })

  it('of a single table proves no fork', async () => {
    const { test } = await withBob()
    const { tables, proofs } = await judgeEvidence(await test.call('evidence.get', { contact: 'Bob' }))
    expect([tables, proofs]).toStrictEqual([1, []])
  })
})
