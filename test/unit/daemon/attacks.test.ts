/** The identity attacks of docs/threat-model.md by their numbers, as far as a keeper alone can show them. */
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../../src/core/encoding/bytes.ts'
import { DOCUMENT_DICTIONARY } from '../../../src/core/encoding/dictionary.ts'
import { MAX_SEQ, MAX_SEQ_STEP } from '../../../src/core/limits.ts'
import { compress } from '../../../src/daemon/own/compress.ts'
import { OWN_LAPTOP, OWN_PHONE, TestKeeper } from '../../support/keeper.ts'
import { deviceKey, person, START_SEC } from '../../support/person.ts'

const BOB = person('bob')
const [PHONE, LAPTOP] = [BOB.key('phone'), BOB.key('laptop')]
const THIEF_KEY = deviceKey('thief')
const DAY_SEC = 86_400

describe('identity attacks', () => {
  it("14: a copy of another persona's blob binds nothing, and the copier does not pass for them", async () => {
    const test = await TestKeeper.open()
    const table = person('bob').table(['phone'])
    await test.sees(PHONE, table, { name: 'Bob' })
    expect(await test.sees(THIEF_KEY, table, { name: 'Bob' })).toMatchObject({ state: 'asserted', contact: 'Bob#2' })
    expect(await test.call('lookup', { query: THIEF_KEY })).toMatchObject({
      contact: { kind: 'provisional', name: 'Bob#2' },
    })
    expect((await test.call('contact.show', { contact: 'Bob' })).devices).toMatchObject([{ key: PHONE }])
  })

  it("15: listing another persona's device causes a claim and an alarm; the owner's view stays, before and after a restart", async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, person('bob').table(['phone']), { name: 'Bob' })
    const before = await test.call('contact.show', { contact: 'Bob' })
    const thief = person('thief')
    await test.sees(
      THIEF_KEY,
      thief.table([
        { name: 'a', key: THIEF_KEY },
        { name: 'b', key: PHONE },
      ]),
      { name: 'T' },
    )
    expect(test.told('alarm')).toMatchObject([{ code: 'DEVICE_CONTESTED', key: PHONE }])
    for (const keeper of [test, await test.reopened()]) {
      expect(await keeper.call('contact.show', { contact: 'Bob' })).toStrictEqual(before)
      expect((await keeper.call('contact.show', { contact: 'T' })).devices).toMatchObject([{ key: THIEF_KEY }])
    }
  })

  it('16: another persona on a known device is never accepted by itself, however long it is shown', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, person('bob').table(['phone']), { name: 'Bob' })
    const thief = person('thief')
    const table = thief.table([{ name: 'a', key: PHONE }])
    await test.sees(
      THIEF_KEY,
      thief.table([
        { name: 'b', key: THIEF_KEY },
        { name: 'a', key: PHONE },
      ]),
      { name: 'T' },
    )
    for (let day = 0; day < 40; day++) await test.later(DAY_SEC).sees(PHONE, thief.last ?? table)
    expect(test.records.devices.get(PHONE)!.bound).toBe(BOB.id)
    expect((await test.call('contact.show', { contact: 'T' })).devices).toMatchObject([{ key: THIEF_KEY }])
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ contact: null })
  })

  it('17: a stolen device that removes the others is noticed, and one rotation shuts it out for everybody', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const first = bob.table(['phone', 'laptop'])
    await test.sees(PHONE, first, { name: 'Bob' })
    await test.sees(LAPTOP, first)
    const thief = bob.sibling()
    await test.later(60).sees(PHONE, thief.table(['phone', { name: 'new', key: THIEF_KEY }]))
    await test.sees(THIEF_KEY, thief.last!, { name: 'Bob, new' })
    expect(
      test
        .told('contact.changed')
        .at(-1)!
        .contact.devices.map(({ key }) => key),
    ).toStrictEqual([PHONE, THIEF_KEY])
    expect(test.told('device.added')).toHaveLength(1)
    await test.later(60).sees(LAPTOP, bob.rotate().table(['laptop']))
    const contact = await test.call('contact.show', { contact: 'Bob' })
    expect(contact.devices.map(({ key }) => key)).toStrictEqual([LAPTOP])
    expect(contact.others.map(({ key, state }) => [key, state])).toStrictEqual([
      [THIEF_KEY, 'former'],
      [PHONE, 'former'],
    ])
    // From here on the thief can only sign for a lower epoch.
    for (const seq of [3, 100, MAX_SEQ]) {
      expect(
        await test.later(60).sees(THIEF_KEY, thief.table([{ name: 'new', key: THIEF_KEY }], { seq })),
      ).toMatchObject({
        verdict: 'stale',
        state: 'former',
      })
    }
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ active: LAPTOP, epoch: 1 })
  })

  it('18: a thief who commits to another next key causes a violation, by a table of any epoch', async () => {
    const bob = person('bob')
    const first = bob.table(['phone'])
    for (const epoch of [0, 1, 16]) {
      const test = await TestKeeper.open()
      await test.sees(PHONE, first, { name: 'Bob' })
      const thief = bob.thief(`other chain ${epoch}`)
      thief.epoch = epoch
      expect(await test.later(60).sees(PHONE, thief.table([{ name: 'x', key: THIEF_KEY }, 'phone']))).toMatchObject({
        verdict: 'violation',
      })
      expect(test.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED' }])
      expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({
        epoch: 0,
        seq: 1,
        active: PHONE,
        claims: [],
      })
    }
  })

  it('19: a thief’s table at the last seq is held or followed in steps, and ends with the epoch', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.sees(PHONE, bob.table(['phone', 'laptop']), { name: 'Bob' })
    const thief = bob.sibling()
    expect(await test.later(60).sees(PHONE, thief.table(['phone'], { seq: MAX_SEQ }))).toMatchObject({
      verdict: 'held',
    })
    for (let seq = 1 + MAX_SEQ_STEP; seq <= 20 * MAX_SEQ_STEP; seq += MAX_SEQ_STEP) {
      await test.sees(PHONE, thief.table(['phone'], { seq }))
    }
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ seq: 1 + 19 * MAX_SEQ_STEP })
    await test.later(60).sees(LAPTOP, bob.rotate().table(['laptop']))
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ epoch: 1, seq: 1, active: LAPTOP })
    expect(test.records.personas.get(BOB.id)!.held).toBeNull()
  })

  it('20: an older blob is still stale after a restart', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const first = bob.table(['phone', 'laptop'])
    await test.sees(PHONE, first, { name: 'Bob' })
    await test.sees(PHONE, bob.table(['phone']))
    const after = await test.reopened()
    expect(await after.later(60).sees(LAPTOP, first)).toMatchObject({
      verdict: 'stale',
      contact: `device-${LAPTOP.slice(0, 8).toLowerCase()}`,
      state: 'asserted',
    })
    expect(await after.call('contact.show', { contact: 'Bob' })).toMatchObject({ seq: 2, claims: [] })
  })

  it('21: an old blob shown forever grows stale, then expires, and is never deleted', async () => {
    const test = await TestKeeper.open()
    const table = person('bob').table(['phone'])
    const ages: (string | null)[] = []
    for (const days of [0, 14, 1, 45, 1, 4000]) {
      await test.later(days * DAY_SEC).sees(PHONE, table, { name: 'Bob' })
      ages.push((await test.call('contact.show', { contact: 'Bob' })).freshness)
    }
    expect(ages).toStrictEqual(['fresh', 'fresh', 'stale', 'stale', 'expired', 'expired'])
  })

  it('22: two blobs with the same seq for different friends are both kept', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const first = bob.table(['phone'])
    await test.sees(PHONE, first, { name: 'Bob' })
    const shown = [bob.table(['phone', 'a'], { after: first }), bob.table(['phone', 'b'], { after: first })]
    for (const table of shown) await test.later(60).sees(PHONE, table)
    const kept = test.records.personas.get(BOB.id)!.evidence.map(({ tableHash }) => tableHash)
    expect(kept.toSorted()).toStrictEqual(shown.map(({ hash }) => hash).toSorted())
  })

  it('26: a hostile name from a client never becomes more than one line', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, 'hi', { name: 'Bob\u001b[2J\r\nroot\u0085#\u2028' })
    const [contact] = (await test.call('contact.list')).contacts
    expect(contact!.name).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u)
  })

  it('26: a table with a refused nickname makes no contact, and moves no head', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const first = bob.table(['phone'])
    for (const name of ['ph\u200Bone', 'ph\u202Eone', 'phone\u0007', ' phone']) {
      const deflated = compress(encodeUtf8(`names: ["${name}"]\n`), DOCUMENT_DICTIONARY)
      const hostile = bob.table(['phone'], { deflated, after: first })
      const [before, stranger] = [await TestKeeper.open(), test]
      await before.sees(PHONE, first, { name: 'Bob' })
      for (const keeper of [before, stranger]) {
        expect(await keeper.later(60).sees(PHONE, hostile)).toMatchObject({ shown: 'invalid', verdict: null })
      }
      expect(await before.call('contact.show', { contact: 'Bob' })).toMatchObject({
        seq: 1,
        devices: [{ name: 'phone' }],
      })
    }
    expect(await test.call('lookup', { query: BOB.id })).toMatchObject({ by: 'none' })
  })

  it('41: a device that a thief added before the rotation does not come along with a sibling that follows it', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.sees(PHONE, bob.table(['phone', 'laptop']), { name: 'Bob' })
    const thief = bob.sibling()
    await test.sees(PHONE, thief.table(['phone', 'laptop', { name: 'phone 2', key: THIEF_KEY }]))
    await test.later(60).sees(LAPTOP, bob.rotate().table(['laptop']))
    expect((await test.call('contact.show', { contact: 'Bob' })).claims).toStrictEqual([])
    expect((await test.call('lookup', { query: THIEF_KEY })).claimedBy).toStrictEqual([])
  })

  it('44: a quoted token upgrades nobody, and a listing removes nothing from its owner', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const token = bob.table(['phone']).text()
    await test.sees(LAPTOP, 'hi', { name: 'Carol' })
    await test.sees(LAPTOP, `look what bob shows: ${token}`)
    expect(await test.call('contact.show', { contact: 'Carol' })).toMatchObject({ kind: 'provisional', active: LAPTOP })
    const thief = person('thief')
    const listed = [
      { name: 'a', key: THIEF_KEY },
      { name: 'b', key: LAPTOP },
    ]
    await test.sees(THIEF_KEY, thief.table(listed), { name: 'T' })
    await test.sees(THIEF_KEY, thief.table(listed.slice(0, 1)))
    expect(await test.call('contact.show', { contact: 'Carol' })).toMatchObject({ kind: 'provisional', active: LAPTOP })
  })

  it('44: a friend who quotes the token of a person who lists their device stays who they are, also as the last word', async () => {
    for (const quote of ['lol what is that, Mallory: TOKEN ???', 'TOKEN lol', 'TOKEN', 'lol TOKEN']) {
      const test = await TestKeeper.open()
      const mallory = person('mallory')
      await test.sees(PHONE, 'brb', { name: 'Bob' })
      await test.later(86_400).sees(mallory.key('pc'), mallory.table(['pc']), { name: 'Mallory' })
      await test.later(100).sees(mallory.key('pc'), mallory.table(['pc', { name: 'x', key: PHONE }]))
      await test.later(3600).sees(PHONE, quote.replace('TOKEN', mallory.last!.text()))
      const { contact } = await test.call('lookup', { query: 'Bob' })
      expect(contact, quote).toMatchObject({ kind: 'provisional', personaId: null, active: PHONE, aliases: [] })
      expect(contact!.pending, quote).toBe(quote.endsWith('TOKEN'))
      const advice = await test.call('contact.devices', { contact: 'Bob', known: [PHONE, mallory.key('pc')] })
      expect(advice.sendTo).toBe(PHONE)
      expect((await test.call('alarm.list')).alarms).toMatchObject([{ code: 'DEVICE_CONTESTED' }])
      // The owner says no, and nothing else asks or changes.
      if (contact!.pending) await test.call('pending.reject', { contact: 'Bob' })
      await test.later(300).sees(PHONE, 'brb')
      expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ kind: 'provisional', pending: false })
    }
  })

  it('44: setting the policy to auto does not answer for a friend who would join another contact', async () => {
    const test = await TestKeeper.open({ defaultPolicy: 'ask' })
    const mallory = person('mallory')
    await test.sees(mallory.key('pc'), mallory.table(['pc', { name: 'x', key: PHONE }]), { name: 'Mallory' })
    await test.call('pending.accept', { contact: 'Mallory' })
    await test.sees(PHONE, 'brb', { name: 'Bob' })
    await test.later(60).sees(PHONE, mallory.last!)
    await test.call('contact.policy', { contact: 'Bob', policy: 'auto' })
    expect(await test.call('contact.show', { contact: 'Bob' })).toMatchObject({ kind: 'provisional', pending: true })
  })

  it('45: an old profile scanned today neither brings back a device nor takes one away', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const old = bob.table(['phone', 'laptop'])
    await test.sees(PHONE, old, { name: 'Bob' })
    await test.sees(LAPTOP, old)
    await test.later(60).sees(LAPTOP, bob.table(['laptop']))
    const before = await test.call('contact.show', { contact: 'Bob' })
    await test.call('observe.batch', {
      source: 'backup.tox',
      observations: [PHONE, LAPTOP].map((from) => ({
        from,
        text: old.text(),
        name: 'Robert',
        seenAtSec: START_SEC - 300 * DAY_SEC,
      })),
    })
    const after = await test.call('contact.show', { contact: 'Bob' })
    expect(after.devices.map(({ key }) => key)).toStrictEqual(before.devices.map(({ key }) => key))
    expect(after.others.map(({ key, state }) => [key, state])).toStrictEqual([[PHONE, 'former']])
    expect((await test.call('contact.list')).total).toBe(1)
    await test.later(60).sees(PHONE, 'hello, I am new here', { name: 'New friend' })
    expect((await test.call('contact.list')).total).toBe(1)
  })

  it('46: a flood of old blobs of the own persona is bounded too', async () => {
    const test = await TestKeeper.withPersona()
    const texts: string[] = []
    for (let n = 0; n < 40; n++) {
      texts.push((await test.call('blob.get')).text)
      await test.call('device.rename', { device: OWN_LAPTOP, name: `laptop ${n}` })
    }
    const before = test.store.commits.length
    for (let n = 0; n < 300; n++) await test.later(1).sees(THIEF_KEY, texts[n % texts.length]!)
    expect(test.store.commits.length - before).toBeLessThanOrEqual(6)
    expect((await test.call('device.list')).seq).toBe(41)
  })

  it('46: tables that each list other keys leave no record of keys that they no longer list', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    for (let n = 0; n < 30; n++) {
      const others = Array.from({ length: 15 }, (_, i) => ({ name: `d${i}`, key: deviceKey(`made-up ${n} ${i}`) }))
      await test.later(1).sees(PHONE, bob.table([bob.device('phone'), ...others], { named: false }), { name: 'Bob' })
    }
    let records = 0
    for await (const _ of test.records.devices.iterate()) records++
    expect(records).toBe(16)
    expect((await test.call('status')).counts).toMatchObject({ devices: 16 })
    // A device that was seen stays known without the table.
    await test.sees(PHONE, bob.table([]))
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ device: { state: 'former' } })
    expect((await test.call('status')).counts).toMatchObject({ devices: 1 })
  })

  it('47: siblings that all sign again cause no fork', async () => {
    const a = await TestKeeper.withPersona()
    await a.call('device.add', { name: 'phone', key: OWN_PHONE })
    const b = await a.copied()
    const friend = await TestKeeper.open()
    for (const keeper of [a, b]) await keeper.later(8 * DAY_SEC + (keeper === a ? 0 : 30)).keeper.resign()
    friend.later(9 * DAY_SEC)
    await friend.sees(OWN_LAPTOP, (await a.call('blob.get')).text)
    expect(await friend.sees(OWN_PHONE, (await b.call('blob.get')).text)).toMatchObject({ verdict: 'refresh' })
    expect(await friend.later(60).sees(OWN_LAPTOP, (await a.call('blob.get')).text)).toMatchObject({
      verdict: 'refresh',
    })
    const { personaId } = await a.call('device.list')
    expect(friend.records.personas.get(personaId)).toMatchObject({ seq: 2, evidence: [] })
    await b.sees(OWN_LAPTOP, (await a.call('blob.get')).text)
    expect(await b.call('device.list')).toMatchObject({ seq: 2 })
  })

  it('39: a lying app is recorded as the source, and its report is judged like any other', async () => {
    const test = await TestKeeper.open()
    await test.sees(PHONE, person('bob').table(['phone']), { name: 'Bob' })
    await test.callAs('app', 'observe', {
      from: PHONE,
      text: person('thief')
        .table([{ name: 'x', key: PHONE }])
        .text(),
    })
    expect(test.records.devices.get(PHONE)!.reports.map(({ source }) => source)).toStrictEqual(['app', 'owner'])
    expect(test.records.devices.get(PHONE)!.bound).toBe(BOB.id)
  })
})
