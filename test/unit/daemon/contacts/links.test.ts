import { describe, expect, it } from 'vitest'
import type { PersonaRecord } from '../../../../src/daemon/state/persona-record.ts'
import { OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { person, type Person } from '../../../support/person.ts'

const PHONE = person('bob').key('phone')
const LAPTOP = person('bob').key('laptop')

function record(test: TestKeeper, who: Person): PersonaRecord {
  return test.records.personas.get(who.id)!
}

/** A keeper that has bob's link and has not seen a table of his. */
async function linkedBob(name = 'Bob'): Promise<{ test: TestKeeper; bob: Person }> {
  const test = await TestKeeper.open()
  const bob = person('bob')
  await test.call('contact.add', { link: bob.link(), name })
  test.events.length = 0
  return { test, bob }
}

describe('the own link', () => {
  it('needs a persona', async () => {
    const test = await TestKeeper.open()
    await expect(test.call('link.get')).rejects.toMatchObject({ code: 'NO_PERSONA' })
  })

  it('makes the owner a contact of a friend, who accepts the first table and any later one', async () => {
    const owner = await TestKeeper.withPersona()
    const friend = await TestKeeper.open()
    const { link, personaId, epoch, safetyNumber, chainRoot } = await owner.call('link.get')
    expect(link.length).toBe(121)
    const { outcome, contact } = await friend.call('contact.add', { link, name: 'Olga' })
    expect([outcome, contact.name, contact.personaId, epoch]).toEqual(['added', 'Olga', personaId, 0])
    expect(friend.records.personas.get(personaId)).toMatchObject({ root: chainRoot, minEpoch: 0, head: null })
    expect((await friend.call('contact.number', { contact: 'Olga' })).safetyNumber).toBe(safetyNumber)
    const { table } = await owner.call('device.add', { name: 'phone', key: OWN_PHONE })
    const seen = await friend.sees(OWN_PHONE, await ownText(owner))
    expect(seen).toMatchObject({ verdict: 'new', state: 'confirmed', contact: 'Olga' })
    expect(record(friend, { id: personaId } as Person).seq).toBe(table.seq)
  })

  it('with a name names a new contact, beside one of that name with a number, and never renames a known one', async () => {
    const owner = await TestKeeper.withPersona()
    const friend = await TestKeeper.open()
    await friend.call('contact.add', { link: person('bob').link(), name: 'Olga' })
    const { link, personaId } = await owner.call('link.get', { name: 'Olga' })
    expect((await friend.call('contact.add', { link })).contact).toMatchObject({ name: 'Olga#2', personaId })
    await friend.call('contact.rename', { contact: personaId, name: 'Oma' })
    expect(await friend.call('contact.add', { link })).toMatchObject({ outcome: 'known', contact: { name: 'Oma' } })
    await expect(owner.call('link.get', { name: ' ' })).rejects.toMatchObject({ code: 'NICKNAME_SPACES' })
    const other = await TestKeeper.open()
    expect((await other.call('contact.add', { link, name: 'Nana' })).contact.name).toBe('Nana')
  })

  it('cannot be added by the owner, and a link with another chain is reported as a theft', async () => {
    const test = await TestKeeper.withPersona()
    const { link } = await test.call('link.get')
    await expect(test.call('contact.add', { link, repin: true })).rejects.toMatchObject({
      code: 'CONTACT_IS_OWN',
      message: 'this is your own contact link',
    })
    const { parseLink, formatLink } = await import('../../../../src/core/link.ts')
    const forged = { ...parseLink(link, test.keeper.engine), root: new Uint8Array(32).fill(7) }
    await expect(
      test.call('contact.add', { link: formatLink(forged, test.keeper.engine), repin: true }),
    ).rejects.toMatchObject({
      code: 'CONTACT_IS_OWN',
      message: expect.stringContaining('has your first key') as string,
    })
  })
})

describe('a contact without a table, known only from a link', () => {
  it('is listed, found and shown without a table or a device', async () => {
    const { test, bob } = await linkedBob()
    const contact = {
      kind: 'persona',
      name: 'Bob',
      personaId: bob.id,
      epoch: null,
      seq: null,
      timeSec: null,
      freshness: null,
      minEpoch: 0,
      verifiedAtSec: null,
      active: null,
      activeUnconfirmed: null,
      devices: [],
      claims: [],
      others: [],
    }
    expect((await test.call('contact.list')).contacts).toMatchObject([contact])
    expect((await test.call('lookup', { query: bob.id.slice(0, 8) })).contact).toMatchObject(contact)
    expect(await test.call('contact.show', { contact: 'bob' })).toMatchObject(contact)
    expect((await test.call('status')).counts).toMatchObject({ contacts: 1, devices: 0 })
  })

  it('gets a default name if no name is given', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const { contact } = await test.call('contact.add', { link: bob.link() })
    expect(contact.name).toBe(`persona-${bob.id.slice(0, 8).toLowerCase()}`)
    expect(test.told('contact.changed')).toMatchObject([{ changes: [{ kind: 'created' }], source: 'owner' }])
  })

  it('survives a restart, and accepts its first table from any device', async () => {
    const { test, bob } = await linkedBob()
    const again = await test.reopened()
    const table = bob.table(['phone', 'laptop'], { seq: 700_000 })
    expect(await again.sees(person('eve').key('phone'), table)).toMatchObject({ verdict: 'new', state: 'asserted' })
    expect(record(again, bob)).toMatchObject({ seq: 700_000, devices: [{ key: PHONE }, { key: LAPTOP }] })
    expect((await again.call('contact.show', { contact: 'Bob' })).devices).toEqual([])
    expect(await again.sees(PHONE, table)).toMatchObject({ state: 'confirmed', contact: 'Bob' })
  })

  it('causes one event with its first table, and no event for a new device', async () => {
    const { test, bob } = await linkedBob()
    bob.rotate(2)
    await test.sees(PHONE, bob.table(['phone', 'laptop']))
    expect(test.told('contact.changed').map(({ changes }) => changes.map(({ kind }) => kind))).toEqual([
      ['added', 'added', 'confirmed'],
    ])
    expect(test.told('device.added')).toEqual([])
    await test.later(60).sees(PHONE, bob.table(['phone', 'laptop', 'tablet']))
    expect(test.told('device.added')).toHaveLength(1)
  })

  it('absorbs the entry of a friend whose device shows it, once the owner agrees', async () => {
    const { test, bob } = await linkedBob('Robert')
    await test.later(60).sees(PHONE, 'brb', { name: 'Bobby' })
    await test.sees(PHONE, bob.table(['phone']))
    expect((await test.call('contact.list')).contacts.map(({ name }) => name)).toStrictEqual(['Bobby', 'Robert'])
    await test.call('pending.accept', { contact: 'Bobby' })
    expect((await test.call('contact.list')).contacts).toMatchObject([{ name: 'Robert', aliases: ['Bobby'] }])
  })

  it('refuses the chain of a thief who shows a table first', async () => {
    const { test, bob } = await linkedBob()
    const forged = bob.thief().table(['phone'])
    expect(await test.sees(PHONE, forged, { name: 'Bob' })).toMatchObject({ verdict: 'violation', contact: 'Bob#2' })
    expect(test.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED' }])
    expect(record(test, bob).head).toBeNull()
    expect(await test.later(60).sees(LAPTOP, bob.table(['laptop'], { after: null }))).toMatchObject({
      state: 'confirmed',
    })
  })

  it('does not accept a table that cannot be read', async () => {
    const { test, bob } = await linkedBob()
    const table = bob.table(['phone'], { deflated: Uint8Array.of(1, 2, 3) })
    expect(await test.sees(PHONE, table)).toMatchObject({ shown: 'invalid', code: 'DEFLATE_INVALID' })
    expect(record(test, bob).head).toBeNull()
  })
})

describe('the epoch of a link', () => {
  it('is the lowest epoch that is accepted', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const old = bob.table(['phone', 'laptop'])
    bob.rotate()
    await test.call('contact.add', { link: bob.link(), name: 'Bob' })
    expect(await test.sees(PHONE, old)).toMatchObject({ verdict: 'stale', state: 'asserted' })
    expect(record(test, bob).head).toBeNull()
    expect(await test.sees(PHONE, bob.table(['phone']))).toMatchObject({ verdict: 'new', state: 'confirmed' })
  })

  it('drops a head of a lower epoch, which a thief may have signed', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const thiefs = bob.table(['phone', { name: 'laptop 2', key: LAPTOP }])
    await test.sees(PHONE, thiefs, { name: 'Bob' })
    await test.sees(LAPTOP, thiefs)
    test.events.length = 0
    const { outcome, contact } = await test.call('contact.add', { link: bob.rotate().link() })
    expect([outcome, contact.devices, contact.others.map(({ state }) => state)]).toEqual([
      'raised',
      [],
      ['former', 'former'],
    ])
    expect(record(test, bob).evidence).toMatchObject([{ kind: 'stale', epoch: 0, seq: 1 }])
    expect(test.told('contact.changed')[0]!.changes.map(({ kind }) => kind)).toEqual(['removed', 'removed'])
    expect((await test.call('lookup', { query: LAPTOP })).device).toMatchObject({ state: 'former' })
    expect(await test.later(60).sees(PHONE, thiefs)).toMatchObject({ verdict: 'stale', state: 'former' })
    expect(await test.later(60).sees(PHONE, bob.table(['phone']))).toMatchObject({ verdict: 'new', state: 'confirmed' })
    expect((await test.call('lookup', { query: LAPTOP })).device).toMatchObject({ state: 'former' })
  })

  it('is lowered only if the owner asks for that', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob')
    await test.call('contact.add', { link: bob.link(16) })
    expect(await test.call('contact.add', { link: bob.link(0) })).toMatchObject({
      outcome: 'known',
      contact: { minEpoch: 16 },
    })
    expect(await test.call('contact.add', { link: bob.link(0), repin: true })).toMatchObject({
      outcome: 'lowered',
      contact: { minEpoch: 0 },
    })
    expect(await test.sees(PHONE, bob.table(['phone']))).toMatchObject({ verdict: 'new' })
  })

  it('keeps a head of the same or a higher epoch', async () => {
    const test = await TestKeeper.open()
    const bob = person('bob').rotate(2)
    await test.sees(PHONE, bob.table(['phone']), { name: 'Bob' })
    const { head } = record(test, bob)
    expect(await test.call('contact.add', { link: bob.link(2) })).toMatchObject({ outcome: 'raised' })
    expect(record(test, bob)).toMatchObject({ head, minEpoch: 2, evidence: [] })
  })
})

