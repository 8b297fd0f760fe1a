import { describe, expect, it } from 'vitest'
import type { Contact } from '../../../../src/ipc/shapes/contact.ts'
import type { PendingUpdate } from '../../../../src/ipc/shapes/pending.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { person, type Person, type Table } from '../../../support/person.ts'

type Policy = 'auto' | 'ask' | 'pin'

interface Story {
  readonly test: TestKeeper
  readonly bob: Person
  /** Bob's new persona. */
  readonly next: Person
  /** Its first table, with Bob's phone and a new tablet. */
  readonly table: Table
}

let count = 0

/** Bob is a contact by this table of his phone and laptop, at this epoch, and has made a new persona. */
async function withBob(policy: Policy = 'auto', epoch = 0): Promise<Story> {
  const test = await TestKeeper.withPersona()
  const bob = person(`old bob ${++count}`)
  const next = person(`new bob ${count}`)
  if (epoch > 0) bob.rotate(epoch)
  const first = bob.table(['phone', 'laptop'])
  for (const device of ['phone', 'laptop']) await test.sees(bob.key(device), first, { name: 'Bob' })
  await test.call('contact.policy', { contact: bob.id, policy })
  const table = tableOf(next, bob)
  test.events.length = 0
  return { test: test.later(100), bob, next, table }
}

function tableOf(next: Person, bob: Person, from = 0): Table {
  return next.table([bob.device('phone'), bob.device('tablet')], { predecessor: bob.names(next).slice(from) })
}

async function bobIn(test: TestKeeper): Promise<Contact> {
  return await test.call('contact.show', { contact: 'Bob' })
}

async function waiting(test: TestKeeper): Promise<PendingUpdate[]> {
  return (await test.call('pending.list')).pending
}

async function alarmCodes(test: TestKeeper): Promise<string[]> {
  return (await test.call('alarm.list')).alarms.map(({ code }) => code)
}

describe('with policy auto, a contact whose last key names a successor', () => {
  it('goes on under the new persona, with name, aliases, policy and the device that shows it', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.rename', { contact: bob.id, name: 'Bob' })
    const before = await bobIn(test)
    const seen = await test.sees(bob.key('phone'), table)
    expect(seen).toMatchObject({ verdict: 'new', contact: 'Bob', state: 'confirmed', personaId: next.id })
    expect(seen.changes).toStrictEqual(['succeeded', 'removed', 'added', 'confirmed'])
    const after = await bobIn(test)
    expect(after).toMatchObject({
      personaId: next.id,
      policy: before.policy,
      aliases: before.aliases,
      epoch: 0,
      seq: 1,
    })
    expect(after.devices.map(({ name }) => name)).toStrictEqual(['phone'])
    expect(after.claims.map(({ name }) => name)).toStrictEqual(['tablet'])
    expect(after.others).toMatchObject([{ key: bob.key('laptop'), state: 'former' }])
    expect(test.told('contact.replaced')).toStrictEqual([{ personaId: bob.id, successor: next.id, name: 'Bob' }])
    expect(test.told('device.added')).toMatchObject([{ personaId: next.id, device: { name: 'tablet' } }])
    expect((await test.call('contact.list')).total).toBe(1)
    expect((await test.call('lookup', { query: bob.id })).contact).toMatchObject({ personaId: next.id, name: 'Bob' })
    expect(await alarmCodes(test)).toStrictEqual([])
  })

  it('moves whichever device shows the table, and also by a quote, since the signatures prove it', async () => {
    const stranger = person('stranger of bob')
    for (const words of ['', 'said by a friend: ']) {
      const { test, next, table } = await withBob()
      const text = words === '' ? table.text() : `${words}${table.text()} and more`
      await test.sees(stranger.key('phone'), text)
      expect(await bobIn(test)).toMatchObject({ personaId: next.id, devices: [] })
    }
  })

  it('is not verified any more, and stays verified by the number of the new persona once it is compared', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.verify', { contact: 'Bob', number: bob.safetyNumber })
    await test.sees(bob.key('phone'), table)
    expect((await bobIn(test)).verifiedAtSec).toBeNull()
    await test.call('contact.verify', { contact: 'Bob', number: next.safetyNumber })
    expect((await bobIn(test)).verifiedAtSec).toBe(test.nowSec)
  })

  it('stays blocked, and no event says that it moved', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.block', { contact: 'Bob' })
    test.events.length = 0
    await test.sees(bob.key('phone'), table)
    const moved = await test.call('contact.show', { contact: next.id })
    expect(moved).toMatchObject({ name: 'Bob', blocked: true, devices: [] })
    expect(test.events).toStrictEqual([])
  })

  it('keeps its devices from strangers: one that has not moved yet is neither contested nor free', async () => {
    const { test, bob, next, table } = await withBob()
    const both = next.table([bob.device('phone'), bob.device('laptop')], { predecessor: bob.names(next), after: null })
    await test.sees(bob.key('phone'), both)
    await test.later(100).sees(bob.key('laptop'), bob.last!)
    const [claim] = (await bobIn(test)).claims
    expect(claim).toMatchObject({ key: bob.key('laptop'), state: 'claimed', contested: false })
    const mallory = person(`mallory ${count}`)
    await test.later(100).sees(bob.key('laptop'), mallory.table([bob.device('laptop')]))
    expect((await test.call('lookup', { query: bob.key('laptop') })).contact?.name).not.toBe('Mallory')
    expect(test.records.devices.get(bob.key('laptop'))?.bound).toBe(next.id)
    await test.later(100).sees(bob.key('laptop'), both)
    expect((await bobIn(test)).devices.map(({ name }) => name)).toStrictEqual(['phone', 'laptop'])
    expect(table.seq).toBe(1)
  })

  it('does not come back under the old persona, after a restart either', async () => {
    const { test, bob, next, table } = await withBob()
    await test.sees(bob.key('phone'), table)
    for (const at of [test, await test.reopened()]) {
      await at.later(100).sees(bob.key('phone'), bob.table(['phone', 'laptop', 'tablet']))
      await at.sees(bob.key('desk'), bob.table(['phone', 'desk']), { name: 'desk' })
      expect(await bobIn(at)).toMatchObject({ personaId: next.id })
      expect(at.records.personas.get(bob.id)).toBeUndefined()
    }
    expect(await alarmCodes(test)).toStrictEqual([])
  })

  it('moves once a newer table shows where a shortened statement begins', async () => {
    const { test, bob, next } = await withBob()
    const short = tableOf(next, bob, 5)
    await test.sees(bob.key('phone'), short)
    expect(await bobIn(test)).toMatchObject({ personaId: bob.id })
    await test.later(100).sees(bob.key('laptop'), bob.rotate(5).table(['phone', 'laptop']))
    await test.later(100).sees(bob.key('phone'), short)
    expect(await bobIn(test)).toMatchObject({ personaId: next.id })
  })

  it('moves by a contact link alone, if the statement is whole', async () => {
    const test = await TestKeeper.withPersona()
    const [bob, next] = [person('linked bob'), person('next linked bob')]
    await test.call('contact.add', { link: bob.link(3), name: 'Bob' })
    await test.sees(person('friend of bob').key('phone'), tableOf(next, bob, 1))
    expect(await bobIn(test)).toMatchObject({ personaId: bob.id })
    await test.later(100).sees(bob.key('tablet'), next.table([bob.device('tablet')], { predecessor: bob.names(next) }))
    expect(await bobIn(test)).toMatchObject({ personaId: next.id })
  })

  it('goes on to a third persona in the same way', async () => {
    const { test, bob, next, table } = await withBob()
    const third = person(`third bob ${count}`)
    await test.sees(bob.key('phone'), table)
    await test.later(100).sees(bob.key('phone'), third.table([bob.device('phone')], { predecessor: next.names(third) }))
    expect(await bobIn(test)).toMatchObject({ personaId: third.id })
    await test.later(100).sees(bob.key('phone'), table)
    expect(await bobIn(test)).toMatchObject({ personaId: third.id })
  })
})

