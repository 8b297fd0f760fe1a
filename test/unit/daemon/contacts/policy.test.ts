import { describe, expect, it } from 'vitest'
import type { Contact } from '../../../../src/ipc/shapes/contact.ts'
import type { PendingUpdate } from '../../../../src/ipc/shapes/pending.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { Person, person, START_SEC, type Table } from '../../../support/person.ts'

/** Bob shows a table with a phone and a laptop, and has this policy. */
async function withBob(policy: 'auto' | 'ask' | 'pin'): Promise<{ test: TestKeeper; bob: Person; first: Table }> {
  const test = await TestKeeper.withPersona()
  const bob = person(`bob under ${policy} ${++count}`)
  const first = bob.table(['phone', 'laptop'])
  for (const device of ['phone', 'laptop']) await test.sees(bob.key(device), first, { name: 'Bob' })
  await test.call('contact.policy', { contact: bob.id, policy })
  test.events.length = 0
  return { test, bob, first }
}
let count = 0

async function contactOf(test: TestKeeper, bob: Person): Promise<Contact> {
  return await test.call('contact.show', { contact: bob.id })
}

function names(contact: Contact): string[] {
  return contact.devices.map(({ name }) => name)
}

async function waiting(test: TestKeeper): Promise<PendingUpdate[]> {
  return (await test.call('pending.list')).pending
}

describe('with policy ask, a newer table', () => {
  it('becomes a pending change that lists only its effects, and apps see the old table', async () => {
    const { test, bob } = await withBob('ask')
    const table = bob.table([bob.device('tablet'), { ...bob.device('phone'), name: 'mobile' }, 'laptop'])
    await test.sees(bob.key('phone'), table)
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone', 'laptop'])
    expect(await contactOf(test, bob)).toMatchObject({ pending: true, seq: table.seq })
    const [update] = await waiting(test)
    expect(update).toMatchObject({ kind: 'update', contact: 'Bob', tableHash: table.hash, policy: 'ask' })
    const changes = update!.changes.map(({ kind, name }) => `${kind} ${name}`)
    expect(changes).toStrictEqual(['added tablet', 'renamed mobile', 'activated tablet'])
    expect(test.told('pending.new')).toMatchObject([{ contact: 'Bob', tableHash: table.hash, source: 'owner' }])
    expect(test.told('device.added')).toStrictEqual([])
  })

  it('is visible to apps once accepted, and reports from the meantime confirm its devices', async () => {
    const { test, bob } = await withBob('ask')
    const table = bob.table(['tablet', 'phone', 'laptop'])
    await test.sees(bob.key('phone'), table)
    await test.sees(bob.key('tablet'), table)
    await test.call('pending.accept', { contact: 'Bob', tableHash: table.hash })
    expect(await contactOf(test, bob)).toMatchObject({ pending: false, active: bob.key('tablet') })
    expect(names(await contactOf(test, bob))).toStrictEqual(['tablet', 'phone', 'laptop'])
    expect(await waiting(test)).toStrictEqual([])
  })

  it('stays rejected, even after a restart, until there is a newer one', async () => {
    const { test, bob } = await withBob('ask')
    await test.sees(bob.key('phone'), bob.table(['phone', 'laptop', 'tablet']))
    await test.call('pending.reject', { contact: 'Bob' })
    const again = await test.later(3600).reopened()
    await again.sees(bob.key('phone'), bob.last!)
    expect(await waiting(again)).toStrictEqual([])
    expect(await contactOf(again, bob)).toMatchObject({ pending: false })
    expect(names(await contactOf(again, bob))).toStrictEqual(['phone', 'laptop'])
    await again.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop', 'tablet', 'desk']))
    expect(await waiting(again)).toHaveLength(1)
  })

  it('replaces an earlier pending table of the contact', async () => {
    const { test, bob } = await withBob('ask')
    await test.sees(bob.key('phone'), bob.table(['phone', 'laptop', 'tablet']))
    const newest = bob.table(['phone', 'laptop', 'desk'])
    await test.later(60).sees(bob.key('phone'), newest)
    expect((await waiting(test)).map(({ tableHash }) => tableHash)).toStrictEqual([newest.hash])
  })

  it('is not accepted if the owner saw another one', async () => {
    const { test, bob } = await withBob('ask')
    const looked = bob.table(['phone', 'laptop', 'tablet'])
    await test.sees(bob.key('phone'), looked)
    await test.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop', 'thief']))
    const answer = test.call('pending.accept', { contact: 'Bob', tableHash: looked.hash })
    await expect(answer).rejects.toMatchObject({ code: 'PENDING_CHANGED' })
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone', 'laptop'])
  })

  it('removes devices at once', async () => {
    const { test, bob } = await withBob('ask')
    await test.sees(bob.key('phone'), bob.table(['phone', 'tablet']))
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone'])
    expect(await waiting(test)).toMatchObject([{ changes: [{ kind: 'added', name: 'tablet' }] }])
  })

  it('needs no decision if it lists only devices that apps see already', async () => {
    const { test, bob } = await withBob('ask')
    await test.sees(bob.key('phone'), bob.table(['phone']))
    expect(await waiting(test)).toStrictEqual([])
    expect(await contactOf(test, bob)).toMatchObject({ pending: false })
  })
})

