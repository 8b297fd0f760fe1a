import { describe, expect, it } from 'vitest'
import type { ContactCard } from '../../../../src/ipc/shapes/cards.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { person, type Person } from '../../../support/person.ts'
import { snapshotOf, importSnapshot } from '../../../support/snapshot.ts'

const PHONE = person('bob').key('phone')
const LAPTOP = person('bob').key('laptop')

/** A keeper that knows bob by a phone and a laptop, both confirmed, and carol by a device without a persona. */
async function withFriends(): Promise<{ test: TestKeeper; bob: Person }> {
  const test = await TestKeeper.withPersona()
  const bob = person('bob')
  await test.sees(PHONE, bob.table(['phone', 'laptop']), { name: 'Bob' })
  await test.sees(LAPTOP, bob.last!)
  await test.sees(person('carol').key('pc'), 'brb', { name: 'Carol' })
  test.later(120).events.length = 0
  return { test, bob }
}

async function names(test: TestKeeper, blocked = false): Promise<string[]> {
  const { contacts } = await test.call('contact.list', blocked ? { blocked } : {})
  return contacts.map(({ name }) => name)
}

describe('a renamed contact', () => {
  it('is found only by the new name, and devices seen later do not change it', async () => {
    const { test, bob } = await withFriends()
    expect((await test.call('contact.rename', { contact: 'bob', name: 'Robert' })).name).toBe('Robert')
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({ by: 'none' })
    expect(test.told('contact.changed')).toMatchObject([{ changes: [{ kind: 'called', name: 'Robert' }] }])
    await test.sees(bob.key('tablet'), bob.table(['phone', 'laptop', 'tablet']), { name: 'Bobby' })
    expect(await names(await test.reopened())).toEqual(['Carol', 'Robert'])
  })

  it('may be a friend without a persona, and keeps the name when the persona is seen', async () => {
    const { test } = await withFriends()
    const carol = person('carol')
    await test.call('contact.rename', { contact: 'Carol', name: 'Caro' })
    await test.sees(carol.key('pc'), carol.table(['pc']), { name: 'Carol' })
    expect(await names(test)).toEqual(['Bob', 'Caro'])
  })

  it('cannot get the name or an alias of another contact', async () => {
    const { test } = await withFriends()
    await expect(test.call('contact.rename', { contact: 'Bob', name: 'CAROL' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    expect((await test.call('contact.rename', { contact: 'Bob', name: 'BOB' })).name).toBe('BOB')
    expect(await names(test)).toEqual(['BOB', 'Carol'])
  })

  it('and a friend without a persona have no invisible characters in their names', async () => {
    const { test } = await withFriends()
    const looks = [
      'Carol\u200B',
      '\u2060Carol',
      'Ca\u00ADrol',
      'Carol\u3164',
      'Ca\u{E0041}rol',
      'Carol\u00A0',
      '\u202ECarol',
    ]
    for (const [i, name] of looks.entries()) await test.sees(person(`stranger ${i}`).key('pc'), 'brb', { name })
    expect(await names(test)).toEqual(['Bob', 'Carol', ...looks.map((_, i) => `Carol#${i + 2}`)])
    await test.sees(person('family').key('pc'), 'brb', { name: '\u{1F468}\u200D\u{1F469}' })
    expect((await test.call('lookup', { query: person('family').key('pc') })).contact!.name).toBe(
      '\u{1F468}\u200D\u{1F469}',
    )
    await test.sees(person('nobody').key('pc'), 'brb', { name: '\u200B\u200B' })
    expect((await test.call('lookup', { query: person('nobody').key('pc') })).contact!.name).toBe('unnamed')
    await expect(test.call('contact.rename', { contact: 'Bob', name: 'Carol\u200B' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
  })

  it('cannot be the owner', async () => {
    const { test } = await withFriends()
    const { personaId } = await test.call('device.list')
    for (const method of ['contact.block', 'contact.forget'] as const)
      await expect(test.call(method, { contact: personaId })).rejects.toMatchObject({ code: 'CONTACT_IS_OWN' })
  })
})

it('each decision on a friend without a persona causes an event and a history entry', async () => {
  const { test } = await withFriends()
  const key = person('carol').key('pc')
  for (const name of ['Caro', 'Caro']) await test.call('contact.rename', { contact: key, name })
  await test.call('contact.policy', { contact: key, policy: 'ask' })
  await test.call('contact.block', { contact: key })
  await test.call('contact.unblock', { contact: key })
  const kinds = ['called', 'policy', 'blocked', 'unblocked']
  const told = test.told('contact.changed')
  expect(told.map(({ changes }) => changes[0]!.kind)).toEqual(kinds)
  expect(told[0]).toMatchObject({
    contact: { kind: 'provisional', personaId: null, name: 'Caro', active: key },
    source: 'owner',
  })
  const { entries } = await test.call('log.list', { about: 'Caro' })
  expect(entries.map(({ data }) => data)).toMatchObject(kinds.map(() => ({ personaId: null, key })))
  // A client that was away gets the same events, with the contact in its current state.
  await test.call('subscribe', { events: ['contact.changed'], after: entries.at(-1)!.number - 1 })
  expect(test.replayed).toMatchObject(
    kinds.map((kind) => ({ data: { changes: [{ kind }], contact: { name: 'Caro' } } })),
  )
})

it('each decision on a contact causes one event, and none if nothing changes', async () => {
  const { test } = await withFriends()
  for (let i = 0; i < 2; i++) {
    await test.call('contact.rename', { contact: PHONE, name: 'Robert' })
    await test.call('contact.policy', { contact: 'Robert', policy: 'ask' })
    await test.call('contact.block', { contact: 'Robert' })
  }
  for (let i = 0; i < 2; i++) await test.call('contact.unblock', { contact: 'Robert' })
  const told = test.told('contact.changed').map(({ changes }) => changes.map(({ kind }) => kind))
  expect(told).toEqual([['called'], ['policy'], ['blocked'], ['unblocked']])
})

describe('a blocked contact', () => {
  it('is in no list and has no device to use, but can be shown', async () => {
    const { test } = await withFriends()
    await test.call('contact.block', { contact: 'Bob' })
    expect(await names(test)).toEqual(['Carol'])
    expect(await names(test, true)).toEqual(['Bob', 'Carol'])
    const contact = await test.call('contact.show', { contact: 'Bob' })
    expect(contact).toMatchObject({ blocked: true, active: null, activeUnconfirmed: null, devices: [], claims: [] })
    expect(contact.others.map(({ key, state }) => [key, state])).toEqual([
      [PHONE, 'confirmed'],
      [LAPTOP, 'confirmed'],
    ])
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ contact: { blocked: true, active: null } })
  })

  it('causes no events, alarms or pending changes, but its tables are recorded', async () => {
    const { test, bob } = await withFriends()
    await test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    await test.call('contact.block', { contact: 'Bob' })
    expect(test.told('contact.changed').at(-1)!.changes).toMatchObject([{ kind: 'blocked' }])
    test.events.length = 0
    await test.sees(PHONE, bob.table(['phone', 'laptop', 'tablet']))
    await test.later(60).sees(PHONE, bob.thief().table(['phone'], { after: null }))
    await test.later(60).sees(PHONE, bob.table(['phone'], { seq: 100_000 }))
    await test.later(60).sees(LAPTOP, person('eve').table([{ name: 'x', key: LAPTOP }]))
    expect(test.events).toEqual([])
    expect((await test.call('alarm.list')).alarms).toEqual([])
    expect((await test.call('pending.list', {})).pending).toEqual([])
    const record = test.records.personas.get(bob.id)!
    expect([record.seq, record.pending !== null, record.held !== null]).toEqual([2, true, true])
    expect(record.evidence.map(({ kind }) => kind)).toContain('violation')
    await test.call('contact.unblock', { contact: 'Bob' })
    expect((await test.call('pending.list', {})).pending.map(({ kind }) => kind)).toEqual(['update', 'held'])
    expect(test.told('contact.changed').at(-1)!.changes).toMatchObject([{ kind: 'unblocked' }])
    expect((await test.call('contact.show', { contact: 'Bob' })).active).toBe(PHONE)
  })

  it('can get a policy even without a persona, and has no pending change', async () => {
    const { test } = await withFriends()
    const contact = 'Carol'
    await test.call('contact.block', { contact })
    expect(await test.call('contact.policy', { contact, policy: 'pin' })).toMatchObject({
      policy: 'pin',
      blocked: true,
    })
    for (const method of ['pending.accept', 'pending.reject'] as const)
      await expect(test.call(method, { contact })).rejects.toMatchObject({ code: 'NOTHING_PENDING' })
  })

  it('stays blocked when the friend shows a persona', async () => {
    const { test } = await withFriends()
    const carol = person('carol')
    await test.call('contact.block', { contact: 'Carol' })
    expect(test.told('contact.changed')).toMatchObject([{ changes: [{ kind: 'blocked' }] }])
    await test.sees(carol.key('pc'), carol.table(['pc', 'phone']))
    await test.sees(carol.key('phone'), carol.last!)
    expect(test.events).toEqual([])
    expect(await names(test)).toEqual(['Bob'])
    expect(await test.call('contact.show', { contact: 'Carol' })).toMatchObject({ kind: 'persona', blocked: true })
  })
})

describe('a forgotten contact', () => {
  it('loses names, policy, reports and bindings, with an event', async () => {
    const { test, bob } = await withFriends()
    await test.call('contact.forget', { contact: 'Bob' })
    expect(await names(test)).toEqual(['Carol'])
    expect(test.told('contact.forgotten')).toEqual([{ personaId: bob.id, key: null, name: 'Bob' }])
    expect((await test.call('status')).counts).toMatchObject({ contacts: 0, provisional: 1, devices: 2 })
    for (const query of ['Bob', bob.id, PHONE])
      expect(await test.call('lookup', { query })).toMatchObject({ by: 'none' })
    const kept = test.records.forgotten.get(bob.id)!
    expect(kept).toMatchObject({ seq: 1, entry: null, names: [], devices: [], others: [], verifiedAtSec: null })
  })

  it('comes back as a new contact with its current table, and not with an older one', async () => {
    const { test, bob } = await withFriends()
    const old = bob.last!
    await test.sees(PHONE, bob.table(['phone', 'laptop', 'tablet']))
    await test.call('contact.policy', { contact: 'Bob', policy: 'pin' })
    await test.call('contact.forget', { contact: 'Bob' })
    const again = await test.reopened()
    expect(await again.later(60).sees(PHONE, old)).toMatchObject({ verdict: 'stale', state: 'asserted' })
    expect(await again.later(60).sees(PHONE, bob.last!, { name: 'B.' })).toMatchObject({ state: 'confirmed' })
    const contact = await again.call('contact.show', { contact: bob.id })
    expect(contact).toMatchObject({ policy: 'auto', seq: 2, active: PHONE, verifiedAtSec: null })
    expect(contact.claims.map(({ key }) => key)).toEqual([LAPTOP, bob.key('tablet')])
    expect(again.records.forgotten.get(bob.id)).toBeUndefined()
    expect((await again.call('status')).counts.contacts).toBe(1)
  })

  it('does not come back with the chain of a thief', async () => {
    const { test, bob } = await withFriends()
    await test.call('contact.forget', { contact: 'Bob' })
    const forged = bob.thief().table(['phone'])
    expect(await test.sees(PHONE, forged)).toMatchObject({ verdict: 'violation', changes: [] })
    expect(test.records.personas.get(bob.id)).toBeUndefined()
    await expect(test.call('contact.add', { link: bob.thief().link() })).rejects.toMatchObject({
      code: 'CHAIN_DIFFERS',
    })
    expect(await test.call('contact.add', { link: bob.thief().link(), repin: true })).toMatchObject({
      outcome: 'added',
      contact: { epoch: null, devices: [] },
    })
  })

  it('comes back with its link and the known table, and its devices are confirmed once they show it', async () => {
    const { test, bob } = await withFriends()
    await test.call('contact.forget', { contact: 'Bob' })
    const { outcome, contact } = await test.call('contact.add', { link: bob.link(), name: 'Bob' })
    expect([outcome, contact.seq, contact.devices]).toEqual(['added', 1, []])
    expect(contact.claims.map(({ key }) => key)).toEqual([PHONE, LAPTOP])
    expect(await test.sees(LAPTOP, bob.last!)).toMatchObject({ verdict: 'refresh', state: 'confirmed', contact: 'Bob' })
  })

  it('is not brought back by a sibling’s snapshot', async () => {
    const { test, bob } = await withFriends()
    await test.call('device.add', { name: 'phone', key: OWN_PHONE })
    const sibling = await test.copied()
    await test.call('contact.forget', { contact: 'Bob' })
    await importSnapshot(test, await snapshotOf(sibling, 'sibling'), { sibling: 'phone', withKeys: false })
    expect(test.records.personas.get(bob.id)).toBeUndefined()
    expect(await names(test)).not.toContain('Bob')
  })

  it('may be a friend without a persona', async () => {
    const { test } = await withFriends()
    const key = person('carol').key('pc')
    await test.call('contact.forget', { contact: 'Carol' })
    expect(test.told('contact.forgotten')).toEqual([{ personaId: null, key, name: 'Carol' }])
    expect(test.records.devices.get(key)).toBeUndefined()
    await test.sees(key, 'brb', { name: 'Carol' })
    expect(await names(test)).toEqual(['Bob', 'Carol'])
  })

  it('leaves a device alone that is bound to another contact', async () => {
    const { test, bob } = await withFriends()
    const eve = person('eve')
    await test.sees(eve.key('pc'), eve.table(['pc', { name: 'x', key: PHONE }]), { name: 'Eve' })
    const before = test.records.devices.get(PHONE)!
    await test.call('contact.forget', { contact: 'Eve' })
    expect(test.records.devices.get(PHONE)).toEqual({ ...before, claimedBy: [bob.id] })
  })
})

describe('a device that is split from a contact', () => {
  it('can be a former one, gets an entry of its own, and may join another contact', async () => {
    const { test, bob } = await withFriends()
    await test.sees(PHONE, bob.table(['phone']))
    const entry = await test.call('contact.split', { contact: 'Bob', device: 'laptop', name: 'Sold laptop' })
    expect(entry).toMatchObject({ kind: 'provisional', name: 'Sold laptop', active: LAPTOP })
    expect(test.told('contact.changed').at(-1)!.changes).toMatchObject([{ kind: 'split', key: LAPTOP }])
    expect((await test.call('contact.show', { contact: 'Bob' })).others).toEqual([])
    const dora = person('dora')
    const table = dora.table([{ name: 'laptop', key: LAPTOP }])
    expect(await test.later(60).sees(LAPTOP, table)).toMatchObject({ state: 'confirmed', contact: 'Sold laptop' })
    expect(await test.call('lookup', { query: LAPTOP })).toMatchObject({ contact: { personaId: dora.id } })
  })

  it('can be one that shows another persona while the old one still lists it', async () => {
    const { test } = await withFriends()
    const dora = person('dora')
    const table = dora.table([{ name: 'laptop', key: LAPTOP }])
    expect(await test.sees(LAPTOP, table)).toMatchObject({ state: 'asserted' })
    await test.call('contact.split', { contact: 'Bob', device: LAPTOP.slice(0, 8) })
    expect(await test.later(60).sees(LAPTOP, table)).toMatchObject({ state: 'confirmed' })
    expect((await test.call('contact.show', { contact: 'Bob' })).claims).toMatchObject([
      { key: LAPTOP, contested: true },
    ])
  })

  it('cannot be a confirmed device of the contact', async () => {
    const { test } = await withFriends()
    await expect(test.call('contact.split', { contact: 'Bob', device: 'laptop' })).rejects.toMatchObject({
      code: 'DEVICE_CONFIRMED',
    })
    await expect(test.call('contact.split', { contact: 'Bob', device: 'tablet' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await expect(test.call('contact.split', { contact: 'Carol', device: 'pc' })).rejects.toMatchObject({
      code: 'CONTACT_PROVISIONAL',
    })
  })

  it('can be a former own device, but not one in the own table', async () => {
    const { test } = await withFriends()
    await test.call('device.add', { name: 'phone', key: OWN_PHONE })
    const split = { contact: OWN_PHONE, device: 'phone', name: 'My old phone' }
    await expect(test.call('contact.split', split)).rejects.toMatchObject({ code: 'DEVICE_CONFIRMED' })
    await test.sees(OWN_PHONE, await ownText(test))
    await test.call('device.remove', { device: 'phone' })
    expect(await test.call('contact.split', split)).toMatchObject({ kind: 'provisional', name: 'My old phone' })
  })
})

describe('a list of contacts', () => {
  async function exported(test: TestKeeper): Promise<ContactCard[]> {
    return (await test.call('contact.export', {})).contacts
  }

  it('carries links, names, policies, blocks and verification to another daemon', async () => {
    const { test, bob } = await withFriends()
    const dora = person('dora').rotate(2)
    await test.call('contact.add', { link: dora.link(), name: 'Dora' })
    await test.call('contact.verify', { contact: 'Dora', number: dora.safetyNumber })
    await test.call('contact.policy', { contact: 'Dora', policy: 'pin' })
    await test.call('contact.block', { contact: 'Bob' })
    const contacts = await exported(test)
    expect(contacts).toEqual([
      { link: bob.link(), name: 'Bob', aliases: [], policy: 'auto', blocked: true, verified: false },
      { link: dora.link(2), name: 'Dora', aliases: [], policy: 'pin', blocked: false, verified: true },
    ])
    const other = await TestKeeper.open()
    const { results } = await other.call('contact.import', { contacts, trustVerified: true })
    expect(results.map(({ outcome }) => outcome)).toEqual(['added', 'added'])
    expect(await exported(other)).toEqual(contacts)
    expect((await other.call('contact.import', { contacts })).results.map(({ outcome }) => outcome)).toEqual([
      'known',
      'known',
    ])
  })

  it('marks no contact as verified unless the owner trusts the list', async () => {
    const other = await TestKeeper.open()
    const card = {
      link: person('bob').link(),
      name: 'Bob',
      aliases: [],
      policy: 'auto',
      blocked: false,
      verified: true,
    } as const
    await other.call('contact.import', { contacts: [{ ...card, aliases: [] }] })
    expect((await exported(other))[0]!.verified).toBe(false)
  })

  it('never replaces a chain, a name or an epoch, and never loosens a policy', async () => {
    const { test, bob } = await withFriends()
    await test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    const before = test.records.personas.get(bob.id)!
    const card: ContactCard = {
      link: bob.link(9),
      name: 'X',
      aliases: ['Y'],
      policy: 'auto',
      blocked: false,
      verified: false,
    }
    const forged = { ...card, link: bob.thief().link() }
    const own = { ...card, link: (await test.call('link.get')).link }
    const damaged = { ...card, link: `${card.link.slice(0, -1)}!` }
    const { results } = await test.call('contact.import', { contacts: [card, forged, own, damaged] })
    expect(results.map(({ outcome, code }) => [outcome, code])).toEqual([
      ['known', null],
      ['refused', 'CHAIN_DIFFERS'],
      ['refused', 'CONTACT_IS_OWN'],
      ['refused', 'LINK_DAMAGED'],
    ])
    expect(test.records.personas.get(bob.id)).toEqual(before)
    expect(await names(test)).toEqual(['Bob', 'Carol'])
  })

  it('causes one event for each change of a known contact', async () => {
    const { test, bob } = await withFriends()
    const card: ContactCard = {
      link: bob.link(),
      name: 'Bob',
      aliases: [],
      policy: 'pin',
      blocked: true,
      verified: true,
    }
    for (let i = 0; i < 2; i++) await test.call('contact.import', { contacts: [card], trustVerified: true })
    const kinds = test.told('contact.changed').map(({ changes }) => changes.map(({ kind, name }) => [kind, name]))
    expect(kinds).toEqual([
      [
        ['policy', 'pin'],
        ['verified', null],
        ['blocked', 'Bob'],
      ],
    ])
  })

  it('makes taken names unique, and cleans names from others', async () => {
    const { test } = await withFriends()
    const card: ContactCard = {
      link: person('dora').link(),
      name: 'bob\n\u0007',
      aliases: ['Carol', 'D.\n'],
      policy: 'auto',
      blocked: false,
      verified: false,
    }
    await test.call('contact.import', { contacts: [card] })
    const dora = await test.call('contact.show', { contact: person('dora').id })
    expect([dora.name, dora.aliases]).toEqual(['bob#2', ['D.']])
    expect((await test.call('lookup', { query: 'Carol' })).contact).toMatchObject({ kind: 'provisional' })
  })

  it('brings back no forgotten contact, unless the owner confirms that', async () => {
    const { test, bob } = await withFriends()
    const contacts = await exported(test)
    await test.call('contact.forget', { contact: 'Bob' })
    expect((await test.call('contact.import', { contacts })).results).toMatchObject([
      { outcome: 'refused', code: 'CONTACT_FORGOTTEN', personaId: bob.id },
    ])
    expect((await test.call('contact.import', { contacts, again: true })).results).toMatchObject([{ outcome: 'added' }])
    expect(await names(test)).toEqual(['Bob', 'Carol'])
  })
})
