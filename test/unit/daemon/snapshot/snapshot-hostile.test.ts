import { beforeEach, describe, expect, it } from 'vitest'
import { decodeBlob } from '../../../../src/core/blob.ts'
import { formatBase64url, formatHex } from '../../../../src/core/encoding/bytes.ts'
import type { Device } from '../../../../src/core/table.ts'
import { verifyBlob } from '../../../../src/core/verify.ts'
import { OWN } from '../../../../src/daemon/state/own-record.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine, person, Person, seedOf } from '../../../support/person.ts'
import { forged, linesOf, snapshotOf, importSnapshot } from '../../../support/snapshot.ts'

const FROM_PHONE = { sibling: 'phone', withKeys: true }

interface Item {
  kind: string
  id: string
  value: Record<string, unknown>
}

/** The state of a device, forged by a thief who can change and add any records. */
async function twisted(
  keeper: TestKeeper,
  twist: (item: Item) => Item | null,
  more: readonly Item[] = [],
): Promise<Uint8Array> {
  const [header, ...lines] = linesOf(await snapshotOf(keeper, 'sibling'))
  const items = lines.slice(0, -1).map((line) => twist(JSON.parse(line) as Item))
  const kept = [...items.filter((item) => item !== null), ...more].map((item) => JSON.stringify(item))
  return forged([header!, ...kept, lines.at(-1)!])
}

function ofOwner(changed: Record<string, unknown>): (item: Item) => Item {
  return (item) => (item.kind === 'own' ? { ...item, value: { ...item.value, ...changed } } : item)
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => 'done',
    (error: unknown) => (error as { code: string }).code,
  )
}

function lie(i: number): Item {
  const value = { epoch: 16, seq: i + 1, tableHash: formatHex(seedOf(`lie ${i}`)), prev: '0'.repeat(32) }
  return { kind: 'past', id: String(9_999_999_900 + i), value }
}

/** The own tables that a daemon remembers, newest last. */
async function pastOf(keeper: TestKeeper): Promise<unknown[]> {
  const tables = []
  for await (const [, table] of keeper.records.past.iterate()) tables.push(table)
  return tables
}

let laptop: TestKeeper
beforeEach(async () => {
  laptop = await TestKeeper.withPersona()
})

