import { describe, expect, it } from 'vitest'
import { OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { person, type Person } from '../../../support/person.ts'
import { forged, importSnapshot, linesOf, snapshotOf } from '../../../support/snapshot.ts'

const FROM_LAPTOP = { sibling: 'laptop', withKeys: true }
const OWN_PAST = { sibling: null, withKeys: true }

interface Story {
  readonly laptop: TestKeeper
  /** A sibling that knows Bob only by his old persona. */
  readonly phone: TestKeeper
  readonly bob: Person
  readonly next: Person
}

let count = 0

/** Laptop and phone of one owner know Bob; then the laptop alone follows him to a new persona. */
async function withBob(policy: 'auto' | 'ask' = 'auto'): Promise<Story> {
  const laptop = await TestKeeper.withPersona()
  await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
  const [bob, next] = [person(`old bob of siblings ${++count}`), person(`new bob of siblings ${count}`)]
  await laptop.sees(bob.key('pc'), bob.table(['pc']), { name: 'Bob' })
  const phone = await laptop.copied(OWN_PHONE)
  await phone.call('contact.policy', { contact: 'Bob', policy })
  await laptop.later(100).sees(bob.key('pc'), next.table([bob.device('pc')], { predecessor: bob.names(next) }))
  expect((await laptop.call('contact.show', { contact: 'Bob' })).personaId).toBe(next.id)
  return { laptop, phone: phone.later(200), bob, next }
}

/** The lines of a snapshot with the record of a persona changed, and the checksum right again. */
function withPersona(snapshot: Uint8Array, id: string, change: (value: Record<string, unknown>) => void): Uint8Array {
  let changed = 0
  const lines = linesOf(snapshot).map((line) => {
    const item = JSON.parse(line) as { kind: string; id?: string; value: Record<string, unknown> }
    if (item.kind !== 'persona' || item.id !== id) return line
    changed++
    change(item.value)
    return JSON.stringify(item)
  })
  expect(changed).toBe(1)
  return forged(lines)
}

describe('the snapshot of a sibling that followed a contact', () => {
  it('brings the statement, which moves the contact here too, under one name', async () => {
    const { laptop, phone, bob, next } = await withBob()
    await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP)
    expect(await phone.call('contact.show', { contact: 'Bob' })).toMatchObject({ personaId: next.id, aliases: [] })
    expect((await phone.call('contact.list')).total).toBe(1)
    expect(phone.told('contact.replaced')).toMatchObject([{ personaId: bob.id, successor: next.id }])
  })

  it('asks here if the policy here asks', async () => {
    const { laptop, phone, bob, next } = await withBob('ask')
    await importSnapshot(phone, await snapshotOf(laptop, 'sibling'), FROM_LAPTOP)
    expect(await phone.call('contact.show', { contact: 'Bob' })).toMatchObject({ personaId: bob.id, pending: true })
    expect((await phone.call('contact.list')).total).toBe(1)
    expect((await phone.call('pending.list')).pending).toMatchObject([{ kind: 'successor', personaId: next.id }])
    await phone.call('pending.accept', { contact: 'Bob' })
    expect(await phone.call('contact.show', { contact: 'Bob' })).toMatchObject({ personaId: next.id })
  })

  it('moves nothing by its word: without the statement, the other persona is a contact of its own', async () => {
    const { phone, bob } = await withBob()
    const laptop = await TestKeeper.withPersona()
    const mallory = person(`mallory of siblings ${count}`)
    await laptop.sees(mallory.key('pc'), mallory.table(['pc']), { name: 'Bob' })
    const own = (await phone.call('device.list')).personaId
    const taken = linesOf(await snapshotOf(laptop, 'sibling')).filter((line) => line.includes(mallory.id))
    const lines = linesOf(await snapshotOf(phone, 'sibling'))
    const snapshot = withPersona(forged([...lines.slice(0, -1), ...taken, lines.at(-1)!]), mallory.id, (value) => {
      value['replaces'] = { personaId: bob.id, root: phone.records.personas.get(bob.id)!.root }
    })
    await importSnapshot(phone, snapshot, FROM_LAPTOP)
    expect(await phone.call('contact.show', { contact: 'Bob' })).toMatchObject({ personaId: bob.id })
    expect(phone.records.personas.get(mallory.id)).not.toHaveProperty('replaces')
    expect(phone.told('contact.replaced')).toStrictEqual([])
    expect((await phone.call('device.list')).personaId).toBe(own)
  })
})

describe('a backup', () => {
  it('remembers which persona a contact replaced, so that the old one does not come back', async () => {
    const { laptop, bob, next } = await withBob()
    const again = await TestKeeper.open({ nowSec: laptop.nowSec })
    await importSnapshot(again, await snapshotOf(laptop, 'backup'), OWN_PAST)
    await again.later(100).sees(bob.key('desk'), bob.table(['pc', 'desk']), { name: 'desk' })
    expect(await again.call('contact.show', { contact: 'Bob' })).toMatchObject({ personaId: next.id })
    expect(again.records.personas.get(bob.id)).toBeUndefined()
  })

  it('brings a successor that waits, and its question', async () => {
    const { phone, bob, next } = await withBob('ask')
    await phone.call('contact.add', { link: next.link(), name: 'Robert' })
    await phone.sees(bob.key('pc'), next.last!)
    const again = await TestKeeper.open({ nowSec: phone.nowSec })
    await importSnapshot(again, await snapshotOf(phone, 'backup'), OWN_PAST)
    expect((await again.call('pending.list')).pending).toMatchObject([{ kind: 'successor', personaId: next.id }])
    expect((await again.call('contact.show', { contact: 'Robert' })).personaId).toBe(next.id)
    await again.call('pending.accept', { contact: 'Bob' })
    expect(await again.call('contact.show', { contact: 'Bob' })).toMatchObject({
      personaId: next.id,
      aliases: ['Robert'],
    })
  })
})
