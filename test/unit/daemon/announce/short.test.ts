/** Short statuses of friends: what one leads to, and what it never does (docs/announce.md, section 10). */
import { describe, expect, it } from 'vitest'
import { isUnknown } from '../../../../src/daemon/contacts/short.ts'
import { announcing, settled, SharedDht, type Announcing } from '../../../support/announcing.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'
import {
  announcedTable,
  imitatedText,
  imitation,
  OTHER_READ,
  putForward,
  putTable,
  shortText,
} from '../../../support/short-people.ts'

const HOUR_MS = 3_600_000
const DAY_SEC = 86_400

/** Bob's daemon, on a DHT. */
async function bobs(
  story: Parameters<typeof TestKeeper.open>[0] = {},
): Promise<{ bob: TestKeeper; dht: SharedDht } & Announcing> {
  const dht = new SharedDht()
  const bob = await TestKeeper.open(story)
  return { bob, dht, ...(await announcing(bob, dht)) }
}

async function statesOf(bob: TestKeeper, name: string): Promise<Record<string, string>> {
  const { devices, claims, others } = await bob.call('contact.show', { contact: name })
  return Object.fromEntries([...devices, ...claims, ...others].map((device) => [device.name, device.state]))
}

function alarms(bob: TestKeeper): string[] {
  return bob.told('alarm').map(({ code }) => code)
}