describe('a link of another chain', () => {
  /** A keeper that saw the thief first, and then a table of the true bob. */
  async function fooled(): Promise<{ test: TestKeeper; bob: Person; thief: Person }> {
    const test = await TestKeeper.open()
    const bob = person('bob')
    const thief = bob.thief()
    await test.sees(PHONE, thief.table(['phone', 'laptop'], { after: null }), { name: 'Bob' })
    await test.sees(LAPTOP, thief.last!)
    test.later(60).events.length = 0
    return { test, bob, thief }
  }

  it('changes nothing unless the owner confirms it', async () => {
    const { test, bob } = await fooled()
    const before = record(test, bob)
    await expect(test.call('contact.add', { link: bob.link() })).rejects.toMatchObject({
      code: 'CHAIN_DIFFERS',
      details: { contact: 'Bob', verified: false },
    })
    expect(record(test, bob)).toEqual(before)
  })

  it('once confirmed turns the head into evidence, and reports on the other chain confirm no device', async () => {
    const { test, bob, thief } = await fooled()
    await test.call('contact.verify', { contact: 'Bob', number: thief.safetyNumber })
    test.events.length = 0
    const added = await test.call('contact.add', { link: bob.link(), repin: true })
    expect(added).toMatchObject({ outcome: 'repinned', contact: { verifiedAtSec: null, devices: [], epoch: null } })
    expect(test.told('contact.changed')[0]!.changes.map(({ kind }) => kind)).toEqual(['repinned', 'removed', 'removed'])
    expect(record(test, bob).evidence).toMatchObject([{ kind: 'violation', blob: expect.any(String) as string }])
    // The true bob lists the same phone. So far it has shown only the thief's table.
    await test.later(60).sees(person('eve').key('phone'), bob.table(['phone'], { after: null }))
    expect((await test.call('contact.show', { contact: 'Bob' })).claims).toMatchObject([
      { key: PHONE, state: 'claimed' },
    ])
    expect(await test.later(60).sees(PHONE, bob.last!)).toMatchObject({ state: 'confirmed' })
    expect(await test.later(60).sees(LAPTOP, thief.last!)).toMatchObject({ verdict: 'violation', state: 'former' })
  })

  it('once confirmed accepts the highest of its tables that were refused before', async () => {
    const { test, bob } = await fooled()
    const [first, second] = [bob.table(['phone']), bob.table(['phone', 'tablet'])]
    await test.sees(PHONE, second)
    await test.later(60).sees(PHONE, first)
    expect(record(test, bob).evidence.map(({ kind }) => kind)).toEqual(['violation', 'violation'])
    const { contact } = await test.call('contact.add', { link: bob.link(), repin: true })
    expect(contact).toMatchObject({ seq: 2, devices: [], claims: [{ key: PHONE }, { key: bob.key('tablet') }] })
    expect(
      record(test, bob)
        .evidence.map(({ kind }) => kind)
        .toSorted(),
    ).toEqual(['stale', 'stale', 'violation'])
    expect(await test.later(60).sees(PHONE, second)).toMatchObject({ verdict: 'refresh', state: 'confirmed' })
  })

  it('accepts no refused table below its epoch', async () => {
    const { test, bob } = await fooled()
    await test.sees(PHONE, bob.table(['phone']))
    const { contact } = await test.call('contact.add', { link: bob.link(1), repin: true })
    expect([contact.epoch, contact.claims]).toEqual([null, []])
  })

  it('is refused with a warning if the contact was verified', async () => {
    const { test, bob, thief } = await fooled()
    await test.call('contact.verify', { contact: 'Bob', number: thief.safetyNumber })
    await expect(test.call('contact.add', { link: bob.link() })).rejects.toMatchObject({ details: { verified: true } })
  })

  it('is the remedy that the alarm of a disputed chain names', async () => {
    const { test, bob } = await fooled()
    await test.sees(PHONE, bob.table(['phone']))
    expect(test.told('alarm')[0]!.message).toContain('Ask for a contact link in a way that proves who you talk to')
  })
})

