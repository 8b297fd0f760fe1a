import { describe, expect, it } from 'vitest'
import { HISTORY_START } from '../../../../src/core/history.ts'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { appendHistory, listHistory, tipOf, verifyHistory } from '../../../../src/daemon/state/history.ts'
import { recordsOf, type Records } from '../../../../src/daemon/state/records.ts'
import { TIP } from '../../../../src/daemon/state/local-records.ts'
import { MAX_ALARM_GROUPS } from '../../../../src/daemon/state/kept-entries.ts'
import { OWN, type OwnRecord } from '../../../../src/daemon/state/own-record.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import type { Store } from '../../../../src/store/store.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, person, START_SEC } from '../../../support/person.ts'
import type { NewEvent } from '../../../../src/daemon/state/new-event.ts'
import { endNoise } from '../../../../src/daemon/keeper/noise.ts'

const BOB = person('bob')
const CAROL = person('carol')

async function withFriends(): Promise<TestKeeper> {
  const test = await TestKeeper.withPersona()
  await test.sees(BOB.key('phone'), BOB.table(['phone']), { name: 'Bob' })
  await test.sees(CAROL.key('tablet'), CAROL.table(['tablet']), { name: 'Carol' })
  await test.call('device.add', { name: 'phone', key: OWN_PHONE })
  return test
}

function ids(events: readonly object[]): unknown[] {
  return events.map((event) => ('id' in event ? event.id : 'lagged'))
}

describe('the history', () => {
  it('numbers every event, and keeps its data and source', async () => {
    const test = await withFriends()
    const { entries, next } = await test.call('log.list')
    expect(next).toBeNull()
    expect(entries.map(({ number, event }) => [number, event])).toStrictEqual([
      [4, 'own.changed'],
      [3, 'contact.changed'],
      [2, 'contact.changed'],
      [1, 'own.changed'],
    ])
    expect(entries[1]).toMatchObject({ atSec: START_SEC, data: { contact: 'Carol', source: 'owner' } })
  })

  it('continues with the next number after a crash', async () => {
    const again = await (await withFriends()).reopened()
    await again.call('device.rename', { device: 'phone', name: 'pocket' })
    expect(ids(again.events)).toStrictEqual([5])
    expect(await again.call('log.verify')).toMatchObject({ intact: true, entries: 5, oldest: 1, newest: 5 })
  })

  it('has no entry of a refused edit', async () => {
    const test = await withFriends()
    await expect(test.call('device.rename', { device: 'phone', name: 'laptop' })).rejects.toThrow()
    expect(await test.call('log.verify')).toMatchObject({ newest: 4 })
  })

  it('lists the entries of one contact, also when asked by its device', async () => {
    const test = await withFriends()
    for (const about of ['Bob', BOB.key('phone')]) {
      const { entries } = await test.call('log.list', { about })
      expect(entries.map(({ number }) => number)).toStrictEqual([2])
    }
  })

  it('is read in pages', async () => {
    const test = await withFriends()
    const first = await test.call('log.list', { limit: 3 })
    expect(first.next).toBe(2)
    const second = await test.call('log.list', { limit: 3, before: first.next! })
    expect([...first.entries, ...second.entries].map(({ number }) => number)).toStrictEqual([4, 3, 2, 1])
    expect(second.next).toBeNull()
  })
})

describe('a subscriber who was away', () => {
  it('gets the missed events once and in order, then the new ones', async () => {
    const test = await withFriends()
    const { cursor } = await test.call('subscribe', { after: 1 })
    expect(ids(test.replayed)).toStrictEqual([2, 3, 4])
    expect([cursor, test.subscribedAfter]).toStrictEqual([4, 4])
  })

  it('gets the present state of a contact, not the past one', async () => {
    const test = await withFriends()
    const table = BOB.table(['phone', 'laptop'])
    await test.later(60).sees(BOB.key('phone'), table)
    await test.call('subscribe', { events: ['contact.changed'], after: 1 })
    expect(test.replayed[0]).toMatchObject({
      id: 2,
      data: { contact: { name: 'Bob', seq: table.seq }, source: 'owner' },
    })
  })

  it('gets only the events that it names, and none again that it has seen', async () => {
    const test = await withFriends()
    await test.call('subscribe', { events: ['own.changed'], after: 1 })
    expect(ids(test.replayed)).toStrictEqual([4])
    await test.call('subscribe', { after: 4 })
    expect(ids(test.replayed)).toStrictEqual([4])
  })

  it('does not block other clients, even if it wants none of the missed events', async () => {
    const test = await withFriends()
    for (let i = 0; i < 200; i++) {
      await test.keeper.emit({ event: 'clock', data: { personaId: null, message: `${i}` } })
    }
    let [turns, isDone] = [0, false]
    const turn = (): void => {
      turns++
      if (!isDone) setImmediate(turn)
    }
    setImmediate(turn)
    const { cursor } = await test.call('subscribe', { events: ['locked'], after: 0 })
    isDone = true
    expect([cursor, test.replayed]).toStrictEqual([204, []])
    expect(turns).toBeGreaterThan(2)
  })

  it('gets CURSOR_AHEAD if it has seen more than the store has: an older store was restored', async () => {
    const test = await withFriends()
    await expect(test.call('subscribe', { after: 5 })).rejects.toMatchObject({ code: 'CURSOR_AHEAD' })
  })
})

