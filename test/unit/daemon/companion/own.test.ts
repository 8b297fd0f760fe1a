import { describe, expect, it } from 'vitest'
import type { Device } from '../../../../src/core/table.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'

const aside = (of: ReturnType<typeof person>): Device => ({ ...of.device('aside'), companion: true })

describe('a companion of a contact', () => {
  it('is never the active device, even if it is the first and the only confirmed one', async () => {
    const keeper = await TestKeeper.withPersona()
    const zoe = person('Zoe')
    const table = zoe.table([aside(zoe), 'phone'])
    await keeper.sees(zoe.key('aside'), table, { name: 'Zoe' })
    const alone = await keeper.call('contact.show', { contact: 'Zoe' })
    expect(alone).toMatchObject({ active: null, activeUnconfirmed: zoe.key('phone') })
    expect(alone.devices).toMatchObject([{ key: zoe.key('aside'), state: 'confirmed', companion: true }])
    await keeper.sees(zoe.key('phone'), table)
    const both = await keeper.call('contact.show', { contact: 'Zoe' })
    expect(both).toMatchObject({ active: zoe.key('phone'), activeUnconfirmed: null })
    expect(both.devices.map(({ key }) => key)).toEqual([zoe.key('phone'), zoe.key('aside')])
  })

  it('causes no activation event by being the first in the table', async () => {
    const keeper = await TestKeeper.withPersona()
    const zoe = person('Zoe')
    await keeper.sees(zoe.key('phone'), zoe.table(['phone']), { name: 'Zoe' })
    keeper.told('contact.changed')
    const { changes } = await keeper.sees(zoe.key('phone'), zoe.table([aside(zoe), 'phone']))
    expect(changes).toEqual(['added'])
    expect(keeper.told('device.added')).toMatchObject([{ device: { key: zoe.key('aside'), companion: true } }])
  })
})

describe('a companion of the owner', () => {
  it('is marked as a companion in the table and in the blob, and cannot be made active', async () => {
    const keeper = await TestKeeper.withPersona()
    await keeper.keeper.change(() =>
      keeper.keeper.own.edit({ kind: 'add', key: OWN_PHONE, name: 'aside', companion: true }),
    )
    const { devices } = await keeper.call('device.list')
    expect(devices).toEqual([
      { name: 'laptop', key: OWN_LAPTOP },
      { name: 'aside', key: OWN_PHONE, companion: true },
    ])
    const judged = await keeper.call('verify', { text: await ownText(keeper) })
    expect(judged.blob?.devices).toEqual(devices)
    await expect(keeper.call('device.activate', { device: 'aside' })).rejects.toMatchObject({
      code: 'DEVICE_COMPANION',
    })
    const reopened = await keeper.reopened()
    expect((await reopened.call('device.list')).devices).toEqual(devices)
  })
})
