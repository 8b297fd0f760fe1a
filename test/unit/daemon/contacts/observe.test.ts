import { describe, expect, it } from 'vitest'
import { TestKeeper } from '../../../support/keeper.ts'
import { person, START_SEC, type Person } from '../../../support/person.ts'
import type { Contact } from '../../../../src/ipc/shapes/contact.ts'

const DAY_SEC = 86_400
const bob = (): Person => person('bob')
const PHONE = person('bob').key('phone')
const LAPTOP = person('bob').key('laptop')
const TABLET = person('bob').key('tablet')
const STRANGER = person('mallory').key('phone')

async function show(test: TestKeeper, query: string): Promise<Contact> {
  return await test.call('contact.show', { contact: query })
}

function keys(devices: Contact['devices']): string[] {
  return devices.map(({ key }) => key)
}

it('reports count at once after a clock that was years ahead is set right', async () => {
  const test = await TestKeeper.open({ nowSec: START_SEC + 4000 * DAY_SEC })
  await test.sees(PHONE, bob().table(['phone']), { name: 'Bob' })
  test.nowSec = START_SEC
  await test.sees(PHONE, person('mallory').table([{ name: 'x', key: PHONE }]))
  expect(test.told('alarm')).toMatchObject([{ code: 'PERSONA_SWITCHED' }])
  expect(await show(test, 'Bob')).toMatchObject({ active: null, devices: [] })
})

