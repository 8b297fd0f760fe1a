import { describe, expect, it } from 'vitest'
import { unsignedReminder } from '../../../../src/daemon/keeper/reminder.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey } from '../../../support/person.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const HOUR_SEC = 3600
const DAY_SEC = 86_400

/** The daemons of the laptop and of the phone, with one key. */
async function pair(): Promise<{ laptop: TestKeeper; phone: TestKeeper }> {
  const laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', PHONE)
  const phone = await laptop.copied(OWN_PHONE)
  laptop.events.length = 0
  return { laptop, phone }
}

async function hears(test: TestKeeper, from: string, other: TestKeeper): Promise<void> {
  await test.later(100).sees(from, await ownText(other))
}

describe('a device that a sibling added', () => {
  it('is reported as unapproved with every change of the table, until the owner approves it here', async () => {
    const { laptop, phone } = await pair()
    await phone.call('device.add', TABLET)
    await hears(laptop, OWN_PHONE, phone)
    await laptop.call('device.rename', { device: 'laptop', name: 'Laptop' })
    expect(laptop.told('own.changed').map(({ cause, unapproved }) => [cause, unapproved])).toStrictEqual([
      ['sibling', [TABLET]],
      ['rename', [TABLET]],
    ])
    const again = await laptop.reopened()
    const status = await again.call('status')
    expect(status.unapproved).toStrictEqual([TABLET])
    expect(status.findings).toContainEqual(
      expect.objectContaining({ code: 'DEVICE_UNAPPROVED', about: { device: 'tablet' } }),
    )
    expect((await again.call('device.approve', { device: 'tablet' })).table.seq).toBe(4)
    expect(again.told('own.changed')).toMatchObject([{ cause: 'approve', unapproved: [] }])
    expect((await (await again.reopened()).call('status')).unapproved).toStrictEqual([])
  })

  it('is not approved if a sibling renames, activates, or removes and re-adds it', async () => {
    const { laptop, phone } = await pair()
    await phone.call('device.add', TABLET)
    await hears(laptop, OWN_PHONE, phone)
    await laptop.call('device.activate', { device: 'tablet' })
    await hears(phone, OWN_LAPTOP, laptop)
    await phone.call('device.remove', { device: 'tablet' })
    await hears(laptop, OWN_PHONE, phone)
    await phone.call('device.add', { ...TABLET, again: true })
    await hears(laptop, OWN_PHONE, phone)
    expect((await laptop.call('status')).unapproved).toStrictEqual([TABLET])
  })

  it('needs no approval on the sibling that added it', async () => {
    const { phone } = await pair()
    await phone.call('device.add', TABLET)
    expect((await phone.call('status')).unapproved).toStrictEqual([])
  })

  it('is unapproved if it returns after a sibling removed it, so a rotation leaves it out', async () => {
    const { laptop, phone } = await pair()
    await laptop.call('device.add', TABLET)
    const tablet = await laptop.copied(TABLET.key)
    await hears(phone, OWN_LAPTOP, laptop)
    await phone.call('device.remove', { device: 'tablet' })
    await hears(laptop, OWN_PHONE, phone)
    await hears(tablet, OWN_PHONE, phone)
    // The new owner of the tablet lists it again.
    const soldSec = laptop.nowSec
    await tablet.call('device.add', { ...TABLET, again: true })
    await hears(laptop, TABLET.key, tablet)
    expect(laptop.told('own.changed').at(-1)).toMatchObject({ cause: 'sibling', unapproved: [TABLET] })
    expect((await laptop.call('status')).unapproved).toStrictEqual([TABLET])
    expect(laptop.records.own.get('own')!.notes.find(({ key }) => key === TABLET.key)!.cameSec).toBeGreaterThan(soldSec)
    const plan = await laptop.call('rotation.plan', { epoch: 1 })
    expect(plan.leftOut).toMatchObject([{ name: 'tablet', why: 'unapproved' }])
    await laptop.call('device.approve', { device: 'tablet' })
    const since = await laptop.call('rotation.plan', { epoch: 1, sinceSec: soldSec })
    expect(since.leftOut).toMatchObject([{ name: 'tablet', why: 'since' }])
  })

  it('needs no approval if it is the device of this machine', async () => {
    const { laptop, phone } = await pair()
    await phone.call('device.remove', { device: 'laptop' })
    await hears(laptop, OWN_PHONE, phone)
    await phone.call('device.add', { name: 'laptop', key: OWN_LAPTOP, again: true })
    await hears(laptop, OWN_PHONE, phone)
    expect((await laptop.call('status')).unapproved).toStrictEqual([])
  })

  it('is new if the owner had removed it here', async () => {
    const { laptop, phone } = await pair()
    await phone.call('device.add', TABLET)
    await hears(laptop, OWN_PHONE, phone)
    await laptop.call('device.approve', { device: 'tablet' })
    await laptop.call('device.remove', { device: 'tablet' })
    const notes = laptop.records.own.get('own')!.notes
    expect(notes.some(({ key }) => key === TABLET.key)).toBe(false)
  })
})