describe('a contact who makes news all the time', () => {
  const EVE = person('eve')
  const sets = [0, 1].map((set) =>
    Array.from({ length: 14 }, (_, i) => ({ name: `n${i}`, key: deviceKey(`k${set} ${i}`) })),
  )

  /** Eve's app reports a new table each time, as fast as it can. */
  async function floods(test: TestKeeper, tables: number): Promise<void> {
    for (let n = 0; n < tables; n++) {
      const table = EVE.table([EVE.device('pc'), ...sets[n % 2]!], { named: false })
      await test.callAs('app', 'observe', { from: EVE.key('pc'), text: table.text() })
    }
  }

  it('has a few entries at once and one a minute, while subscribers get every event', async () => {
    const test = await withFriends()
    await test.sees(EVE.key('pc'), EVE.table(['pc']), { name: 'Eve' })
    const begin = (await test.call('log.verify')).newest
    test.events.length = 0
    await floods(test, 100)
    expect((await test.call('log.verify')).newest - begin).toBe(7)
    expect(test.told('contact.changed')).toHaveLength(100)
    await floods(test.later(60), 100)
    expect(await test.call('log.verify')).toMatchObject({ intact: true, newest: begin + 8 })
    // The others' news still have their room.
    await test.sees(BOB.key('phone'), BOB.table(['phone', 'laptop']))
    await test.call('device.rename', { device: 'phone', name: 'pocket' })
    const { entries } = await test.call('log.list', { limit: 3 })
    expect(entries.map(({ event }) => event)).toStrictEqual(['own.changed', 'contact.changed', 'device.added'])
  })

  it('has a last entry for a subscriber that was away, once there is room again, also after a restart', async () => {
    const test = await withFriends()
    await test.sees(EVE.key('pc'), EVE.table(['pc']), { name: 'Eve' })
    await floods(test, 20)
    await endNoise(test.keeper)
    const { newest } = await test.call('log.verify')
    const again = await test.later(120).reopened()
    await endNoise(again.keeper)
    await endNoise(again.keeper)
    await again.call('subscribe', { after: newest })
    expect(again.replayed).toMatchObject([
      { event: 'contact.changed', data: { contact: { name: 'Eve', seq: EVE.last!.seq }, changes: [] } },
    ])
  })

  it('keeps out nothing that the owner does about them', async () => {
    const test = await withFriends()
    await test.sees(EVE.key('pc'), EVE.table(['pc']), { name: 'Eve' })
    await floods(test, 20)
    await test.call('contact.rename', { contact: 'Eve', name: 'Noisy' })
    await test.call('contact.block', { contact: 'Noisy' })
    const { entries } = await test.call('log.list', { limit: 2 })
    expect(entries).toMatchObject([
      { data: { changes: [{ kind: 'blocked' }] } },
      { data: { changes: [{ kind: 'called', name: 'Noisy' }] } },
    ])
  })

  it('keeps out no alarm, and each alarm has a limit of its own', async () => {
    const test = await withFriends()
    await test.sees(EVE.key('pc'), EVE.table(['pc']), { name: 'Eve' })
    await floods(test, 20)
    await test.sees(EVE.key('pc'), EVE.table([EVE.device('pc'), BOB.device('phone')]))
    const { entries } = await test.call('log.list', { limit: 1 })
    expect(entries).toMatchObject([{ event: 'alarm', data: { code: 'DEVICE_CONTESTED' } }])
  })

  it('has as few entries if it is the own persona, whose tables somebody with its key signs', async () => {
    const test = await withFriends()
    const begin = (await test.call('log.verify')).newest
    const thief = await test.copied(OWN_PHONE)
    for (let n = 0; n < 30; n++) {
      await thief.call('device.rename', { device: OWN_PHONE, name: `phone ${n}` })
      await test.sees(OWN_PHONE, await ownText(thief))
    }
    expect((await test.call('log.verify')).newest - begin).toBe(8)
    await endNoise(test.later(60).keeper)
    const { entries } = await test.call('log.list', { limit: 1 })
    expect(entries).toMatchObject([{ event: 'own.changed', data: { table: { devices: [{}, { name: 'phone 29' }] } } }])
  })
})

const LIMIT = 4

async function append(store: Store, records: Records, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const event: NewEvent = { event: 'clock', data: { personaId: null, message: `${i}` } }
    await store.commit(appendHistory([event], records, START_SEC, engine, { limit: LIMIT }).writes)
  }
}

