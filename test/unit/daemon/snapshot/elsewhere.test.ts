/** The owner's decisions about a contact on another device are a report here, until the owner says yes. */
import { beforeEach, describe, expect, it } from 'vitest'
import { formatContact } from '../../../../src/cli/contacts/contacts.ts'
import { formatUpdate } from '../../../../src/cli/contacts/pending.ts'
import { OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { person, type Person } from '../../../support/person.ts'
import { importSnapshot, snapshotOf } from '../../../support/snapshot.ts'

const FROM_PHONE = { sibling: 'phone', withKeys: false }

let laptop: TestKeeper
let phone: TestKeeper
let bob: Person
let eve: Person

/** The laptop reads the state of the phone. */
async function reads(): Promise<void> {
  await importSnapshot(laptop.later(60), await snapshotOf(phone, 'sibling'), FROM_PHONE)
}

beforeEach(async () => {
  laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  ;[bob, eve] = [person('bob'), person('eve')]
  await laptop.sees(bob.key('pc'), bob.table(['pc']), { name: 'Bob' })
  phone = await laptop.copied(OWN_PHONE)
  await phone.sees(eve.key('pc'), eve.table(['pc']), { name: 'Eve' })
  phone.later(1000)
  for (const [contact, { id }] of [
    ['Bob', bob],
    ['Eve', eve],
  ] as const) {
    const { safetyNumber } = await phone.call('contact.number', { contact: id })
    await phone.call('contact.verify', { contact, number: safetyNumber })
  }
})

describe('a safety number that was compared on another device', () => {
  it('does not count here, is shown as that device’s report, and waits for an answer, also for a contact that is new here', async () => {
    laptop.later(5000)
    await reads()
    const report = { device: 'phone', verifiedAtSec: phone.nowSec, minEpoch: null }
    for (const contact of ['Bob', 'Eve']) {
      const shown = await laptop.call('contact.show', { contact })
      expect(shown).toMatchObject({ verifiedAtSec: null, elsewhere: report })
      expect(formatContact(shown, laptop.nowSec).join('\n')).toMatch(
        /verified: +no; your device phone reports: compared/,
      )
    }
    expect(laptop.told('pending.new')).toMatchObject([{ contact: 'Bob' }, { contact: 'Eve' }])
    const { pending } = await laptop.call('pending.list')
    expect(pending).toMatchObject(
      [
        { kind: 'elsewhere', contact: 'Bob', elsewhere: report, changes: [{ kind: 'verified' }] },
        { kind: 'elsewhere', contact: 'Eve', elsewhere: report },
      ].toSorted((a, b) => ((a.contact === 'Bob' ? bob : eve).id < (b.contact === 'Bob' ? bob : eve).id ? -1 : 1)),
    )
    expect(formatUpdate(pending[0]!, laptop.nowSec)).toContainEqual(
      expect.stringMatching(/^ {2}to accept: .* --kind elsewhere/),
    )
  })

  it('counts from its date after a yes, and then nothing waits', async () => {
    laptop.later(5000)
    await reads()
    const answer = await laptop.call('pending.accept', { contact: 'Bob' })
    expect(answer.elsewhere).toMatchObject({ device: 'phone' })
    const shown = await laptop.call('contact.show', { contact: 'Bob' })
    expect(shown.verifiedAtSec).toBe(phone.nowSec)
    expect(shown).not.toHaveProperty('elsewhere')
    expect(laptop.told('contact.changed').at(-1)).toMatchObject({ changes: [{ kind: 'verified' }], source: 'owner' })
    await reads()
    expect((await laptop.call('pending.list')).pending).toMatchObject([{ contact: 'Eve' }])
  })

  it('is not asked about again after a no, whatever date comes later, also after a restart', async () => {
    await reads()
    await laptop.call('pending.reject', { contact: 'Bob', kind: 'elsewhere' })
    expect(await laptop.call('contact.show', { contact: 'Bob' })).not.toHaveProperty('elsewhere')
    laptop = await laptop.reopened()
    const { safetyNumber } = await phone.later(90_000).call('contact.number', { contact: bob.id })
    await phone.call('contact.verify', { contact: 'Bob', number: safetyNumber })
    laptop.later(90_000)
    await reads()
    expect((await laptop.call('pending.list')).pending).toMatchObject([{ contact: 'Eve' }])
  })

  it('is asked about no longer once the owner compares here, or pins another chain', async () => {
    await reads()
    const { safetyNumber } = await laptop.call('contact.number', { contact: 'Bob' })
    await laptop.call('contact.verify', { contact: 'Bob', number: safetyNumber })
    await laptop.call('contact.add', { link: person('eve').thief().link(), repin: true })
    expect((await laptop.call('pending.list')).pending).toStrictEqual([])
  })

  it('cannot be answered for another report than the one that the owner looked at', async () => {
    await reads()
    const { pending } = await laptop.call('pending.list')
    const { tableHash } = pending.find(({ contact }) => contact === 'Bob')!
    await phone.call('contact.add', { link: bob.rotate(2).link() })
    await reads()
    await expect(laptop.call('pending.accept', { contact: 'Bob', tableHash })).rejects.toMatchObject({
      code: 'PENDING_CHANGED',
    })
  })

  it('does not travel on as the report of this device, and a backup keeps the question', async () => {
    await reads()
    const lines = new TextDecoder().decode(await snapshotOf(laptop, 'sibling'))
    expect(lines).not.toContain('"elsewhere"')
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    await importSnapshot(fresh, await snapshotOf(laptop, 'backup'), { sibling: null, withKeys: true })
    expect((await fresh.call('pending.list')).pending).toStrictEqual((await laptop.call('pending.list')).pending)
  })
})

describe('a contact link that was added on another device', () => {
  it('refuses lower epochs here only after a yes, which drops a head below it', async () => {
    await phone.call('contact.add', { link: bob.rotate(2).link() })
    await reads()
    expect(await laptop.call('contact.show', { contact: 'Bob' })).toMatchObject({
      minEpoch: 0,
      epoch: 0,
      elsewhere: { minEpoch: 2 },
    })
    await laptop.call('pending.accept', { contact: 'Bob', kind: 'elsewhere' })
    expect(await laptop.call('contact.show', { contact: 'Bob' })).toMatchObject({
      minEpoch: 2,
      epoch: null,
      devices: [],
    })
  })

  it('is asked about again after a no only for a higher epoch', async () => {
    await phone.call('contact.add', { link: bob.rotate(1).link() })
    await reads()
    await laptop.call('pending.reject', { contact: 'Bob' })
    await reads()
    expect((await laptop.call('contact.show', { contact: 'Bob' })).elsewhere).toBeUndefined()
    await phone.call('contact.add', { link: bob.rotate(3).link() })
    await reads()
    expect((await laptop.call('contact.show', { contact: 'Bob' })).elsewhere).toMatchObject({
      verifiedAtSec: null,
      minEpoch: 3,
    })
  })

  it('of somebody who is not known here adds the contact without a least epoch, until a yes', async () => {
    const carol = person('carol').rotate(4)
    await phone.call('contact.add', { link: carol.link(), name: 'Carol' })
    await reads()
    expect(await laptop.call('contact.show', { contact: 'Carol' })).toMatchObject({
      minEpoch: 0,
      elsewhere: { minEpoch: 4 },
    })
    await laptop.call('pending.accept', { contact: 'Carol' })
    expect(await laptop.call('contact.show', { contact: 'Carol' })).toMatchObject({ minEpoch: 4 })
  })
})