describe('a short status of a stranger', () => {
  it('leads to the table at once, and the device is trusted as one that showed it', async () => {
    const { bob, dht, clock } = await bobs()
    const alice = person('Alice')
    const table = announcedTable(alice, ['laptop', 'phone'])
    putTable(dht, alice, table)
    const seen = await bob.sees(alice.key('laptop'), shortText(table, 'at home'), { name: 'Alice' })
    expect(seen).toMatchObject({ shown: 'short', code: null, personaId: null, verdict: null, state: 'provisional' })
    await clock.advance(0)
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ personaId: alice.id, seq: 1 })
    expect(dht.asked).toHaveLength(1)
  })

  it('pins nothing while nobody has its table, and is asked for once an hour', async () => {
    const { bob, dht, clock } = await bobs()
    const alice = person('Alice')
    const table = announcedTable(alice, ['laptop'])
    await bob.sees(alice.key('laptop'), shortText(table), { name: 'Alice' })
    await clock.advance(0)
    expect(dht.asked).toHaveLength(1)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ kind: 'provisional', personaId: null })
    await bob.later(100).sees(alice.key('laptop'), shortText(table), { name: 'Alice' })
    await clock.advance(HOUR_MS - 1)
    expect(dht.asked).toHaveLength(1)
    putTable(dht, alice, table)
    await clock.advance(1)
    expect(dht.asked).toHaveLength(2)
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
    await clock.advance(3 * HOUR_MS)
    expect(bob.told('device.short')).toEqual([{ key: alice.key('laptop') }])
  })

  it('is asked for once an hour by each device, also if it shows another one each time', async () => {
    const { bob, dht, clock } = await bobs()
    const [alice, mallory] = [person('Alice'), person('Mallory')]
    for (const who of [alice, mallory, alice, mallory])
      await bob.later(61).sees(mallory.key('laptop'), shortText(announcedTable(who, ['laptop'])))
    await clock.advance(HOUR_MS - 1)
    expect(dht.asked).toHaveLength(1)
    await clock.advance(1)
    expect(dht.asked).toHaveLength(2)
  })

  it('is asked for 32 at a time, and once for all devices that show the same', async () => {
    const { bob, dht, clock } = await bobs()
    const people = Array.from({ length: 40 }, (_, i) => person(`Friend ${i}`))
    for (const who of people) {
      const text = shortText(announcedTable(who, ['laptop', 'phone']))
      await bob.sees(who.key('laptop'), text)
      await bob.sees(who.key('phone'), text)
    }
    dht.hold()
    await clock.advance(0)
    expect(dht.asked).toHaveLength(32)
    dht.release()
    await settled()
    await clock.advance(0)
    expect(dht.asked).toHaveLength(40)
  })

  it('shown by several new devices makes all of them trusted, without a question or an alarm', async () => {
    const { bob, dht, clock } = await bobs()
    const alice = person('Alice')
    const table = announcedTable(alice, ['laptop', 'phone', 'tablet'])
    putTable(dht, alice, table)
    for (const device of ['laptop', 'phone', 'tablet'])
      await bob.sees(alice.key(device), shortText(table), { name: 'Alice' })
    await clock.advance(0)
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'confirmed', tablet: 'confirmed' })
    expect((await bob.call('contact.list')).contacts).toMatchObject([{ name: 'Alice', aliases: [] }])
    expect((await bob.call('pending.list')).pending).toEqual([])
    expect(alarms(bob)).toEqual([])
    expect(dht.asked).toHaveLength(1)
  })

  it('is found by the forward if the persona has rotated since, and the device counts as showing the new table', async () => {
    const { bob, dht, clock } = await bobs()
    const alice = person('Alice')
    const before = alice.sibling()
    const old = announcedTable(before, ['laptop', 'phone'])
    const now = announcedTable(alice.rotate(2), ['laptop'], { after: old })
    putForward(dht, before, old, now)
    putTable(dht, alice, now)
    await bob.sees(alice.key('laptop'), shortText(old), { name: 'Alice' })
    await bob.sees(alice.key('phone'), shortText(old), { name: 'Her lost phone' })
    await clock.advance(0)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 2 })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
    expect(await bob.call('contact.show', { contact: 'Her lost phone' })).toMatchObject({ kind: 'provisional' })
  })

  it('waits for the owner where the policy asks', async () => {
    const { bob, dht, clock } = await bobs({ defaultPolicy: 'ask' })
    const alice = person('Alice')
    const table = announcedTable(alice, ['laptop'])
    putTable(dht, alice, table)
    await bob.sees(alice.key('laptop'), shortText(table), { name: 'Alice' })
    await clock.advance(0)
    const [pending] = (await bob.call('pending.list')).pending
    expect(pending).toMatchObject({ contact: 'Alice', kind: 'upgrade' })
    await bob.call('pending.accept', { contact: 'Alice', tableHash: pending!.tableHash })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
  })

  it('is looked up for nobody whom the owner blocked', async () => {
    const { bob, dht, clock } = await bobs()
    const alice = person('Alice')
    const text = shortText(announcedTable(alice, ['laptop']))
    await bob.sees(alice.key('laptop'), 'hello', { name: 'Alice' })
    await bob.call('contact.block', { contact: 'Alice' })
    await bob.later(61).sees(alice.key('laptop'), text, { name: 'Alice' })
    const { announcer, clock: later } = await announcing(bob, dht)
    await clock.advance(HOUR_MS)
    await later.advance(HOUR_MS)
    expect(dht.asked).toEqual([])
    await bob.call('contact.unblock', { contact: 'Alice' })
    await bob.later(61).sees(alice.key('laptop'), 'hello')
    await bob.later(61).sees(alice.key('laptop'), text)
    expect(await announcer.refresh('Alice')).toMatchObject({ contacts: [{ name: 'Alice', items: 0 }] })
  })

  it('goes with its source when that is undone', async () => {
    const { bob, dht } = await bobs()
    const alice = person('Alice')
    const profile = person('Bob').key('laptop')
    const table = announcedTable(alice, ['laptop'])
    await bob.reports(`profile:${profile}`, alice.key('laptop'), shortText(table), { name: 'Alice' })
    expect(bob.records.shorts.get(alice.key('laptop'))).toBeDefined()
    await bob.call('observe.undo', { profile })
    expect(bob.records.shorts.get(alice.key('laptop'))).toBeUndefined()
    putTable(dht, alice, table)
    const { clock } = await announcing(bob, dht)
    await clock.advance(HOUR_MS)
    expect(dht.asked).toEqual([])
  })

  it('waits over a restart, and is forgotten once the device shows something else', async () => {
    const { bob, dht } = await bobs()
    const [alice, carol] = [person('Alice'), person('Carol')]
    const table = announcedTable(alice, ['laptop'])
    await bob.sees(alice.key('laptop'), shortText(table), { name: 'Alice' })
    await bob.sees(carol.key('laptop'), shortText(announcedTable(carol, ['laptop'])), { name: 'Carol' })
    await bob.later(100).sees(carol.key('laptop'), 'only words')
    const again = await bob.reopened()
    putTable(dht, alice, table)
    const { clock } = await announcing(again, dht)
    dht.asked.length = 0
    await clock.advance(0)
    expect(dht.asked).toHaveLength(1)
    expect(await statesOf(again, 'Alice')).toEqual({ laptop: 'confirmed' })
    expect(again.records.shorts.get(carol.key('laptop'))).toBeUndefined()
  })

  it('is looked up now by a refresh, which says who it was', async () => {
    const { bob, dht, announcer } = await bobs()
    const alice = person('Alice')
    const table = announcedTable(alice, ['laptop'])
    await bob.sees(alice.key('laptop'), shortText(table), { name: 'Alice' })
    expect(await announcer.refresh('Alice')).toEqual({
      contacts: [{ name: 'Alice', items: 0, changed: false, announced: true, problem: null }],
    })
    dht.failure = new Error('no node answers')
    expect(await announcer.refresh(null)).toMatchObject({ contacts: [{ items: null, problem: 'no node answers' }] })
    dht.failure = null
    putTable(dht, alice, table)
    expect(await announcer.refresh(null)).toMatchObject({ contacts: [{ name: 'Alice', items: 1, changed: true }] })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
  })
})