describe('the oldest entries', () => {
  const alarmOf = (persona: string, n: number): NewEvent => ({
    event: 'alarm',
    data: { code: 'FORK', personaId: persona, key: null, message: `${n}` },
  })
  const noise: NewEvent = { event: 'clock', data: { personaId: null, message: 'noise' } }

  async function kept(events: readonly NewEvent[]): Promise<{ records: Records; store: Store; numbers: number[] }> {
    const store = openMemoryStore()
    const records = recordsOf(store)
    for (const event of events)
      await store.commit(appendHistory([event], records, START_SEC, engine, { limit: LIMIT }).writes)
    const { entries } = await listHistory(records, { limit: 9999 })
    return { records, store, numbers: entries.map(({ number }) => number) }
  }

  it('stay if they are the owner’s acts or alarms, and are still checked', async () => {
    const forgotten: NewEvent = { event: 'contact.forgotten', data: { personaId: null, key: null, name: 'Eve' } }
    const events = [forgotten, noise, alarmOf(BOB.id, 1), ...Array.from({ length: 10 }, () => noise)]
    const { records, store, numbers } = await kept(events)
    expect(numbers).toStrictEqual([13, 12, 11, 10, 3, 1])
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: true, entries: 4, kept: 2, oldest: 10 })
    const entry = records.history.get('000000000003')!
    await store.commit([records.history.put('000000000003', { ...entry, text: entry.text.replace('FORK', 'FINE') })])
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: false, brokenAt: 3 })
  })

  it('of one kind and persona are the first alarm and the newest 15; others’ alarms push none of them out', async () => {
    const [bobs, eves] = [1, 2].map((n) => alarmOf(BOB.id, n))
    const events = [
      bobs!,
      ...Array.from({ length: 40 }, (_, i) => alarmOf(CAROL.id, i)),
      eves!,
      noise,
      noise,
      noise,
      noise,
    ]
    const { records, numbers } = await kept(events)
    expect(numbers).toStrictEqual([46, 45, 44, 43, 42, ...Array.from({ length: 15 }, (_, i) => 41 - i), 2, 1])
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: true, kept: 18 })
  })
})

describe('alarms about more personas than the history keeps alarms of', () => {
  it('share a limit, so that whoever makes personas does not fill the disk; those of the owner stay', async () => {
    const store = openMemoryStore()
    const records = recordsOf(store)
    await store.commit([records.own.put(OWN, { personaId: BOB.id } as OwnRecord)])
    const alarmOf = (personaId: string | null): NewEvent => ({
      event: 'alarm',
      data: { code: 'CHAIN_DISPUTED', personaId, key: null, message: '' },
    })
    const crowd = Array.from({ length: MAX_ALARM_GROUPS + 1200 }, (_, i) => alarmOf(String(i).padStart(64, '0')))
    const events = [
      ...crowd,
      alarmOf(BOB.id),
      alarmOf(null),
      ...crowd.slice(0, 1100).map((_, i) => alarmOf(`late ${i}`)),
    ]
    for (const event of events)
      await store.commit(appendHistory([event], records, START_SEC, engine, { limit: LIMIT }).writes)
    const { entries } = await listHistory(records, { limit: 9999 })
    expect(entries.length).toBe(MAX_ALARM_GROUPS + 1024 + 2 + LIMIT)
    const [first] = entries.filter(({ data }) => data['personaId'] === BOB.id)
    expect(first).toBeDefined()
    expect(entries.some(({ data }) => data['personaId'] === '0'.repeat(64))).toBe(true)
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: true })
  })
})

describe('the chain of hashes', () => {
  it('keeps the newest entries, and stays intact when the oldest are dropped', async () => {
    const store = openMemoryStore()
    const records = recordsOf(store)
    for (const [more, oldest] of [
      [LIMIT - 1, 1],
      [1, 1],
      [1, 2],
      [7, 9],
    ] as const) {
      await append(store, records, more)
      expect(await verifyHistory(records, engine)).toMatchObject({ intact: true, oldest })
    }
    expect((await listHistory(records, { limit: 99 })).entries).toHaveLength(LIMIT)
    expect(tipOf(records)).toMatchObject({ number: 12, oldest: 9 })
  })

  it.each([
    ['an altered text', 3, (text: string) => text.replace('2', '7')],
    ['a missing entry', 3, null],
    ['a missing newest entry', 4, null],
  ])('shows %s', async (_, number, alter) => {
    const store = openMemoryStore()
    const records = recordsOf(store)
    await append(store, records, LIMIT)
    const id = String(number).padStart(12, '0')
    const entry = records.history.get(id)!
    await store.commit([
      alter === null ? records.history.remove(id) : records.history.put(id, { ...entry, text: alter(entry.text) }),
    ])
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: false, brokenAt: number })
  })

  it('reveals a tip set back together with its entries only to somebody who noted the hash', async () => {
    const store = openMemoryStore()
    const records = recordsOf(store)
    await append(store, records, 2)
    const { hash } = tipOf(records)
    await append(store, records, 1)
    await store.commit([
      records.history.remove('000000000003'),
      records.tip.put(TIP, { number: 2, hash, oldest: 1, base: formatHex(HISTORY_START) }),
    ])
    expect(await verifyHistory(records, engine)).toMatchObject({ intact: true, tip: hash })
  })
})
