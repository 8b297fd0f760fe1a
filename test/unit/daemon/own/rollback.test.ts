import { beforeEach, describe, expect, it } from 'vitest'
import type { Alarm } from '../../../../src/ipc/shapes/alarms.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey } from '../../../support/person.ts'

const OWN_TABLET = deviceKey('own tablet')
const FRIEND = deviceKey('a friend')

/** The daemon after its disk was put back to the first day, and the text that it had signed before. */
let old: TestKeeper
let text: string
let laptop: TestKeeper
beforeEach(async () => {
  laptop = await TestKeeper.withPersona()
  old = await laptop.copied()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  text = await ownText(laptop)
})

async function alarmed(keeper: TestKeeper): Promise<Pick<Alarm, 'code' | 'keys' | 'count'>[]> {
  const { alarms } = await keeper.call('alarm.list')
  return alarms.map(({ code, keys, count }) => ({ code, keys, count }))
}

describe('a rollback of a store whose key never left this daemon', () => {
  it('is noticed through a copy above its head, and the copy becomes the head', async () => {
    await old.sees(OWN_PHONE, text)
    expect(await alarmed(old)).toEqual([{ code: 'STORE_ROLLED_BACK', keys: [OWN_PHONE], count: 1 }])
    const [told] = old.told('alarm')
    expect(told?.message).toMatch(/^a table of your persona is missing from this store, though no other device/)
    expect((await old.call('alarm.list')).alarms).toMatchObject([{ epoch: 0, seq: 2 }])
    expect(old.keeper.table().seq).toBe(2)
    // The table that it still shows is known by now.
    await old.later(7200).sees(OWN_PHONE, text)
    expect(await alarmed(old)).toHaveLength(1)
    expect(old.told('alarm')).toEqual([])
  })

  it('is noticed through a friend’s copy from the owner', async () => {
    await old.call('persona.reconcile', { copies: [text] })
    expect(await alarmed(old)).toEqual([{ code: 'STORE_ROLLED_BACK', keys: [], count: 1 }])
  })

  it('is noticed even after it has signed other tables with these numbers', async () => {
    await old.call('device.add', { name: 'tablet', key: OWN_TABLET })
    const later = await old.copied()
    await later.call('device.rename', { device: 'tablet', name: 'slate' })
    for (const keeper of [old, later]) {
      await keeper.sees(OWN_PHONE, text)
      expect(await alarmed(keeper)).toContainEqual({ code: 'STORE_ROLLED_BACK', keys: [OWN_PHONE], count: 1 })
    }
  })

  it('is not concluded from its own old tables, or in a state that is known to be a copy', async () => {
    const first = await ownText(old)
    await laptop.sees(OWN_PHONE, first)
    await laptop.sees(OWN_PHONE, text)
    expect(await alarmed(laptop)).toEqual([])
    await old.keeper.change(() => old.keeper.own.wasCopied())
    await old.later(60).reports(`profile:${OWN_LAPTOP}`, OWN_LAPTOP, text)
    expect(await alarmed(old)).toEqual([])
  })
})

describe('once the key has left this daemon,', () => {
  it('that is on disk before a backup begins, and a copy may be from another device', async () => {
    expect(old.records.own.get('own')?.soleEpoch).toBe(0)
    await old.call('backup.begin', { passphrase: 'correct horse battery' })
    expect((await old.reopened()).records.own.get('own')?.soleEpoch).toBeNull()
    await old.sees(OWN_PHONE, text)
    expect(await alarmed(old)).toEqual([])
  })

  it('only the profile of its own device on this machine reveals a rollback', async () => {
    await old.keeper.change(() => old.keeper.own.keyLeaves())
    const other = await old.copied()
    // An app may invent reports about any device.
    await other.sees(OWN_LAPTOP, text)
    expect(await alarmed(other)).toEqual([])
    await old.reports(`profile:${OWN_LAPTOP}`, OWN_LAPTOP, text)
    expect(await alarmed(old)).toEqual([{ code: 'STORE_ROLLED_BACK', keys: [OWN_LAPTOP], count: 1 }])
    expect(old.told('alarm')[0]?.message).toContain('the device of this daemon shows it')
  })

  it('the profile of a device that joined from another machine reveals nothing', async () => {
    await old.keeper.change(() => old.keeper.own.keyLeaves())
    await old.reports(`profile:${OWN_PHONE}`, OWN_PHONE, text)
    expect(await alarmed(old)).toEqual([])
  })
})

describe('a subscriber with a cursor beyond the last event', () => {
  it('is refused and raises an alarm, at most once an hour', async () => {
    for (const count of [1, 1]) {
      await expect(old.callAs('app', 'subscribe', { after: 999 })).rejects.toMatchObject({ code: 'CURSOR_AHEAD' })
      expect(await alarmed(old)).toEqual([{ code: 'CURSOR_AHEAD', keys: [], count }])
    }
    expect(old.told('alarm')[0]?.message).toContain('event 999')
    old.later(3600)
    await expect(old.call('subscribe', { after: 999 })).rejects.toMatchObject({ code: 'CURSOR_AHEAD' })
    expect(await alarmed(old)).toEqual([{ code: 'CURSOR_AHEAD', keys: [], count: 2 }])
  })

  it('raises no alarm if the cursor is not beyond it', async () => {
    await old.sees(FRIEND, 'hello')
    await old.call('subscribe', { after: 0 })
    expect(await alarmed(old)).toEqual([])
  })
})

describe('the table in a sighting of an own device', () => {
  const seq = (): number | undefined => laptop.keeper.shownBy(OWN_LAPTOP)?.table?.seq
  const heard = (): number | undefined => laptop.records.devices.get(OWN_LAPTOP)?.heardAtSec

  it('is stored at once if it is higher, as after publishing, and otherwise once a minute', async () => {
    const first = await ownText(old)
    await laptop.sees(OWN_LAPTOP, first)
    const since = heard()
    await laptop.later(10).sees(OWN_LAPTOP, text)
    expect([seq(), heard()]).toEqual([2, since])
    await laptop.later(10).sees(OWN_LAPTOP, first)
    expect(seq()).toBe(2)
    await laptop.later(60).sees(OWN_LAPTOP, first)
    expect(seq()).toBe(1)
  })
})
