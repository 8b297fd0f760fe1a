import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { StoreError } from '../../../../src/store/errors.ts'
import { OWN_PHONE, TestKeeper, WriteGate } from '../../../support/keeper.ts'
import { person } from '../../../support/person.ts'

const PHONE = person('bob').key('phone')
const ADDED = { name: 'phone', key: OWN_PHONE }

describe('an answer or event', () => {
  it('is sent only once the change is on disk', async () => {
    const gate = new WriteGate()
    const test = await TestKeeper.withPersona({ store: openMemoryStore(gate.pass) })
    gate.shut()
    const answers: string[] = []
    const edit = test.call('device.add', ADDED).then(() => answers.push('edit'))
    await gate.arrived()
    const blob = test.call('blob.get').then(({ table }) => answers.push(`blob ${table.seq}`))
    const observation = test.sees(PHONE, person('bob').table(['phone'])).then(() => answers.push('observation'))
    // Readers see only the state on disk, not the writes in flight.
    expect((await test.call('device.list')).seq).toBe(1)
    expect(await test.call('lookup', { query: PHONE })).toMatchObject({ by: 'none' })
    expect(answers).toStrictEqual([])
    expect(test.events).toStrictEqual([])
    gate.open()
    await Promise.all([edit, blob, observation])
    expect(answers.toSorted()).toStrictEqual(['blob 2', 'edit', 'observation'])
    expect(test.events.map(({ event }) => event)).toStrictEqual(['own.changed', 'contact.changed'])
    expect((await test.call('device.list')).seq).toBe(2)
  })

  it('has a number, in the order of the changes', async () => {
    const gate = new WriteGate()
    const test = await TestKeeper.withPersona({ store: openMemoryStore(gate.pass) })
    const bob = person('bob')
    const tables = Array.from({ length: 30 }, (_, n) => bob.table(['phone', `device ${n}`]))
    gate.shut()
    const seen = tables.map((table) => test.sees(PHONE, table))
    gate.open()
    await Promise.all(seen)
    const changed = test.events.filter((event) => event.event === 'contact.changed')
    expect(changed.map((event) => event.data.contact.seq)).toStrictEqual(tables.map((table) => table.seq))
    // The history has no room for all of them, and an event that it leaves out has no number.
    const ids = test.events.map(({ id }) => id).filter((id) => id !== 0)
    expect(ids).toHaveLength(8)
    expect(ids).toStrictEqual(ids.toSorted((a, b) => a - b))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has the contact as it is after the change', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.sees(PHONE, bob.table(['phone']), { name: 'Bob' })
    await test.sees(PHONE, bob.table(['phone', 'laptop']))
    const { contact } = test.told('contact.changed').at(-1)!
    expect(contact).toStrictEqual(await test.call('contact.show', { contact: 'Bob' }))
  })

  it('is an error without an event if the write failed, and the daemon must stop', async () => {
    let fails = false
    const store = openMemoryStore(() =>
      fails ? Promise.reject(new StoreError('STORE_IO', 'the disk fails')) : Promise.resolve(),
    )
    const test = await TestKeeper.withPersona({ store })
    fails = true
    await expect(test.call('device.add', ADDED)).rejects.toMatchObject({ code: 'STORE_IO' })
    expect(test.events).toStrictEqual([])
    expect(test.storeFailures).toMatchObject([{ code: 'STORE_IO' }])
    await expect(test.sees(PHONE, 'hi')).rejects.toMatchObject({ code: 'STORE_STOPPED' })
  })

  it('is a failure without a trace when the disk was full, also of what was decided on top of it', async () => {
    let fails = false
    const store = openMemoryStore(() =>
      fails ? Promise.reject(new StoreError('STORE_DISK_FULL', 'the disk is full')) : Promise.resolve(),
    )
    const test = await TestKeeper.withPersona({ store })
    const before = test.keeper.table()
    fails = true
    const many = [
      test.call('device.add', ADDED),
      test.call('device.rename', { device: ADDED.name, name: 'other' }),
      test.call('device.rename', { device: 'laptop', name: 'desk' }),
      test.sees(PHONE, person('bob').table(['phone'])),
    ]
    for (const outcome of await Promise.allSettled(many))
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'STORE_DISK_FULL' } })
    expect(test.events).toStrictEqual([])
    expect(test.keeper.table()).toStrictEqual(before)
    // The next one does not reach the disk.
    await expect(test.call('device.add', ADDED)).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
    fails = false
    await store.resume()
    await test.call('device.add', ADDED)
    expect(test.keeper.table().seq).toBe(before.seq + 1)
    expect(await test.call('contact.list')).toMatchObject({ contacts: [] })
    expect((await test.reopened()).records.own.get('own')).toStrictEqual(test.records.own.get('own'))
  })
})

describe('an abandoned change', () => {
  it('leaves the keeper unchanged if the store refuses the commit', async () => {
    const test = await TestKeeper.withPersona()
    const source = 'x'.repeat(4096)
    const key = person('bob').key('phone')
    // A record of the largest possible size, so that two hundred of them exceed the limit of a commit.
    const observations = Array.from({ length: 256 }, (_, n) => ({
      from: person(`friend ${n % 64}`).key(`d${n >> 6}`),
      text: 'hi',
    }))
    for (let round = 0; round < 16; round++) {
      await test.call('observe.batch', { source: `${round}${source}`.slice(0, 4096), observations }).catch(() => {})
    }
    const refused = await test
      .call('observe.batch', { source, observations: [...observations.slice(0, 255), { from: key, text: 'hi' }] })
      .then(
        () => null,
        (error: unknown) => error,
      )
    expect(refused).toMatchObject({ code: 'STORE_TOO_LARGE' })
    expect(test.storeFailures).toStrictEqual([])
    expect(await test.call('lookup', { query: key })).toMatchObject({ by: 'none' })
    expect(await test.sees(key, 'hi', { name: 'Bob' })).toMatchObject({ state: 'provisional', contact: 'Bob' })
    expect((await test.call('device.add', ADDED)).table.seq).toBe(2)
  })
})

describe('an edit whose commit the store refuses', () => {
  it('leaves no intent in memory: only intents on disk are replayed', async () => {
    const test = await TestKeeper.withPersona()
    const sibling = await test.copied()
    // The commit of an edit contains the own record. If that is too large, the edit is refused.
    const own = test.records.own.get('own')!
    const huge = Array.from({ length: 20_000 }, () => 'A'.repeat(64))
    const shown = test.records.own.put('own', { ...own, tombstones: huge })
    let isLarge = true
    const store = {
      ...test.store,
      get: (key: string) => (isLarge && key === shown.key ? shown.value! : test.store.get(key)),
    }
    const full = await TestKeeper.open({ store, stateDir: test.stateDir })
    await expect(full.call('device.rename', { device: 'laptop', name: 'lost' })).rejects.toMatchObject({
      code: 'STORE_TOO_LARGE',
    })
    expect(full.storeFailures).toStrictEqual([])
    expect((await full.call('device.list')).devices[0]!.name).toBe('laptop')
    // A refused edit is not replayed onto a sibling's table either. The small record is back by then.
    await sibling.call('device.add', ADDED)
    isLarge = false
    await full.later(60).sees(OWN_PHONE, (await sibling.call('blob.get')).text)
    expect((await full.call('device.list')).devices.map(({ name }) => name)).toStrictEqual(['laptop', 'phone'])
  })
})
