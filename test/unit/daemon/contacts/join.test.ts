/** Friends without a persona whom the owner joins by hand, because they are one person. */
import { beforeEach, describe, expect, it } from 'vitest'
import { formatContact } from '../../../../src/cli/contacts/contacts.ts'
import { adviseOn } from '../../../../src/daemon/contacts/advice.ts'
import { MAX_JOINED } from '../../../../src/daemon/contacts/join.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'
import { importSnapshot, snapshotOf } from '../../../support/snapshot.ts'

const [PC, PHONE, TV] = [deviceKey('pc'), deviceKey('phone'), deviceKey('tv')]

let test: TestKeeper
beforeEach(async () => {
  test = await TestKeeper.withPersona()
  await test.sees(PHONE, 'hi', { name: 'Bob mobile' })
  await test.later(100).sees(PC, 'hi', { name: 'Bob' })
  await test.later(100).sees(TV, 'hi', { name: 'Bob TV' })
  test.events.length = 0
})

async function names(): Promise<string[]> {
  return (await test.call('contact.list')).contacts.map(({ name }) => name)
}

describe('two friends that are one person', () => {
  it('are one contact under the first name, found by each name and key, and apps write to the first', async () => {
    const joined = await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    expect(joined).toMatchObject({
      kind: 'provisional',
      name: 'Bob',
      aliases: ['Bob mobile'],
      active: PC,
      personaId: null,
    })
    expect(joined.devices).toMatchObject([
      { key: PC, name: 'Bob' },
      { key: PHONE, name: 'Bob mobile' },
    ])
    for (const query of ['Bob', 'Bob mobile', PC, PHONE]) {
      const found = await test.call('lookup', { query })
      expect(found.contact, query).toStrictEqual(joined)
    }
    expect((await test.call('lookup', { query: PHONE })).device).toMatchObject({ key: PHONE })
    expect(await test.call('contact.list')).toMatchObject({ total: 2, contacts: [{ name: 'Bob' }, { name: 'Bob TV' }] })
    expect(test.told('contact.changed')).toMatchObject([
      { contact: { name: 'Bob' }, changes: [{ kind: 'joined', key: PHONE, name: 'Bob mobile' }], source: 'owner' },
    ])
    expect((await test.sees(PHONE, 'away')).contact).toBe('Bob')
    expect(adviseOn(joined, null).devices.map(({ advice }) => advice)).toStrictEqual(['send', 'keep'])
    expect(formatContact(joined, test.nowSec)).toContain(
      'persona:     none yet; you joined 2 Tox friends who are one person',
    )
  })

  it('have the strictest policy and any block, which count for all of them', async () => {
    await test.call('contact.policy', { contact: 'Bob mobile', policy: 'ask' })
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ policy: 'ask' })
    expect(await test.call('contact.block', { contact: PHONE })).toMatchObject({ blocked: true, active: null })
    await test.call('contact.split', { contact: 'Bob', device: 'Bob mobile' })
    expect(await test.call('contact.show', { contact: PHONE })).toMatchObject({ policy: 'ask', blocked: true })
    expect(await test.call('contact.show', { contact: PC })).toMatchObject({ policy: 'ask', blocked: true })
  })

  it('are two again after a split, each under its own name, also if the first one goes', async () => {
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    await test.call('contact.join', { contact: 'Bob', other: 'Bob TV' })
    const before = await test.call('contact.show', { contact: 'Bob' })
    expect(before.devices.map(({ key }) => key)).toStrictEqual([PC, PHONE, TV])
    const split = await test.call('contact.split', { contact: 'Bob', device: 'Bob' })
    expect(split).toMatchObject({ name: 'Bob', aliases: [], devices: [{ key: PC }] })
    expect(await test.call('contact.show', { contact: TV })).toMatchObject({
      name: 'Bob mobile',
      aliases: ['Bob TV'],
      devices: [{ key: PHONE }, { key: TV }],
    })
    const named = await test.call('contact.split', { contact: 'Bob TV', device: TV.slice(0, 8), name: 'Television' })
    expect(named).toMatchObject({ name: 'Television', devices: [{ key: TV }] })
    expect(await names()).toStrictEqual(['Bob', 'Bob mobile', 'Television'])
    expect(await test.call('contact.list')).toMatchObject({ total: 3 })
  })

  it('stay one after a restart and in a backup', async () => {
    const joined = await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    const again = await test.reopened()
    expect(await again.call('contact.show', { contact: 'Bob mobile' })).toStrictEqual(joined)
    const fresh = await TestKeeper.open({ nowSec: test.nowSec })
    await importSnapshot(fresh, await snapshotOf(test, 'backup'), { sibling: null, withKeys: true })
    expect(await fresh.call('contact.show', { contact: 'Bob mobile' })).toStrictEqual(joined)
    expect((await fresh.call('contact.list')).total).toBe(2)
  })

  it('are not one because a sibling says so: a thief could add a friend of theirs', async () => {
    const phone = await test.copied(deviceKey('own phone'))
    await phone.call('contact.join', { contact: 'Bob', other: 'Bob TV' })
    await importSnapshot(test, await snapshotOf(phone, 'sibling'), { sibling: 'phone', withKeys: false })
    expect((await test.call('contact.show', { contact: 'Bob' })).devices).toHaveLength(1)
    const joining = await TestKeeper.open({ nowSec: test.nowSec })
    await importSnapshot(joining, await snapshotOf(phone, 'sibling'), { sibling: 'phone', withKeys: true })
    expect((await joining.call('contact.show', { contact: 'Bob' })).devices).toHaveLength(2)
  })

  it('are forgotten together, and come back as two', async () => {
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    await test.call('contact.forget', { contact: 'Bob mobile' })
    expect(await names()).toStrictEqual(['Bob TV'])
    expect(test.told('contact.forgotten')).toMatchObject([{ key: PHONE }, { key: PC }])
    await test.sees(PC, 'hi', { name: 'Bob' })
    await test.sees(PHONE, 'hi', { name: 'Bob mobile' })
    expect(await names()).toStrictEqual(['Bob', 'Bob mobile', 'Bob TV'])
  })

  it('stay when the source that reported one of them is revoked', async () => {
    const profile = `profile:${deviceKey('own laptop')}`
    const other = deviceKey('bob old')
    await test.reports(profile, other, 'hi', { name: 'Bob old' })
    await test.call('contact.join', { contact: 'Bob', other: 'Bob old' })
    await test.call('observe.undo', { profile: deviceKey('own laptop') })
    expect((await test.call('contact.show', { contact: 'Bob' })).devices).toHaveLength(2)
  })
})