describe('a sibling in the hands of a thief', () => {
  it('cannot have the seed erased by claiming that the words were confirmed', async () => {
    await importSnapshot(laptop, await twisted(laptop, ofOwner({ recoveryConfirmed: true })), FROM_PHONE)
    const again = await laptop.reopened()
    expect(again.custody.hasSeed).toBe(true)
    expect((await again.call('recovery.show')).words).toHaveLength(24)
  })

  it('can report confirmed words to a device without the seed', async () => {
    const phone = await laptop.copied()
    await phone.custody.seed.erase()
    await importSnapshot(phone, await twisted(laptop, ofOwner({ recoveryConfirmed: true })), FROM_PHONE)
    expect(phone.records.own.get(OWN)!.recoveryConfirmed).toBe(true)
  })

  it('cannot make every rotation fail by a setting that no document can hold', async () => {
    const hostile = await twisted(laptop, ofOwner({ settings: { announce: '\ud800' } }))
    expect(await codeOf(importSnapshot(await TestKeeper.open(), hostile, FROM_PHONE))).toBe('SNAPSHOT_DAMAGED')
  })

  it('cannot use up the epochs by naming one without a signature', async () => {
    const hostile = await twisted(laptop, ofOwner({ highestEpoch: 16 }))
    await importSnapshot(laptop, hostile, FROM_PHONE)
    expect(await laptop.call('rotation.plan', { epoch: 1 })).toMatchObject({ epoch: 1 })
    const fresh = await TestKeeper.open()
    await importSnapshot(fresh, hostile, FROM_PHONE)
    expect(await fresh.call('rotation.plan', { epoch: 1 })).toMatchObject({ epoch: 1 })
  })

  it('cannot use up the epochs by a chain of their own, sent as evidence of an old table', async () => {
    const { seed } = laptop.custody.signingSeeds()[0]!
    const others = Array.from({ length: 16 }, (_, i) => engine.signKeyPair(seedOf(`thief ${i}`)))
    const thief = new Person('thief', [engine.signKeyPair(seed), ...others]).rotate(16)
    const { blob, epoch, seq, hash } = thief.table(['pc'])
    const root = formatHex(verifyBlob(decodeBlob(blob), engine).root)
    const piece = { epoch, seq, tableHash: hash, root, seenAtSec: 1, blob: formatBase64url(blob) }
    const saying = (kind: string): Promise<Uint8Array> =>
      twisted(laptop, (item) =>
        item.kind === 'persona' ? { ...item, value: { ...item.value, evidence: [{ kind, ...piece }] } } : item,
      )
    expect(await codeOf(importSnapshot(laptop, await saying('stale'), FROM_PHONE))).toBe('SNAPSHOT_INVALID')
    await importSnapshot(laptop, await saying('violation'), FROM_PHONE)
    expect(await laptop.call('rotation.plan', { epoch: 1 })).toMatchObject({ epoch: 1 })
  })

  it('cannot displace the own tables that this device remembers, now or by later tables', async () => {
    const key = deviceKey('phone')
    await laptop.call('device.add', { name: 'phone', key })
    const known = await pastOf(laptop)
    expect(known.length).toBe(2)
    const lies = Array.from({ length: 64 }, (_, i) => lie(i))
    const hostile = await twisted(laptop, (item) => (item.kind === 'past' ? null : item), lies)
    await importSnapshot(laptop, hostile, FROM_PHONE)
    expect(await pastOf(laptop)).toStrictEqual([...lies.slice(2).map(({ value }) => value), ...known])
    await laptop.call('device.rename', { device: key, name: 'tablet' })
    expect((await pastOf(laptop)).slice(0, -1)).toStrictEqual([...lies.slice(3).map(({ value }) => value), ...known])
  })

  it('cannot send more own tables than a device keeps', async () => {
    const lies = Array.from({ length: 64 }, (_, i) => lie(i))
    expect(await codeOf(importSnapshot(laptop, await twisted(laptop, (item) => item, lies), FROM_PHONE))).toBe(
      'SNAPSHOT_DAMAGED',
    )
  })

  it('cannot add a device that a contact never signed', async () => {
    const bob = person('bob')
    await laptop.sees(bob.key('pc'), bob.table(['pc', 'phone']), { name: 'Bob' })
    const evil: Device = { name: 'tablet', key: deviceKey('evil') }
    const pending = { tableHash: bob.last!.hash, sinceSec: 1, rejected: true }
    const saw = { source: 'owner', token: { atSec: laptop.nowSec, personaId: bob.id, lists: true }, bare: null }
    const record = { reports: [saw], bound: bob.id, left: null, claimedBy: [bob.id], entry: null, pending: null }
    const hostile = await twisted(
      laptop,
      (item) =>
        item.id === bob.id ? { ...item, value: { ...item.value, pending, devices: [evil, bob.device('pc')] } } : item,
      [{ kind: 'device', id: evil.key, value: { ...record, seenAtSec: laptop.nowSec, heardAtSec: 0 } }],
    )
    const fresh = await TestKeeper.open({ nowSec: laptop.nowSec })
    await importSnapshot(fresh, hostile, FROM_PHONE)
    const { devices, claims, active } = await fresh.call('contact.show', { contact: 'Bob' })
    expect([...devices, ...claims].map(({ key }) => key)).toStrictEqual([bob.key('pc')])
    expect(active).toBe(bob.key('pc'))
  })

  it('cannot replace or silence the alarms of this device, nor bring intents', async () => {
    const alarm = { code: 'FORK', personaId: null, keys: [], message: 'pay me', sinceSec: 1, lastSec: 1, count: 1 }
    const brought = [
      { kind: 'alarm', id: 'abcdef01', value: { ...alarm, dueSec: 2 ** 40 } },
      {
        kind: 'intent',
        id: '0000000001',
        value: {
          id: '0000000001',
          edit: { kind: 'remove', key: deviceKey('x') },
          atSec: 1,
          published: null,
        },
      },
    ]
    for (const item of brought) {
      const hostile = await twisted(laptop, (each) => each, [item])
      expect(await codeOf(importSnapshot(laptop, hostile, FROM_PHONE))).toBe('SNAPSHOT_DAMAGED')
    }
    expect((await laptop.call('alarm.list')).alarms).toStrictEqual([])
  })

  it('cannot take away a friend without a persona by binding their device to the owner or to a contact', async () => {
    const [bob, carol] = [person('bob'), person('carol')]
    await laptop.sees(bob.key('pc'), bob.table(['pc']), { name: 'Bob' })
    await laptop.sees(carol.key('pc'), 'no persona yet', { name: 'Carol' })
    const { personaId } = laptop.records.own.get(OWN)!
    for (const bound of [personaId, bob.id]) {
      const hostile = await twisted(laptop, (item) =>
        item.id === carol.key('pc') ? { ...item, value: { ...item.value, bound, entry: null } } : item,
      )
      await importSnapshot(laptop, hostile, FROM_PHONE)
      expect(await laptop.call('contact.show', { contact: 'Carol' })).toMatchObject({
        kind: 'provisional',
        active: carol.key('pc'),
      })
    }
  })

  it('cannot stop the daemon forever by a name that no key of the store can hold', async () => {
    const record = {
      reports: [],
      bound: null,
      left: null,
      claimedBy: [],
      pending: null,
      seenAtSec: null,
      heardAtSec: 0,
    }
    const called = (name: string): Item => ({
      kind: 'device',
      id: deviceKey('stranger'),
      value: { ...record, entry: { name, aliases: [], policy: 'auto', blocked: false, createdSec: 1 } },
    })
    // Three bytes of UTF-8 become five when folded.
    const hostile = await twisted(laptop, (item) => item, [called('\u1F80'.repeat(160))])
    expect(await codeOf(importSnapshot(laptop, hostile, FROM_PHONE))).toBe('SNAPSHOT_DAMAGED')
    const longest = '\u1F80'.repeat(64)
    await importSnapshot(laptop, await twisted(laptop, (item) => item, [called(`${longest}#2`)]), FROM_PHONE)
    expect(await (await laptop.reopened()).call('lookup', { query: deviceKey('stranger') })).toMatchObject({
      contact: { name: `${longest}#2` },
    })
  })

  it('cannot move a friend, or an unknown device, to a persona by reports that it invents', async () => {
    const [bob, mallory] = [deviceKey('bob'), person('mallory')]
    const stranger = deviceKey('stranger')
    await laptop.sees(bob, 'brb', { name: 'Bob' })
    await laptop.later(1000).sees(mallory.key('pc'), mallory.table(['pc']), { name: 'Mallory' })
    const listed = [mallory.device('pc'), { name: 'x', key: bob }, { name: 'y', key: stranger }]
    await laptop.later(100).sees(mallory.key('pc'), mallory.table(listed))
    const { root } = laptop.records.personas.get(mallory.id)!
    const token = { atSec: laptop.nowSec + 10, personaId: mallory.id, lists: true, root }
    const invented = { reports: [{ source: 'live', token, bare: null }], bound: mallory.id, left: null, claimedBy: [] }
    const rest = { entry: null, pending: null, seenAtSec: laptop.nowSec, heardAtSec: 0 }
    const lies = [bob, stranger].map((id) => ({ kind: 'device', id, value: { ...invented, ...rest } }))
    const isLie = ({ kind, id }: Item): boolean => kind === 'device' && lies.some((each) => each.id === id)
    const hostile = await twisted(laptop, (item) => (isLie(item) ? null : item), lies)
    await importSnapshot(laptop.later(60), hostile, FROM_PHONE)
    // Nor does it when the persona's next table has its devices judged again.
    await laptop.later(60).sees(mallory.key('pc'), mallory.table([...listed, 'tv']))
    const bobs = { kind: 'provisional', personaId: null, active: bob }
    expect((await laptop.call('lookup', { query: 'Bob' })).contact).toMatchObject(bobs)
    const { devices } = await laptop.call('contact.show', { contact: 'Mallory' })
    expect(devices.map(({ key }) => key)).toStrictEqual([mallory.key('pc')])
    expect((await laptop.call('alarm.list')).alarms).toMatchObject([{ code: 'DEVICE_CONTESTED' }])
  })

  it('cannot say that the owner compared a number here, nor raise the least epoch of a contact', async () => {
    const [bob, eve] = [person('bob'), person('eve')]
    await laptop.sees(bob.key('phone'), bob.table(['phone']), { name: 'Bob' })
    const phone = await laptop.copied(deviceKey('own phone'))
    await phone.sees(eve.key('pc'), eve.table(['pc']), { name: 'Eve' })
    const isContact = ({ kind, id }: Item): boolean => kind === 'persona' && [bob.id, eve.id].includes(id)
    const more = { minEpoch: 16, verifiedAtSec: laptop.nowSec }
    const hostile = await twisted(phone, (item) =>
      isContact(item) ? { ...item, value: { ...item.value, ...more } } : item,
    )
    await importSnapshot(laptop, hostile, FROM_PHONE)
    for (const { id } of [bob, eve])
      expect(laptop.records.personas.get(id)).toMatchObject({ minEpoch: 0, verifiedAtSec: null, epoch: 0 })
    await laptop.later(60).sees(bob.key('phone'), bob.table(['phone', 'laptop']))
    expect(laptop.records.personas.get(bob.id)).toMatchObject({ seq: 2 })
  })

  it('cannot make a joining device refuse the owner’s tables', async () => {
    const personaId = laptop.keeper.table().personaId
    const hostile = await twisted(laptop, (item) =>
      item.id === personaId ? { ...item, value: { ...item.value, minEpoch: 9 } } : item,
    )
    const fresh = await TestKeeper.open()
    await importSnapshot(fresh, hostile, FROM_PHONE)
    expect(fresh.records.personas.get(personaId)!.minEpoch).toBe(0)
  })

  it('cannot bring a pending change of a contact without a table', async () => {
    const bob = person('bob')
    await laptop.call('contact.add', { link: bob.link(), name: 'Bob' })
    const pending = { tableHash: '0'.repeat(64), sinceSec: 1, rejected: false }
    const hostile = await twisted(laptop, (item) =>
      item.id === bob.id ? { ...item, value: { ...item.value, pending } } : item,
    )
    const fresh = await TestKeeper.open()
    expect(await codeOf(importSnapshot(fresh, hostile, FROM_PHONE))).toBe('SNAPSHOT_INVALID')
    expect((await fresh.call('pending.list')).pending).toStrictEqual([])
  })
})