describe('with policy pin', () => {
  it('a table of the same epoch removes no device either', async () => {
    const { test, bob } = await withBob('pin')
    await test.sees(bob.key('phone'), bob.table(['phone', 'tablet']))
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone', 'laptop'])
    expect(await waiting(test)).toHaveLength(1)
  })
})

describe('attack 43: no policy keeps a stolen device:', () => {
  it.each(['ask', 'pin'] as const)('with policy %s, a rotation removes its missing devices at once', async (policy) => {
    const { test, bob } = await withBob(policy)
    await test.sees(bob.key('phone'), bob.rotate().table(['phone', 'tablet']))
    expect(await contactOf(test, bob)).toMatchObject({ epoch: 1, pending: true })
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone'])
    expect(await test.call('lookup', { query: bob.key('laptop') })).toMatchObject({ device: { state: 'former' } })
  })
})

describe('a change of policy', () => {
  it('to auto accepts the pending change', async () => {
    const { test, bob } = await withBob('ask')
    await test.sees(bob.key('phone'), bob.table(['phone', 'laptop', 'tablet']))
    const contact = await test.call('contact.policy', { contact: 'Bob', policy: 'auto' })
    expect(contact).toMatchObject({ policy: 'auto', pending: false, claims: [{ name: 'tablet' }] })
    expect(await waiting(test)).toStrictEqual([])
  })

  it('is refused for the own persona', async () => {
    const test = await TestKeeper.withPersona()
    const { personaId } = await test.call('device.list')
    const change = test.call('contact.policy', { contact: personaId, policy: 'pin' })
    await expect(change).rejects.toMatchObject({ code: 'OWN_PERSONA' })
  })
})

describe('a friend without a persona and with policy ask', () => {
  async function withFriend(): Promise<{ test: TestKeeper; bob: Person }> {
    const test = await TestKeeper.withPersona()
    const bob = person(`friend ${++count}`)
    await test.sees(bob.key('phone'), 'hello', { name: 'Bob' })
    await test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    test.events.length = 0
    return { test, bob }
  }

  it('that shows a persona stays as it is until the owner accepts, and keeps name and policy', async () => {
    const { test, bob } = await withFriend()
    await test.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop']))
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({
      contact: { kind: 'provisional', pending: true },
    })
    expect(await waiting(test)).toMatchObject([
      { kind: 'upgrade', contact: 'Bob', personaId: bob.id, key: bob.key('phone') },
    ])
    expect(test.told('pending.new')).toHaveLength(1)
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({
      contact: { kind: 'persona', personaId: bob.id, policy: 'ask', active: bob.key('phone') },
    })
    expect(await waiting(test)).toStrictEqual([])
  })

  it('causes one question for each table', async () => {
    const { test, bob } = await withFriend()
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    await test.call('pending.reject', { contact: 'Bob' })
    await test.later(60).sees(bob.key('phone'), bob.last!)
    expect(await waiting(test)).toStrictEqual([])
    await test.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop']))
    expect(await waiting(test)).toHaveLength(1)
  })

  it('does not become the pending persona if it shows another one by now', async () => {
    const { test, bob } = await withFriend()
    const other = person(`other ${++count}`)
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    await test.later(60).sees(bob.key('phone'), other.table([{ name: 'x', key: bob.key('phone') }]))
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({ contact: { personaId: other.id } })
  })

  it('does not become a persona that the device no longer shows', async () => {
    const { test, bob } = await withFriend()
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    await test.later(60).sees(bob.key('phone'), person(`elsewhere ${++count}`).table(['pc']))
    await expect(test.call('pending.accept', { contact: 'Bob' })).rejects.toMatchObject({ code: 'PENDING_CHANGED' })
    await test.call('contact.policy', { contact: 'Bob', policy: 'auto' })
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({ contact: { kind: 'provisional' } })
  })

  it('is bound with the old policy if a change of policy comes too late', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person(`meanwhile ${++count}`)
    await test.sees(bob.key('phone'), 'hello', { name: 'Bob' })
    const asked = test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    await test.later(60).sees(bob.key('phone'), bob.table(['phone']))
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(test.records.devices.get(bob.key('phone'))).toMatchObject({ bound: bob.id, entry: null })
    expect(await contactOf(test, bob)).toMatchObject({ name: 'Bob', policy: 'auto' })
  })

  it('needs a decision even if the persona is known from another device', async () => {
    const { test, bob } = await withFriend()
    const table = bob.table(['phone', 'laptop'])
    await test.later(60).sees(bob.key('laptop'), table, { name: 'Robert' })
    await test.later(60).sees(bob.key('phone'), table)
    expect(await waiting(test)).toMatchObject([{ kind: 'upgrade', contact: 'Bob', changes: [{ name: 'Robert' }] }])
    await test.call('pending.accept', { contact: 'Bob' })
    const contact = await contactOf(test, bob)
    expect([contact.name, contact.aliases, contact.policy]).toStrictEqual(['Bob', ['Robert'], 'ask'])
    expect(names(contact)).toStrictEqual(['phone', 'laptop'])
  })
})