describe('the state of a pair of persona and device', () => {
  it('is confirmed if the device shows a blob that lists it, and claimed for the other listed devices', async () => {
    const test = await TestKeeper.open()
    const result = await test.sees(PHONE, bob().table(['phone', 'laptop']), { name: 'Bob' })
    expect(result).toStrictEqual({
      from: PHONE,
      shown: 'valid',
      code: null,
      personaId: bob().id,
      verdict: 'new',
      state: 'confirmed',
      contact: 'Bob',
      changes: ['created', 'added', 'added', 'confirmed'],
    })
    const contact = await show(test, 'Bob')
    expect(keys(contact.devices)).toStrictEqual([PHONE])
    expect(contact.claims).toMatchObject([{ key: LAPTOP, state: 'claimed', contested: false, position: 2 }])
    expect(contact).toMatchObject({ kind: 'persona', active: PHONE, activeUnconfirmed: null })
    expect(await test.call('lookup', { query: LAPTOP })).toMatchObject({
      by: 'device',
      contact: null,
      device: null,
      claimedBy: [bob().id],
    })
  })

  it('is confirmed for each device once it was seen, and the active one is the first confirmed one in the table', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone', 'laptop'])
    await test.sees(LAPTOP, table)
    expect(await show(test, bob().id)).toMatchObject({ active: LAPTOP, activeUnconfirmed: PHONE })
    await test.sees(PHONE, table)
    expect(await show(test, bob().id)).toMatchObject({ active: PHONE, activeUnconfirmed: null, claims: [] })
  })

  it('is former if a later table no longer lists the device, and the device does not become a new contact', async () => {
    const test = await TestKeeper.open()
    const him = bob()
    await test.sees(PHONE, him.table(['phone', 'laptop']), { name: 'Bob' })
    const newer = him.table(['laptop'])
    await test.sees(LAPTOP, newer)
    const contact = await show(test, 'Bob')
    expect(keys(contact.devices)).toStrictEqual([LAPTOP])
    expect(contact.others).toMatchObject([{ key: PHONE, state: 'former', position: null }])
    expect(test.records.devices.get(PHONE)!.left).toStrictEqual({ atSec: START_SEC, epoch: 0, seq: 2 })
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({
      contact: { name: 'Bob' },
      device: { state: 'former' },
    })
    await test.sees(PHONE, 'hello', { name: 'a stranger' })
    expect((await test.call('contact.list')).contacts).toHaveLength(1)
    // A newer table may list it again, and its own report confirms it.
    await test.later(60).sees(PHONE, him.table(['laptop', 'phone']))
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([LAPTOP, PHONE])
    expect((await show(test, 'Bob')).others).toStrictEqual([])
  })

  it('is asserted if the device shows a blob that does not list it, which binds nothing and makes no contact', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone'])
    expect(await test.sees(STRANGER, table, { name: 'mallory' })).toMatchObject({
      shown: 'valid',
      verdict: 'new',
      state: 'asserted',
      contact: 'mallory',
    })
    expect(await test.call('lookup', { query: bob().id })).toMatchObject({ by: 'none' })
    await test.sees(PHONE, table, { name: 'Bob' })
    expect(await test.later(60).sees(STRANGER, table)).toMatchObject({ state: 'asserted', contact: 'mallory' })
    const contact = await show(test, 'Bob')
    expect(keys(contact.devices)).toStrictEqual([PHONE])
    expect(contact.others).toMatchObject([{ key: STRANGER, state: 'asserted' }])
    expect((await test.call('lookup', { query: STRANGER })).contact).toMatchObject({
      kind: 'provisional',
      name: 'mallory',
    })
  })

  it('may be asserted, and the device still brings a newer table', async () => {
    const test = await TestKeeper.open()
    const him = bob()
    await test.sees(PHONE, him.table(['phone']))
    expect(await test.sees(STRANGER, him.table(['phone', 'laptop']))).toMatchObject({
      verdict: 'accept',
      state: 'asserted',
    })
    expect((await show(test, bob().id)).seq).toBe(2)
  })

  it('is contested if a table lists a device that is confirmed elsewhere, which only raises an alarm', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, bob().table(['phone']), { name: 'Bob' })
    const mallory = person('mallory')
    await test.sees(STRANGER, mallory.table(['phone', { name: 'mine', key: PHONE }]), { name: 'Mallory' })
    expect(test.told('alarm')).toMatchObject([{ code: 'DEVICE_CONTESTED', personaId: mallory.id, key: PHONE }])
    expect((await show(test, 'Mallory')).claims).toMatchObject([{ key: PHONE, state: 'claimed', contested: true }])
    expect((await show(test, 'Bob')).devices).toMatchObject([{ key: PHONE, state: 'confirmed', contested: false }])
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({
      contact: { name: 'Bob' },
      device: { state: 'confirmed' },
      claimedBy: [mallory.id],
    })
  })

  it('is contested even if the claim came first: the true owner is believed, and the alarm names the claimant', async () => {
    const test = await TestKeeper.open()
    const mallory = person('mallory')
    await test.sees(STRANGER, mallory.table(['phone', { name: 'mine', key: PHONE }]), { name: 'Mallory' })
    expect(test.told('alarm')).toStrictEqual([])
    await test.sees(PHONE, bob().table(['phone']), { name: 'Bob' })
    expect(test.told('alarm')).toMatchObject([{ code: 'DEVICE_CONTESTED', personaId: mallory.id, key: PHONE }])
    expect((await test.call('lookup', { query: PHONE })).contact!.name).toBe('Bob')
  })

  it('ends at once with an alarm if the device shows another persona, which does not get the device', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone', 'laptop'])
    await test.sees(PHONE, table, { name: 'Bob' })
    await test.sees(LAPTOP, table)
    const mallory = person('mallory')
    const foreign = mallory.table([{ name: 'mine', key: PHONE }])
    expect(await test.later(5).sees(PHONE, foreign)).toMatchObject({
      verdict: 'new',
      contact: null,
      changes: ['unconfirmed'],
    })
    expect(test.told('alarm')).toMatchObject([{ code: 'PERSONA_SWITCHED', personaId: bob().id, key: PHONE }])
    expect(test.told('contact.changed').at(-1)).toMatchObject({
      contact: { name: 'Bob' },
      changes: [{ kind: 'unconfirmed', key: PHONE, name: 'phone' }],
    })
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([LAPTOP])
    expect((await show(test, 'Bob')).claims).toMatchObject([{ key: PHONE, contested: true }])
    expect(await test.call('lookup', { query: mallory.id })).toMatchObject({ by: 'none' })
    // The other persona becomes a contact through a device of its own, and still does not get this one.
    await test.sees(STRANGER, mallory.table([{ name: 'mine', key: PHONE }, 'phone']), { name: 'Mallory' })
    expect(keys((await show(test, 'Mallory')).devices)).toStrictEqual([STRANGER])
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ contact: null })
    // Once it shows its own persona again, it is confirmed again, with an event.
    test.told('contact.changed')
    expect(await test.later(5).sees(PHONE, table)).toMatchObject({ state: 'confirmed', contact: 'Bob' })
    expect(test.told('contact.changed')).toMatchObject([{ changes: [{ kind: 'confirmed', key: PHONE }] }])
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE, LAPTOP])
  })

  it('survives silence, and ends if the device is seen without a token on occasions over 14 days apart', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, bob().table(['phone']), { name: 'Bob' })
    await test.later(365 * DAY_SEC).sees(PHONE, '')
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE])
    await test.sees(PHONE, 'no token today')
    await test.later(14 * DAY_SEC).sees(PHONE, 'nor today')
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE])
    await test.later(1).sees(PHONE, 'nor now')
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE])
    await test.later(60).sees(PHONE, 'nor after this')
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([])
    expect(test.told('contact.changed').at(-1)!.changes).toStrictEqual([
      { kind: 'unconfirmed', key: PHONE, name: 'phone' },
    ])
  })
})