describe('a joined friend that shows a persona', () => {
  it('waits for the owner under every policy, and then leaves the others, which stay one contact', async () => {
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    await test.call('contact.join', { contact: 'Bob', other: 'Bob TV' })
    const bob = person('bob')
    const table = bob.table([{ name: 'pc', key: PC }])
    await test.sees(PC, table)
    expect((await test.call('contact.show', { contact: 'Bob' })).kind).toBe('provisional')
    const { pending } = await test.call('pending.list')
    expect(pending).toMatchObject([{ kind: 'upgrade', contact: 'Bob', key: PC }])
    await test.call('pending.accept', { contact: 'Bob', tableHash: table.hash })
    expect(await test.call('contact.show', { contact: bob.id })).toMatchObject({ kind: 'persona', name: 'Bob' })
    expect(test.told('contact.changed').slice(-2)).toMatchObject([
      { contact: { name: 'Bob mobile' }, changes: [{ kind: 'split', key: PC }] },
      { contact: { personaId: bob.id }, changes: [{ kind: 'upgraded' }, {}, {}] },
    ])
    expect(await test.call('contact.show', { contact: 'Bob mobile' })).toMatchObject({
      kind: 'provisional',
      devices: [{ key: PHONE }, { key: TV }],
    })
    expect(await test.call('contact.list')).toMatchObject({ total: 2 })
  })

  it('is answered by its key if another one of the contact waits too; a no keeps it joined', async () => {
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    await test.sees(PC, person('bob').table([{ name: 'pc', key: PC }]))
    await test.sees(PHONE, person('mallory').table([{ name: 'phone', key: PHONE }]))
    await expect(test.call('pending.reject', { contact: 'Bob' })).rejects.toMatchObject({ code: 'AMBIGUOUS' })
    await test.call('pending.reject', { contact: PHONE })
    expect((await test.call('pending.list')).pending).toMatchObject([{ key: PC }])
    expect((await test.call('contact.show', { contact: 'Bob' })).devices).toHaveLength(2)
  })

  it('does not leave by a change of the policy alone', async () => {
    await test.call('contact.join', { contact: 'Bob', other: 'Bob mobile' })
    await test.sees(PC, person('bob').table([{ name: 'pc', key: PC }]))
    await test.call('contact.policy', { contact: 'Bob', policy: 'auto' })
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ kind: 'provisional', pending: true })
  })
})

describe('a join is refused', () => {
  it.each([
    ['with itself', 'Bob', 'ALREADY_JOINED'],
    ['with a contact that has a persona', 'Zoe', 'CONTACT_HAS_PERSONA'],
    ['with the owner', deviceKey('own laptop'), 'CONTACT_IS_OWN'],
    ['with nobody', 'Nobody', 'NOT_FOUND'],
  ])('%s', async (_, other, code) => {
    const zoe = person('Zoe')
    await test.sees(zoe.key('desk'), zoe.table(['desk']), { name: 'Zoe' })
    await expect(test.call('contact.join', { contact: 'Bob', other })).rejects.toMatchObject({ code })
  })

  it('beyond 16 accounts', async () => {
    for (let n = 1; n < MAX_JOINED; n++) {
      await test.sees(deviceKey(`account ${n}`), 'hi', { name: `account ${n}` })
      await test.call('contact.join', { contact: 'Bob', other: `account ${n}` })
    }
    const refused = test.call('contact.join', { contact: 'Bob TV', other: 'Bob' })
    await expect(refused).rejects.toMatchObject({ code: 'TOO_MANY_JOINED' })
  })
})
