/** Findings about announcements, and what leads to them: bad input is named, and nothing is lost. */
import { describe, expect, it } from 'vitest'
import { announceFindings } from '../../../../src/daemon/announce/findings.ts'
import { MAX_TRIED_KEYS, triedKeys } from '../../../../src/daemon/announce/device-keys.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import type { DaemonEvent } from '../../../../src/ipc/methods/events.ts'
import type { AnnouncedItem, AnnounceStatus } from '../../../../src/ipc/methods/announce.ts'
import { announcing, SharedDht } from '../../../support/announcing.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, person } from '../../../support/person.ts'
import { announcedTable, putTable, shortText } from '../../../support/short-people.ts'
import { rotates, withWords } from '../../../support/rotation.ts'
import { NOT_ANNOUNCED, NOW } from '../../../support/views.ts'

const ITEM: AnnouncedItem = { epoch: 1, forward: false, putSec: NOW, nodes: 8, problem: null }
const FORWARD: AnnouncedItem = { ...ITEM, epoch: 0, forward: true }
const ON: AnnounceStatus = {
  ...NOT_ANNOUNCED,
  kind: 'contacts',
  readingKey: true,
  network: true,
  items: [ITEM, FORWARD],
}
const PHONE = { name: 'phone', key: OWN_PHONE }

function codes(status: AnnounceStatus): string[] {
  return announceFindings(status).map(({ code }) => code)
}

describe('the findings', () => {
  it('name each hindrance once, and what is well only alone', () => {
    expect(announceFindings(ON)).toMatchObject([
      { code: 'ANNOUNCE', severity: 'ok', message: 'your table is announced: 8 nodes keep it' },
    ])
    const nowhere = { nodes: 0, problem: 'no node answers' }
    for (const [changes, wanted] of [
      [{ kind: null }, []],
      [{ items: [{ ...ITEM, putSec: null, nodes: null }] }, []],
      [{ network: false }, ['ANNOUNCE_NO_NETWORK']],
      [{ waitsForKey: true }, ['ANNOUNCE_LOCKED']],
      [{ readingKey: false }, ['ANNOUNCE_NO_READING_KEY']],
      [{ devicesLeftOut: 2 }, ['ANNOUNCE_DEVICES_LEFT_OUT']],
      [{ items: [{ ...ITEM, nodes: null, problem: 'x' }, FORWARD] }, ['ANNOUNCE_FAILED']],
      [{ items: [{ ...ITEM, ...nowhere }, FORWARD] }, ['ANNOUNCE_NOWHERE']],
      [{ items: [ITEM, { ...FORWARD, ...nowhere }] }, ['ANNOUNCE_FORWARD_NOWHERE']],
    ] as const)
      expect(codes({ ...ON, ...(changes as Partial<AnnounceStatus>) }), JSON.stringify(changes)).toEqual(wanted)
  })
})

describe('a table with more devices than the kind devices has room for', () => {
  it('is announced, and the devices at its end are named', async () => {
    const { laptop } = await withWords()
    const { announcer } = await announcing(laptop, new SharedDht())
    for (let n = 1; n < 15; n++) await laptop.call('device.add', { name: `dev${n}`, key: deviceKey(`dev${n}`) })
    const { devicesLeftOut, items } = await announcer.on('devices')
    expect(devicesLeftOut).toBeGreaterThan(0)
    expect(items).toMatchObject([{ nodes: 8 }, { nodes: 8 }])
    expect(announcer.findings().map(({ code }) => code)).toEqual(['ANNOUNCE_DEVICES_LEFT_OUT'])
    expect(await announcer.on('contacts')).toMatchObject({ devicesLeftOut: 0 })
  })
})

describe('an item that no node keeps', () => {
  it('is reported with the reason, as far as the nodes show it', async () => {
    const { laptop } = await withWords()
    const dht = new SharedDht()
    const { announcer } = await announcing(laptop, dht)
    await announcer.on('contacts')
    const put = dht.put.bind(dht)
    for (const [nodesAnswered, problem] of [
      [0, 'no node answers'],
      [8, 'the nodes answer, and do not keep it'],
    ] as const) {
      dht.put = async (signed) => ({ ...(await put(signed)), values: [], nodesAnswered, nodesHold: 0 })
      expect((await announcer.now()).items).toMatchObject([{ nodes: 0, problem }])
      expect(announcer.findings()).toMatchObject([
        { code: 'ANNOUNCE_NOWHERE', message: `no node of the DHT keeps your announcement: ${problem}` },
      ])
    }
  })
})