describe('a friend without a blob', () => {
  it('has an entry of its own with the name from the client, plus a number if that is taken', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, 'hi', { name: 'Kim' })
    await test.sees(LAPTOP, '', { name: 'Kim' })
    await test.sees(TABLET, '', { name: 'KIM' })
    await test.sees(STRANGER, '')
    const { contacts, total } = await test.call('contact.list')
    expect(contacts.map(({ name }) => name)).toStrictEqual([
      `device-${STRANGER.slice(0, 8).toLowerCase()}`,
      'Kim',
      'Kim#2',
      'KIM#3',
    ])
    expect(contacts[1]).toMatchObject({
      kind: 'provisional',
      personaId: null,
      active: PHONE,
      devices: [{ key: PHONE }],
    })
    expect(total).toBe(4)
    expect((await test.call('status')).counts).toMatchObject({ contacts: 0, provisional: 4, devices: 4 })
  })

  it('becomes a persona with a blob that lists it, and keeps its name', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, 'hi', { name: 'Kim' })
    await test.sees(PHONE, bob().table(['phone']), { name: 'Kim calls itself otherwise now' })
    expect(test.told('contact.changed')).toMatchObject([
      {
        contact: { kind: 'persona', name: 'Kim', personaId: bob().id },
        changes: [
          { kind: 'upgraded', key: null, name: 'Kim' },
          { kind: 'added', key: PHONE },
          { kind: 'confirmed', key: PHONE },
        ],
      },
    ])
    expect((await test.call('contact.list')).contacts).toHaveLength(1)
    expect((await test.call('status')).counts).toMatchObject({ contacts: 1, provisional: 0 })
  })

  it('joins the contact whose blob it shows once the owner agrees: the older name stays, the other becomes an alias', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone', 'laptop', 'tablet'])
    await test.sees(LAPTOP, 'hi', { name: 'Bob at work' })
    await test.later(1).sees(PHONE, table, { name: 'Bob' })
    await test.later(1).sees(TABLET, '', { name: 'Bob' })
    await test.later(1).sees(LAPTOP, table)
    await test.sees(TABLET, table)
    for (const name of ['Bob at work', 'Bob#2']) {
      expect(await show(test, name)).toMatchObject({ kind: 'provisional', pending: true })
      await test.call('pending.accept', { contact: name })
    }
    const contact = await show(test, 'Bob at work')
    expect(contact).toMatchObject({ name: 'Bob at work', aliases: ['Bob', 'Bob#2'] })
    expect(keys(contact.devices)).toStrictEqual([PHONE, LAPTOP, TABLET])
    for (const name of ['Bob', 'bob#2', 'BOB AT WORK']) expect((await show(test, name)).personaId).toBe(bob().id)
    expect((await test.call('contact.list')).contacts).toHaveLength(1)
    expect((await test.call('status')).counts).toMatchObject({ contacts: 1, provisional: 0 })
  })

  it('does not become a persona through a blob that another device shows', async () => {
    const test = await TestKeeper.open()
    await test.sees(LAPTOP, 'hi', { name: 'Kim' })
    await test.sees(PHONE, bob().table(['phone', 'laptop']), { name: 'Bob' })
    expect(await show(test, 'Kim')).toMatchObject({ kind: 'provisional' })
    expect((await show(test, 'Bob')).claims).toMatchObject([{ key: LAPTOP, contested: true }])
    expect(test.told('alarm')).toMatchObject([{ code: 'DEVICE_CONTESTED', key: LAPTOP }])
  })

  it('that showed the blob before a table listed it is bound once a table lists it', async () => {
    const test = await TestKeeper.open()
    const him = bob()
    await test.sees(PHONE, him.table(['phone']), { name: 'Bob' })
    const newer = him.table(['phone', 'laptop'])
    await test.later(60).sees(LAPTOP, newer, { name: 'Bob at work' })
    expect(test.told('device.added')).toMatchObject([{ contact: 'Bob', device: { key: LAPTOP, name: 'laptop' } }])
    expect(await show(test, 'Bob')).toMatchObject({ aliases: [], claims: [], active: PHONE })
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE, LAPTOP])
  })
})