/** Bob knows Alice by the table that her laptop showed. */
async function knows(devices: readonly string[], story: Parameters<typeof bobs>[0] = {}) {
  const opened = await bobs(story)
  const alice = person('Alice')
  const table = announcedTable(alice, devices)
  await opened.bob.sees(alice.key('laptop'), table, { name: 'Alice' })
  opened.bob.events.length = 0
  return { ...opened, alice, table }
}

describe('a short status of a contact', () => {
  it('confirms a listed device without a network', async () => {
    const { bob, dht, alice, table } = await knows(['laptop', 'phone'])
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
    const seen = await bob.sees(alice.key('phone'), shortText(table))
    expect(seen).toMatchObject({ shown: 'valid', verdict: 'refresh', state: 'confirmed', contact: 'Alice' })
    expect(seen.changes).toEqual(['confirmed'])
    expect(dht.asked).toEqual([])
  })

  it('keeps a device confirmed for as long as it is shown', async () => {
    const { bob, alice, table } = await knows(['laptop'])
    for (let day = 0; day < 40; day++) await bob.later(DAY_SEC).sees(alice.key('laptop'), shortText(table))
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
    for (let day = 0; day < 16; day++) await bob.later(DAY_SEC).sees(alice.key('laptop'), 'words')
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'claimed' })
  })

  it('that is damaged ends no confirmation, as a damaged table does not', async () => {
    const { bob, alice, table } = await knows(['laptop'])
    const damaged = shortText(table).replace(/.$/, 'A')
    for (let day = 0; day < 40; day++) {
      const seen = await bob.later(DAY_SEC).sees(alice.key('laptop'), damaged)
      expect(seen).toMatchObject({ shown: 'damaged', code: 'TOKEN_DAMAGED' })
    }
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
  })

  it('beside a table is words, and so is one that is not the last word, and one of two', async () => {
    const { bob, alice, table } = await knows(['laptop', 'phone'])
    const short = shortText(table)
    const carol = person('Carol')
    const hers = announcedTable(carol, [carol.device('laptop'), alice.device('phone')])
    for (const text of [`${short} hello`, `${short} ${short}`, `${shortText(hers)} ${short}`, `x${short}`]) {
      const seen = await bob.later(61).sees(alice.key('phone'), text)
      expect(seen, text).toMatchObject({ shown: 'none', state: 'provisional' })
    }
    const beside = await bob
      .later(61)
      .sees(carol.key('laptop'), announcedTable(carol, ['laptop']).text(short), { name: 'Carol' })
    expect(beside).toMatchObject({ shown: 'valid', personaId: carol.id, state: 'confirmed' })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
  })

  it('of a new key is looked up at once, and brings the rotation', async () => {
    const { bob, dht, clock, alice, table } = await knows(['laptop', 'phone'])
    const rotated = announcedTable(alice.rotate(), ['laptop'], { after: table })
    putTable(dht, alice, rotated)
    expect(await bob.sees(alice.key('laptop'), shortText(rotated))).toMatchObject({
      shown: 'short',
      state: 'confirmed',
    })
    await clock.advance(0)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
  })

  it('of an old key still names the persona after a rotation, and a device that was left out stays out', async () => {
    const { bob, alice, table } = await knows(['laptop', 'phone'])
    const old = shortText(table)
    await bob.sees(alice.key('phone'), old)
    const rotated = announcedTable(alice.rotate(), ['laptop', 'tablet'], { after: table })
    await bob.later(100).sees(alice.key('laptop'), rotated)
    bob.events.length = 0
    expect(await bob.later(100).sees(alice.key('phone'), old)).toMatchObject({ shown: 'valid', state: 'former' })
    expect(await bob.later(100).sees(alice.key('tablet'), old)).toMatchObject({ state: 'confirmed' })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', tablet: 'confirmed', phone: 'former' })
    expect(alarms(bob)).toEqual([])
  })

  it('of an earlier reading key counts for the device that showed it before, and for no other', async () => {
    const { bob, alice, table } = await knows(['laptop', 'phone', 'tablet'])
    const old = shortText(table)
    await bob.sees(alice.key('phone'), old)
    const reread = announcedTable(alice, ['laptop', 'phone', 'tablet'], { read: OTHER_READ })
    await bob.later(100).sees(alice.key('laptop'), reread)
    expect(await bob.later(100).sees(alice.key('phone'), old)).toMatchObject({ shown: 'valid', state: 'confirmed' })
    expect(await bob.sees(alice.key('tablet'), old)).toMatchObject({ shown: 'short', state: 'provisional' })
  })

  it('confirms a device once a table lists it, without a network', async () => {
    const { bob, alice, table } = await knows(['laptop'])
    const { clock } = await announcing(bob, null)
    await bob.sees(alice.key('phone'), shortText(table), { name: 'Phone' })
    await bob.later(100).sees(alice.key('laptop'), announcedTable(alice, ['laptop', 'phone'], { after: table }))
    await clock.advance(0)
    await settled()
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'confirmed' })
    expect(alarms(bob)).toEqual([])
  })

  it('moves no friend whom the owner knows by more than the short status', async () => {
    const { bob, alice, table } = await knows(['laptop'])
    const { clock } = await announcing(bob, null)
    await bob.sees(alice.key('phone'), shortText(table), { name: 'Phone' })
    await bob.sees(alice.key('tablet'), 'only words', { name: 'Tablet' })
    await bob.later(100).sees(alice.key('tablet'), shortText(table), { name: 'Tablet' })
    await bob.call('contact.rename', { contact: 'Phone', name: 'My boss' })
    await bob
      .later(100)
      .sees(alice.key('laptop'), announcedTable(alice, ['laptop', 'phone', 'tablet'], { after: table }))
    await clock.advance(0)
    await settled()
    const { pending } = await bob.call('pending.list')
    expect(pending.map(({ contact, kind }) => `${kind} ${contact}`).toSorted()).toEqual([
      'upgrade My boss',
      'upgrade Tablet',
    ])
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed', tablet: 'claimed' })
  })
})