describe('the owner is asked before a contact moves', () => {
  it.each(['ask', 'pin'] as const)(
    'if the policy is %s; the answer is theirs, and holds after a restart',
    async (policy) => {
      const { test, bob, next, table } = await withBob(policy)
      await test.sees(bob.key('phone'), table)
      expect(await bobIn(test)).toMatchObject({ personaId: bob.id, pending: true })
      expect(test.told('pending.new')).toMatchObject([{ contact: 'Bob', personaId: next.id, kind: 'successor' }])
      expect(await alarmCodes(test)).toStrictEqual([])
      const again = await test.reopened()
      expect(await waiting(again)).toMatchObject([
        { kind: 'successor', contact: 'Bob', personaId: next.id, tableHash: table.hash, signedBy: 'words' },
      ])
      await again.call('pending.accept', { contact: 'Bob', tableHash: table.hash })
      expect(await bobIn(again)).toMatchObject({ personaId: next.id, policy, pending: false })
      expect((await bobIn(again)).devices.map(({ name }) => name)).toStrictEqual(['phone'])
      expect(again.told('contact.replaced')).toMatchObject([{ personaId: bob.id, successor: next.id }])
      expect(await waiting(again)).toStrictEqual([])
    },
  )

  it('under policy auto too, once the last key is in use: a thief of a device has it', async () => {
    const { test, bob, next, table } = await withBob('auto', 16)
    await test.sees(bob.key('phone'), table)
    expect(await bobIn(test)).toMatchObject({ personaId: bob.id })
    expect(await waiting(test)).toMatchObject([{ kind: 'successor', signedBy: 'words-or-thief' }])
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await bobIn(test)).toMatchObject({ personaId: next.id })
  })

  it('and a rejected successor is not asked about again, but another one is', async () => {
    const { test, bob, next, table } = await withBob('ask')
    await test.sees(bob.key('phone'), table)
    await test.call('pending.reject', { contact: 'Bob' })
    await test.later(100).sees(bob.key('phone'), tableOf(next, bob))
    expect(await waiting(test)).toStrictEqual([])
    const other = person(`other bob ${count}`)
    await test.later(100).sees(bob.key('phone'), tableOf(other, bob))
    expect(await waiting(test)).toMatchObject([{ kind: 'successor', personaId: other.id }])
  })

  it('if the successor is a contact under another name; then both entries become one', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.add', { link: next.link(), name: 'Robert' })
    await test.later(100).sees(bob.key('phone'), table)
    expect(await waiting(test)).toMatchObject([
      { kind: 'successor', contact: 'Bob', changes: [{ kind: 'succeeded', name: 'Robert' }, {}, {}] },
    ])
    expect((await test.call('contact.show', { contact: 'Robert' })).personaId).toBe(next.id)
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await bobIn(test)).toMatchObject({ name: 'Bob', aliases: ['Robert'], personaId: next.id })
    expect((await test.call('contact.list')).total).toBe(1)
  })

  it('if the owner forgot the successor before', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.add', { link: next.link(), name: 'Robert' })
    await test.call('contact.forget', { contact: 'Robert' })
    await test.later(100).sees(bob.key('phone'), table)
    expect(await waiting(test)).toMatchObject([{ kind: 'successor' }])
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await bobIn(test)).toMatchObject({ personaId: next.id })
    expect((await bobIn(test)).devices.map(({ name }) => name)).toStrictEqual(['phone'])
  })

  it('if they add the old persona again by its link', async () => {
    const { test, bob, next, table } = await withBob()
    await test.sees(bob.key('phone'), table)
    await test.call('contact.add', { link: bob.link(), name: 'Bobby' })
    await test.later(100).sees(bob.key('phone'), next.table([bob.device('phone')], { predecessor: bob.names(next) }))
    expect(await waiting(test)).toMatchObject([{ kind: 'successor', contact: 'Bobby', personaId: next.id }])
    await test.call('pending.accept', { contact: 'Bobby' })
    expect(await bobIn(test)).toMatchObject({ personaId: next.id, aliases: ['Bobby'] })
  })

  it('for exactly the table that they looked at', async () => {
    const { test, bob, next, table } = await withBob('ask')
    await test.sees(bob.key('phone'), table)
    await test.later(100).sees(bob.key('phone'), next.table([bob.device('tablet')], { predecessor: bob.names(next) }))
    const answer = test.call('pending.accept', { contact: 'Bob', tableHash: table.hash })
    await expect(answer).rejects.toMatchObject({ code: 'PENDING_CHANGED' })
    expect(await bobIn(test)).toMatchObject({ personaId: bob.id })
  })
})