describe('the time of a report', () => {
  it('decides: the newest counts, not the last to arrive', async () => {
    const test = await TestKeeper.open()
    const mallory = person('mallory')
    const table = bob().table(['phone'])
    await test.sees(PHONE, table, { name: 'Bob' })
    const old = mallory.table([{ name: 'x', key: PHONE }])
    await test.later(120).reports('old profile', PHONE, old, { seenAtSec: START_SEC - DAY_SEC })
    expect(await show(test, 'Bob')).toMatchObject({ active: PHONE })
    expect(test.told('alarm')).toStrictEqual([])
    await test.reports('new profile', PHONE, old, { seenAtSec: START_SEC + 60 })
    expect(await show(test, 'Bob')).toMatchObject({ active: null })
  })

  it('prevents a contact with a persona that the device has left since', async () => {
    const test = await TestKeeper.open()
    const mallory = person('mallory')
    await test.sees(PHONE, mallory.table(['phone']), { name: 'Kim' })
    const old = bob().table(['phone'])
    await test.later(60).reports('old profile', PHONE, old, { name: 'Bob', seenAtSec: START_SEC - DAY_SEC })
    expect(await test.call('lookup', { query: bob().id })).toMatchObject({ by: 'none' })
    expect((await test.call('contact.list')).contacts).toMatchObject([
      { kind: 'provisional', name: 'Kim', active: PHONE },
    ])
  })

  it('raises no alarm if a device returns to its own persona', async () => {
    const test = await TestKeeper.open()
    const him = bob()
    await test.sees(PHONE, him.table(['phone', 'laptop']), { name: 'Bob' })
    await test.later(60).sees(PHONE, him.table(['laptop']))
    await test.later(60).sees(LAPTOP, him.table(['laptop', 'phone']))
    expect(test.told('alarm')).toStrictEqual([])
    expect((await show(test, 'Bob')).claims).toMatchObject([{ key: PHONE, contested: false }])
  })

  it('is never in the future, so that a later report outranks it', async () => {
    const test = await TestKeeper.open()
    await test.reports('profile', PHONE, bob().table(['phone']), { seenAtSec: START_SEC + 1000 * DAY_SEC })
    expect(test.records.devices.get(PHONE)!.seenAtSec).toBe(START_SEC)
    await test.later(1).sees(PHONE, person('mallory').table([{ name: 'x', key: PHONE }]))
    expect((await show(test, bob().id)).devices).toStrictEqual([])
  })

  it('decides even if two sources disagree within a minute', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone'])
    await test.sees(PHONE, table, { name: 'Bob' })
    await test.later(10).reports('bridge', PHONE, person('mallory').table([{ name: 'x', key: PHONE }]))
    expect((await show(test, 'Bob')).devices).toStrictEqual([])
    await test.later(10).sees(PHONE, table)
    expect(keys((await show(test, 'Bob')).devices)).toStrictEqual([PHONE])
  })

  it('is stored with its source', async () => {
    const test = await TestKeeper.open()
    await test.reports('bob.tox', PHONE, bob().table(['phone']), { name: 'Bob', seenAtSec: START_SEC - 5 })
    await test.later(60).callAs('app', 'observe', { from: PHONE, text: 'hi' })
    expect((await show(test, 'Bob')).devices).toMatchObject([
      { seenAtSec: START_SEC + 60, sources: ['app', 'bob.tox'] },
    ])
  })
})