describe('a short status in the hands of others', () => {
  it('of somebody else alarms nobody, confirms nothing, and makes no contact', async () => {
    const { bob, dht, clock, alice, table } = await knows(['laptop', 'phone'])
    const mallory = person('Mallory')
    await bob.sees(mallory.key('laptop'), announcedTable(mallory, ['laptop']), { name: 'Mallory' })
    bob.events.length = 0
    putTable(dht, alice, table)
    for (const device of ['laptop', 'second laptop'])
      await bob.later(100).sees(mallory.key(device), shortText(table), { name: 'copy' })
    await clock.advance(HOUR_MS)
    // Once more, now that it is known whom the text names.
    for (const device of ['laptop', 'second laptop'])
      expect(await bob.later(100).sees(mallory.key(device), shortText(table))).toMatchObject({ shown: 'short' })
    expect(alarms(bob)).toEqual([])
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
    expect(await statesOf(bob, 'Mallory')).toEqual({ laptop: 'confirmed' })
    expect((await bob.call('pending.list')).pending).toEqual([])
    // Its persona is known now, so nobody asks for it any more.
    const asked = dht.asked.length
    await clock.advance(5 * HOUR_MS)
    const record = bob.records.shorts.get(mallory.key('second laptop'))!
    expect(isUnknown(record, bob.records)).toBe(false)
    expect(dht.asked.length - asked).toBe(5 * 2) // the contacts
  })

  it('shown by a device that two personas list belongs to the one whose short status it shows', async () => {
    const { bob, clock, alice, table } = await knows(['laptop', 'phone'])
    const mallory = person('Mallory')
    const hers = announcedTable(mallory, [mallory.device('laptop'), alice.device('phone')])
    await bob.sees(mallory.key('laptop'), hers, { name: 'Mallory' })
    await bob.sees(alice.key('phone'), shortText(table))
    await clock.advance(0)
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'confirmed' })
    expect((await statesOf(bob, 'Mallory')).phone).toBe('claimed')
  })

  it('of a second chain is proof against the thief of the first key, and confirms nothing', async () => {
    const { bob, dht, clock, alice } = await knows(['laptop', 'phone'])
    const thief = alice.thief()
    const forged = announcedTable(thief, [thief.device('laptop'), alice.device('phone')], { seq: 9 })
    putTable(dht, thief, forged)
    expect(await bob.sees(alice.key('phone'), shortText(forged))).toMatchObject({
      shown: 'short',
      state: 'provisional',
    })
    await clock.advance(0)
    expect(alarms(bob)).toEqual(['CHAIN_DISPUTED'])
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
    await bob.later(100).sees(alice.key('phone'), shortText(forged))
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', phone: 'claimed' })
  })

  it('of a thief of the key lists what the thief signed, until the rotation, as a table would', async () => {
    const { bob, dht, clock, alice, table } = await knows(['laptop'])
    const thief = alice.sibling()
    const stolen = announcedTable(thief, ['laptop', 'stolen'], { after: table })
    putTable(dht, thief, stolen)
    await bob.sees(alice.key('stolen'), shortText(stolen), { name: 'Stolen' })
    await clock.advance(0)
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', stolen: 'confirmed' })
    const before = alice.sibling()
    const rotated = announcedTable(alice.rotate(), ['laptop'], { after: table })
    putForward(dht, before, table, rotated)
    putTable(dht, alice, rotated)
    await clock.advance(2 * HOUR_MS)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
    await bob.later(100).sees(alice.key('stolen'), shortText(stolen))
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed', stolen: 'former' })
  })

  it('leads to no older table than the known one when a node serves an older item', async () => {
    const { bob, dht, clock, alice, table } = await knows(['laptop', 'phone'])
    const newer = announcedTable(alice, ['laptop'], { after: table })
    await bob.later(100).sees(alice.key('laptop'), newer)
    putTable(dht, alice, table)
    await bob.later(100).sees(alice.key('phone'), shortText(newer), { name: 'Phone' })
    await clock.advance(HOUR_MS)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ seq: 2 })
    expect(await statesOf(bob, 'Alice')).toEqual({ laptop: 'confirmed' })
  })

  it('of a persona that another one imitates at its own key names only the persona of that key', async () => {
    const { bob, dht, clock } = await bobs()
    const [alice, mallory] = [person('Alice'), person('Mallory')]
    const table = announcedTable(alice, ['laptop'])
    // Mallory puts Alice's blob at a place of her own, and shows what leads there.
    dht.set(imitation(mallory, table))
    await bob.sees(alice.key('laptop'), imitatedText(mallory, table), { name: 'Alice' })
    await clock.advance(HOUR_MS)
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ kind: 'provisional' })
  })
})