describe('a second statement that names another successor', () => {
  it('is never followed, and raises an alarm', async () => {
    const { test, bob, next, table } = await withBob()
    const other = person(`second bob ${count}`)
    await test.sees(bob.key('phone'), table)
    await test.later(100).sees(bob.key('laptop'), tableOf(other, bob))
    expect(await bobIn(test)).toMatchObject({ personaId: next.id })
    expect(await waiting(test)).toStrictEqual([])
    const { alarms } = await test.call('alarm.list')
    expect(alarms).toMatchObject([
      { code: 'SUCCESSOR_DISPUTED', contact: 'Bob', personaId: next.id },
      { code: 'PERSONA_SWITCHED' },
    ])
  })

  it('does not replace the one that waits', async () => {
    const { test, bob, next, table } = await withBob('ask')
    const other = person(`second bob ${count}`)
    await test.sees(bob.key('phone'), table)
    await test.later(100).sees(bob.key('laptop'), tableOf(other, bob))
    expect(await waiting(test)).toMatchObject([{ personaId: next.id }])
    expect(await alarmCodes(test)).toStrictEqual(['SUCCESSOR_DISPUTED'])
  })
})

describe('a contact does not move', () => {
  it('if the owner forgot it', async () => {
    const { test, bob, next, table } = await withBob()
    await test.call('contact.forget', { contact: 'Bob' })
    await test.sees(bob.key('phone'), table, { name: 'Somebody' })
    expect(await test.call('contact.show', { contact: next.id })).toMatchObject({ name: 'Somebody' })
    expect(test.told('contact.replaced')).toStrictEqual([])
  })

  it('by a statement of a thief who holds every key up to the present one', async () => {
    const { test, bob, table } = await withBob('auto', 15)
    const thief = bob.thief()
    const own = person(`persona of the thief ${count}`)
    const forged = own.table([bob.device('phone')], { predecessor: thief.names(own) })
    // The true statement, in a table that the thief signs for another persona.
    const moved = own.table([bob.device('phone')], { predecessor: bob.names(person(`new bob ${count}`)) })
    for (const shown of [forged, moved]) {
      await test.later(100).sees(person('a stranger').key('phone'), shown, { name: 'Stranger' })
      expect(await bobIn(test)).toMatchObject({ personaId: bob.id })
      expect(await waiting(test)).toStrictEqual([])
    }
    await test.later(100).sees(bob.key('phone'), table)
    expect(await bobIn(test)).not.toMatchObject({ personaId: bob.id })
  })
})