describe('a clock in 1970', () => {
  it('announces, and is followed by what the right clock announces', async () => {
    const dht = new SharedDht()
    const { laptop: alice } = await withWords({ nowSec: 3600 })
    const { announcer } = await announcing(alice, dht)
    expect((await announcer.on('contacts')).items).toMatchObject([{ nodes: 8, problem: null }])
    const bob = await TestKeeper.open({ nowSec: 7200 })
    await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
    alice.nowSec = 1_790_000_000
    await alice.call('device.add', PHONE)
    expect((await announcer.now()).items).toMatchObject([{ nodes: 8, problem: null }])
    // Bob's clock is still wrong.
    const { announcer: bobs } = await announcing(bob, dht)
    expect(await bobs.refresh('Alice')).toMatchObject({ contacts: [{ changed: true, problem: null }] })
    const { claims } = await bob.call('contact.show', { contact: 'Alice' })
    expect(claims.map(({ name }) => name)).toEqual(['phone'])
  })

  it('that comes later cannot replace what the nodes have, says so, and raises no alarm', async () => {
    const dht = new SharedDht()
    const { laptop: alice } = await withWords()
    const { announcer } = await announcing(alice, dht)
    await announcer.on('contacts')
    const before = new Map(dht.values)
    alice.nowSec = 3600
    await alice.keeper.change(() => alice.keeper.own.resign())
    expect((await announcer.now()).items).toMatchObject([
      { nodes: 0, problem: expect.stringContaining('later by its writer’s clock') as string },
    ])
    expect(dht.values).toEqual(before)
    expect((await alice.call('alarm.list')).alarms).toEqual([])
    await alice.call('device.add', PHONE)
    expect((await announcer.now()).items).toMatchObject([{ nodes: 8, problem: null }])
  })
})

describe('a contact whom only a link has named', () => {
  it('is found once the announcement is public, as unconfirmed devices, also over a rotation', async () => {
    const dht = new SharedDht()
    const { laptop: alice, words } = await withWords()
    const { announcer } = await announcing(alice, dht)
    await announcer.on('devices')
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    const { link } = await alice.call('link.get')
    await bob.call('contact.add', { link, name: 'Alice' })
    const { announcer: bobs } = await announcing(bob, dht)
    const nothing = { changed: false, announced: false, problem: null }
    expect(await bobs.refresh('Alice')).toMatchObject({ contacts: [nothing] })
    await announcer.on('public')
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    expect(await bobs.refresh('Alice')).toMatchObject({ contacts: [{ changed: true, announced: true }] })
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({
      epoch: 1,
      devices: [],
      claims: [{ name: 'laptop' }],
    })
    expect((await bob.call('alarm.list')).alarms).toEqual([])
  })

  it('is found by one who has a device of theirs as a friend, once the announcement is of the kind devices', async () => {
    const dht = new SharedDht()
    const { laptop: alice, words } = await withWords()
    const { announcer } = await announcing(alice, dht)
    await announcer.on('devices')
    const { link } = await alice.call('link.get')
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    await bob.call('contact.add', { link, name: 'Alice' })
    await bob.sees(deviceKey('somebody else'), 'hello', { name: 'Carol' })
    const { announcer: bobs } = await announcing(bob, dht)
    const closed = { items: 1, changed: false, announced: false, problem: null }
    expect(await bobs.refresh('Alice')).toMatchObject({ contacts: [closed] })
    await bob.sees(OWN_LAPTOP, 'in the garden', { name: 'Al' })
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    expect(await bobs.refresh('Alice')).toMatchObject({ contacts: [{ changed: true, announced: true }] })
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({
      epoch: 1,
      devices: [],
      claims: [{ name: 'laptop' }],
    })
    // As for any table that lists a friend whom the owner knows by another name.
    expect((await bob.call('alarm.list')).alarms).toMatchObject([{ code: 'DEVICE_CONTESTED' }])
  })

  it('is tried with the keys of the friends seen last, and with none that belongs to a persona', async () => {
    const bob = await TestKeeper.open()
    const alice = person('Alice')
    await bob.sees(alice.key('laptop'), alice.table(['laptop']), { name: 'Alice' })
    const keys: string[] = []
    for (let n = 0; n <= MAX_TRIED_KEYS; n++) {
      keys.push(deviceKey(`friend ${n}`))
      await bob.later(1).sees(keys[n]!, '', { name: `friend ${n}` })
    }
    const tried = await triedKeys(bob.keeper.onDisk)
    expect(tried.map(formatHex)).toEqual(keys.slice(1).toReversed())
  })
})

describe('devices with a short status that leads to no table', () => {
  it('are counted for whoever asks, also while nothing is announced, and are no finding of the status', async () => {
    const dht = new SharedDht()
    const bob = await TestKeeper.open()
    const [{ announcer }, { announcer: offline }] = [await announcing(bob, dht), await announcing(bob, null)]
    for (const name of ['Alice', 'Carol']) {
      const who = person(name)
      await bob.sees(who.key('laptop'), shortText(announcedTable(who, ['laptop'])), { name })
      announcer.onEvent({ event: 'device.short', data: { key: who.key('laptop') } } as DaemonEvent)
    }
    expect(announcer.status()).toMatchObject({ kind: null, shortsUnknown: 2, lookups: true })
    expect(announceFindings(announcer.status())).toEqual([])
    const message = '2 devices show a short status that leads to no table known here'
    expect(announcer.findings()).toMatchObject([{ code: 'SHORT_UNKNOWN', severity: 'notice', message }])
    expect(offline.status()).toMatchObject({ shortsUnknown: 2, lookups: false })
    expect(offline.findings()).toMatchObject([{ code: 'SHORT_UNKNOWN_OFF', severity: 'notice', message }])
    await bob.call('contact.block', { contact: 'Carol' })
    expect(announcer.findings()).toMatchObject([
      { message: '1 device shows a short status that leads to no table known here' },
    ])
    const alice = person('Alice')
    putTable(dht, alice, announcedTable(alice, ['laptop']))
    await announcer.refresh(null)
    expect(announcer.findings()).toEqual([])
  })
})