describe('a daemon whose own device a sibling removed from the table', () => {
  async function unlisted(): Promise<{ laptop: TestKeeper; phone: TestKeeper }> {
    const { laptop, phone } = await pair()
    await phone.call('device.remove', { device: 'laptop' })
    await hears(laptop, OWN_PHONE, phone)
    return { laptop, phone }
  }

  it('raises one alarm with the remedy, and no longer edits, shows or signs, even after a restart', async () => {
    const { laptop, phone } = await unlisted()
    await phone.call('device.rename', { device: 'phone', name: 'Phone' })
    await hears(laptop, OWN_PHONE, phone)
    expect(laptop.told('alarm')).toMatchObject([{ code: 'OWN_DEVICE_UNLISTED' }])
    for (const test of [laptop, await laptop.reopened()]) {
      const refused = { code: 'OWN_DEVICE_UNLISTED' }
      await expect(test.call('device.add', TABLET)).rejects.toMatchObject(refused)
      await expect(test.call('device.rename', { device: OWN_PHONE, name: 'x' })).rejects.toMatchObject(refused)
      await expect(test.call('blob.get')).rejects.toMatchObject(refused)
      await expect(test.keeper.resign()).rejects.toMatchObject(refused)
      expect(test.keeper.resignDueSec()).toBeNull()
      expect((await test.call('status')).findings).toContainEqual(
        expect.objectContaining({ code: 'OWN_DEVICE_UNLISTED' }),
      )
      expect(test.custody.publicKey(0)).not.toBeNull()
    }
  })

  it('keeps its intents and replays them once it is listed again', async () => {
    const { laptop, phone } = await pair()
    await laptop.call('device.add', TABLET)
    await phone.call('device.remove', { device: 'laptop' })
    await phone.call('device.rename', { device: 'phone', name: 'Phone' })
    await hears(laptop, OWN_PHONE, phone)
    expect((await laptop.call('device.list')).devices.map(({ name }) => name)).toStrictEqual(['Phone'])
    const { table } = await laptop.call('device.add', { name: 'laptop', key: OWN_LAPTOP, again: true })
    expect(table.devices.map(({ name }) => name)).toStrictEqual(['Phone', 'laptop', 'tablet'])
  })

  it('differs from a daemon whose owner removed its device here', async () => {
    const { laptop } = await pair()
    await laptop.call('device.remove', { device: 'laptop' })
    expect((await laptop.call('device.add', TABLET)).table.devices).toStrictEqual([PHONE, TABLET])
    expect(laptop.told('alarm')).toStrictEqual([])
  })

  it('knows its device from init, or as the first that was added', async () => {
    const test = await TestKeeper.open()
    await test.call('persona.init')
    await test.call('device.add', { name: 'laptop', key: OWN_LAPTOP })
    await test.call('device.add', PHONE)
    expect(test.records.own.get('own')!.localDevices).toStrictEqual([OWN_LAPTOP])
  })
})

describe('the weekly signature', () => {
  it('is due six hours later for each device before the one of this daemon', async () => {
    const { laptop, phone } = await pair()
    const { timeSec } = await phone.call('device.list')
    expect(laptop.keeper.resignDueSec()).toBe(timeSec + 7 * DAY_SEC)
    expect(phone.keeper.resignDueSec()).toBe(timeSec + 7 * DAY_SEC + 6 * HOUR_SEC)
  })
})

describe('the reminder of a locked daemon', () => {
  it('comes once a day from the tenth day without a signature, and not while the key is unlocked', async () => {
    const passphrase = 'correct horse'
    const open = await TestKeeper.open()
    await open.call('persona.init', { device: { name: 'laptop', key: OWN_LAPTOP }, passphrase })
    const locked = await open.reopened()
    const told: string[] = []
    const [remind, remindOpen] = [unsignedReminder(locked.keeper), unsignedReminder(open.keeper)]
    for (let hour = 0; hour <= 11 * 24; hour += 6) {
      await remind()
      await remindOpen()
      for (const { message } of locked.told('own.unsigned')) told.push(`${hour / 24}: ${message.slice(0, 35)}`)
      for (const test of [open, locked]) test.later(6 * HOUR_SEC)
    }
    expect(told).toStrictEqual(['10: your table was signed 10 days ago, ', '11: your table was signed 11 days ago, '])
    expect(open.told('own.unsigned')).toStrictEqual([])
  })
})

describe('an old record without notes on devices', () => {
  it('counts all devices as approved, and knows no device as its own', async () => {
    const test = await TestKeeper.withPersona()
    const own = test.records.own.get('own')!
    const { notes, localDevices, highestEpoch, copySec, rotation, ...before } = own
    expect([notes.length, localDevices, highestEpoch, copySec, rotation]).toStrictEqual([
      1,
      [OWN_LAPTOP],
      0,
      null,
      null,
    ])
    await test.store.commit([test.records.own.put('own', before as typeof own)])
    const again = await test.reopened()
    expect((await again.call('status')).unapproved).toStrictEqual([])
    expect((await again.call('device.add', PHONE)).table.devices).toHaveLength(2)
  })
})