describe('policy.default', () => {
  it('applies to new contacts, so that a first persona needs a decision too', async () => {
    const test = await TestKeeper.withPersona({ defaultPolicy: 'ask' })
    const bob = person(`default ${++count}`)
    await test.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({
      contact: { kind: 'provisional', policy: 'ask' },
    })
    await test.call('pending.accept', { contact: 'Bob' })
    expect(await test.call('lookup', { query: 'Bob' })).toMatchObject({ contact: { kind: 'persona', policy: 'ask' } })
  })
})

describe('a table that is too far ahead', () => {
  it('needs a decision under any policy, and the owner can accept it', async () => {
    const { test, bob } = await withBob('auto')
    const far = bob.table(['phone', 'tablet'], { seq: 100_000, timeSec: START_SEC })
    await test.later(60).sees(bob.key('phone'), far)
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone', 'laptop'])
    expect(await waiting(test)).toMatchObject([{ kind: 'held', seq: 100_000, tableHash: far.hash }])
    await test.call('pending.accept', { contact: 'Bob', kind: 'held' })
    expect(await contactOf(test, bob)).toMatchObject({ seq: 100_000 })
    expect(names(await contactOf(test, bob))).toStrictEqual(['phone'])
    expect(await waiting(test)).toStrictEqual([])
  })

  it('is deleted if the owner rejects it', async () => {
    const { test, bob } = await withBob('auto')
    await test.later(60).sees(bob.key('phone'), bob.table(['phone'], { seq: 100_000 }))
    await test.call('pending.reject', { contact: 'Bob' })
    expect(await waiting(test)).toStrictEqual([])
    await expect(test.call('pending.reject', { contact: 'Bob' })).rejects.toMatchObject({ code: 'NOTHING_PENDING' })
  })
})

describe('a friend with a pending change', () => {
  it('is not a device of the persona until the owner accepts, but the other devices are', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person(`waits ${++count}`)
    await test.sees(bob.key('phone'), 'hello', { name: 'Bob' })
    await test.call('contact.policy', { contact: 'Bob', policy: 'ask' })
    const table = bob.table(['phone', 'laptop'])
    await test.later(60).sees(bob.key('laptop'), table, { name: 'Robert' })
    expect(await test.later(60).sees(bob.key('phone'), table)).toMatchObject({ state: 'claimed', contact: 'Bob' })
    const contact = await contactOf(test, bob)
    expect([names(contact), contact.active]).toStrictEqual([['laptop'], bob.key('laptop')])
    expect(contact.claims).toMatchObject([{ name: 'phone', contested: false }])
  })
})

describe('a report from before the persona was known', () => {
  it('does not bind the device if it was of another chain than the one that is pinned later', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person(`chains ${++count}`)
    const token = (await test.call('app.allow', { name: `bot-${count}`, can: ['observe'] })).app.name
    const phone = bob.key('phone')
    // A newer report of an app prevents the contact. That report is revoked later.
    await test.keeper.observe([{ from: phone, text: person('else').table(['x']).text() }], `app:${token}`)
    await test.reports('profile', phone, bob.table(['phone']), { seenAtSec: START_SEC - 1000 })
    const thief = bob.thief()
    await test.later(60).sees(bob.key('laptop'), thief.table(['laptop', 'phone']))
    await test.call('app.revoke', { name: token })
    const { contact } = await test.call('lookup', { query: bob.id })
    expect(contact === null ? [] : names(contact)).not.toContain('phone')
  })
})