describe('a text without a valid blob', () => {
  it.each([
    ['', 'empty', null],
    ['just words', 'none', null],
    ['persona:abc', 'damaged', 'TOKEN_DAMAGED'],
  ])('%j is %s and changes no head', async (text, shown, code) => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, bob().table(['phone']), { name: 'Bob' })
    expect(await test.later(60).sees(PHONE, text)).toMatchObject({ shown, code, state: 'confirmed', contact: 'Bob' })
    expect(await show(test, 'Bob')).toMatchObject({ seq: 1, active: PHONE })
  })

  it('leaves the head alone, be the token cut, altered, doubled or signed by another', async () => {
    const test = await TestKeeper.open()
    const table = bob().table(['phone'])
    const whole = table.text()
    await test.sees(PHONE, table, { name: 'Bob' })
    const swapped = Array.from(whole)
    swapped[200] = swapped[200] === 'A' ? 'B' : 'A'
    const cases: (readonly [string, string])[] = [
      [whole.slice(0, -1), expect.stringMatching(/^damaged|invalid$/) as string],
      [whole.slice(0, 100), 'damaged'],
      [`${whole} ${whole}`, 'invalid'],
      [swapped.join(''), 'invalid'],
      [whole.replaceAll('-', '+').replaceAll('_', '/') + '=', 'damaged'],
    ]
    let ran = 0
    for (const [text, shown] of cases) {
      const result = await test.later(60).sees(PHONE, text)
      expect(result.shown, text).toStrictEqual(shown)
      expect(result.code).not.toBeNull()
      expect(await show(test, 'Bob')).toMatchObject({ seq: 1, active: PHONE })
      ran++
    }
    expect(ran).toBe(5)
  })

  it.each([
    ['FF'.repeat(32), 'DEVICE_KEY_NOT_CANONICAL'],
    ['00'.repeat(32), 'DEVICE_KEY_LOW_ORDER'],
  ])('from an impossible device key is refused without its batch: %s', async (from, code) => {
    const test = await TestKeeper.open()
    const { results } = await test.call('observe.batch', {
      source: 'x',
      observations: [
        { from, text: 'hi' },
        { from: PHONE, text: 'hi', name: 'Bob' },
      ],
    })
    expect(results).toMatchObject([
      { shown: 'invalid', code, state: null, contact: null },
      { shown: 'none', state: 'provisional', contact: 'Bob' },
    ])
  })
})

describe('a batch', () => {
  it('is one commit, with one event for each contact', async () => {
    const test = await TestKeeper.open()
    const him = bob()
    const observations = [
      { from: PHONE, text: him.table(['phone', 'laptop']).text(), name: 'Bob' },
      { from: LAPTOP, text: him.table(['phone', 'laptop', 'tablet']).text() },
      { from: TABLET, text: him.last!.text() },
    ]
    const { results } = await test.call('observe.batch', { source: 'x', observations })
    expect(results.map(({ verdict, state }) => [verdict, state])).toStrictEqual([
      ['new', 'confirmed'],
      ['accept', 'confirmed'],
      ['refresh', 'confirmed'],
    ])
    expect(test.store.commits).toHaveLength(1)
    expect(test.told('contact.changed')).toMatchObject([{ contact: { name: 'Bob', seq: 2, claims: [] }, source: 'x' }])
  })
})