describe('the name with a link', () => {
  it('is refused if another contact has it, and nothing is added', async () => {
    const { test } = await linkedBob()
    const carol = person('carol')
    await expect(test.call('contact.add', { link: carol.link(), name: 'BOB' })).rejects.toMatchObject({
      code: 'NAME_TAKEN',
    })
    expect(test.records.personas.get(carol.id)).toBeUndefined()
  })

  it('renames a known contact', async () => {
    const { test, bob } = await linkedBob()
    await test.call('contact.add', { link: bob.link(), name: 'Robert' })
    expect((await test.call('contact.list')).contacts).toMatchObject([{ name: 'Robert', aliases: [] }])
    expect((await test.call('lookup', { query: 'Bob' })).contact).toBeNull()
    await test.call('contact.add', { link: bob.link(), name: 'robert' })
    expect((await test.call('contact.list')).contacts).toMatchObject([{ name: 'robert' }])
  })
})

describe('verifying', () => {
  it('shows the safety number, and marks the contact after the comparison', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person('bob').rotate(1)
    await test.call('contact.add', { link: bob.link(), name: 'Bob' })
    const own = await test.call('link.get')
    const before = await test.call('contact.number', { contact: 'Bob' })
    expect(before).toMatchObject({
      name: 'Bob',
      safetyNumber: bob.safetyNumber,
      epoch: null,
      verifiedAtSec: null,
      own: { safetyNumber: own.safetyNumber, epoch: 0 },
    })
    test.events.length = 0
    await test.sees(PHONE, bob.table(['phone']))
    const verified = await test.later(5).call('contact.verify', { contact: 'Bob', number: bob.safetyNumber })
    expect(verified).toMatchObject({ epoch: 1, verifiedAtSec: test.nowSec })
    expect((await test.call('contact.show', { contact: 'Bob' })).verifiedAtSec).toBe(test.nowSec)
    expect(test.told('contact.changed').at(-1)!.changes).toEqual([{ kind: 'verified', key: null, name: null }])
    expect((await (await test.reopened()).call('contact.number', { contact: 'Bob' })).verifiedAtSec).toBe(test.nowSec)
  })

  it('survives a rotation, which does not change the number', async () => {
    const { test, bob } = await linkedBob()
    await test.sees(PHONE, bob.table(['phone']))
    await test.call('contact.verify', { contact: 'Bob', number: bob.safetyNumber })
    await test.later(60).sees(PHONE, bob.rotate(3).table(['phone']))
    const numbers = await test.call('contact.number', { contact: 'Bob' })
    expect(numbers).toMatchObject({ safetyNumber: bob.safetyNumber, epoch: 3, verifiedAtSec: test.nowSec - 60 })
  })

  it('refuses a wrong number, and recognizes the own one', async () => {
    const test = await TestKeeper.withPersona()
    const bob = person('bob')
    await test.call('contact.add', { link: bob.link(), name: 'Bob' })
    const { safetyNumber } = await test.call('link.get')
    for (const [number, message] of [
      [bob.thief().safetyNumber, /not the safety number of Bob/],
      [safetyNumber, /your own safety number/],
    ] as const) {
      const refused = test.call('contact.verify', { contact: 'Bob', number })
      await expect(refused).rejects.toMatchObject({
        code: 'NUMBER_MISMATCH',
        message: expect.stringMatching(message) as string,
      })
    }
    expect(record(test, bob).verifiedAtSec).toBeNull()
  })

  it('accepts a link instead, and its epoch', async () => {
    const { test, bob } = await linkedBob()
    for (const [link, message] of [
      [bob.thief().link(), /differs from the one pinned/],
      [person('carol').link(), /belongs to somebody else/],
    ] as const) {
      const refused = test.call('contact.verify', { contact: 'Bob', link })
      await expect(refused).rejects.toMatchObject({
        code: 'NUMBER_MISMATCH',
        message: expect.stringMatching(message) as string,
      })
    }
    await test.call('contact.verify', { contact: 'Bob', link: bob.link(2) })
    expect(record(test, bob)).toMatchObject({ minEpoch: 2, verifiedAtSec: test.nowSec })
  })

  it('works only for contacts with a persona, and not for the owner', async () => {
    const test = await TestKeeper.withPersona()
    await test.sees(PHONE, 'brb', { name: 'Bob' })
    await expect(test.call('contact.number', { contact: 'Bob' })).rejects.toMatchObject({ code: 'CONTACT_PROVISIONAL' })
    const { personaId } = await test.call('device.list')
    await expect(test.call('contact.number', { contact: personaId })).rejects.toMatchObject({ code: 'CONTACT_IS_OWN' })
    await expect(test.call('contact.number', { contact: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('a damaged link', () => {
  it('is refused with its own code, before any lookup', async () => {
    const test = await TestKeeper.open()
    const link = person('bob').link()
    await expect(test.call('contact.add', { link: `${link.slice(0, -1)}!` })).rejects.toMatchObject({
      code: 'LINK_DAMAGED',
    })
    expect(test.store.commits).toEqual([])
  })
})
