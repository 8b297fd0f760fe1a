/** Announcements under attack: by a thief, a sibling in the hands of one, a full disk, and a crash between two writes. */
import { describe, expect, it } from 'vitest'
import { signForwards } from '../../../../src/core/announce/items.ts'
import { readSettings } from '../../../../src/core/announce/settings.ts'
import { EPOCHS } from '../../../../src/daemon/announce/items.ts'
import { headOf } from '../../../../src/daemon/personas/heads.ts'
import { StoreError } from '../../../../src/store/errors.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import type { Store } from '../../../../src/store/store.ts'
import { announcing, settled, SharedDht } from '../../../support/announcing.ts'
import { cutShort } from '../../../support/cut-short.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { engine } from '../../../support/person.ts'
import { confirmWords, rotates, withWords } from '../../../support/rotation.ts'
import { forged, importSnapshot, linesOf, snapshotOf } from '../../../support/snapshot.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const HOUR_MS = 3_600_000

interface Item {
  readonly isForward: boolean
  readonly seq: string
  readonly signature: string
}

/** The state of a sibling, with items of an epoch that a thief wrote. */
async function withItems(sibling: TestKeeper, twist: (items: readonly Item[]) => readonly Item[]): Promise<Uint8Array> {
  const [header, ...lines] = linesOf(await snapshotOf(sibling, 'sibling'))
  const twisted = lines.map((line) => {
    const item = JSON.parse(line) as { kind: string; of?: string; value: { items: Item[] } }
    if (item.of !== 'announced') return line
    return JSON.stringify({ ...item, value: { ...item.value, items: twist(item.value.items) } })
  })
  return forged([header!, ...twisted])
}

const BAD_SIGNATURE = '0'.repeat(128)

/** Alice announces to her contacts. */
async function alices(story: Parameters<typeof withWords>[0] = {}) {
  const dht = new SharedDht()
  const { laptop: alice, words } = await withWords(story)
  const { announcer, clock } = await announcing(alice, dht)
  await announcer.on('contacts')
  return { dht, alice, words, announcer, clock }
}

describe('a crash', () => {
  it('after the new head leaves forwards all the same, before the old key is erased', async () => {
    const { alice, words } = await alices()
    const whole = await cutShort(alice, (keeper) => rotates(keeper, words, { epoch: 1 }), {
      where: 'nowhere',
      failAt: 0,
      kind: 'dead',
    })
    expect(whole.done).toBe(true)
    const [first, end] = whole.commits
    let cuts = 0
    for (let failAt = first; failAt < end; failAt++) {
      const place = { where: 'store', failAt, kind: 'persisted' } as const
      const { after } = await cutShort(alice, (keeper) => rotates(keeper, words, { epoch: 1 }), place)
      if ((await after.call('device.list')).epoch === 0) continue
      cuts++
      expect(after.custody.epochs()).toStrictEqual([1])
      expect(
        after.keeper.onDisk
          .of(EPOCHS)
          .get('00')
          ?.items.map(({ isForward }) => isForward),
      ).toStrictEqual([true])
    }
    expect(cuts).toBeGreaterThan(0)
  })
})

describe('the time limit of the open key', () => {
  it('fails no change that made this key useless, and the unlock leaves the forward', async () => {
    const { alice, words } = await alices({ passphrase: 'correct horse' })
    const sibling = await alice.copied()
    await sibling.call('persona.unlock', { passphrase: 'correct horse' })
    await rotates(sibling, words, { epoch: 1 })
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = alice.keeper.keys.inTurn(() => promise)
    const seen = alice.sees(OWN_PHONE, await ownText(sibling))
    await settled()
    alice.later(3600)
    resolve()
    await before
    expect(await seen).toMatchObject({ personaId: alice.keeper.ownPersona().personaId })
    expect(alice.custody.isLocked).toBe(true)
    await alice.call('persona.unlock', { passphrase: 'correct horse' })
    expect(alice.custody.epochs()).toStrictEqual([])
    expect(alice.keeper.onDisk.of(EPOCHS).get('00')).toMatchObject({ items: [{ isForward: true }] })
  })
})

describe('a sibling in the hands of a thief', () => {
  it('cannot keep a rotation from leading friends on, by a forward that nobody signed', async () => {
    const { dht, alice, words, announcer } = await alices()
    const bob = await TestKeeper.open()
    await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
    const seq = String(2n ** 63n - 1n)
    const sibling = await alice.copied()
    const hostile = await withItems(sibling, (items) =>
      items.map((item) => ({ ...item, isForward: true, seq, signature: BAD_SIGNATURE })),
    )
    await importSnapshot(alice, hostile, { sibling: 'phone', withKeys: true })
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
  })

  it('cannot leave a reading key that the owner cannot replace, also while announcements are off', async () => {
    const { dht, alice, announcer } = await alices()
    await announcer.off()
    const puts = dht.asked.length
    const before = alice.keeper.own.setting('read')
    expect(await announcer.reread()).toMatchObject({ kind: null, readingKey: true })
    expect(alice.keeper.own.setting('read')).not.toEqual(before)
    expect(dht.asked.length).toBe(puts)
    const { announcer: others } = await announcing(await TestKeeper.withPersona(), dht)
    await expect(others.reread()).rejects.toMatchObject({ code: 'NOT_ANNOUNCED' })
  })

  it('cannot keep the table of a device that joins from being announced', async () => {
    const { alice } = await alices()
    const hostile = await withItems(await alice.copied(), (items) =>
      items.map((item) => ({ ...item, signature: BAD_SIGNATURE })),
    )
    const phone = await TestKeeper.open({ nowSec: alice.nowSec })
    const keys = alice.custody.signingSeeds()
    await importSnapshot(phone, hostile, { sibling: 'laptop', withKeys: true }, hostile.length, () =>
      phone.custody.importKeys(keys, null),
    )
    const dht = new SharedDht()
    const { announcer } = await announcing(phone, dht)
    expect((await announcer.now()).items).toMatchObject([{ nodes: 8, problem: null }])
  })

  it('cannot displace the items of a device whose key is locked', async () => {
    const { dht, alice } = await alices({ passphrase: 'correct horse' })
    const hostile = await withItems(await alice.copied(), (items) =>
      items.map((item) => ({ ...item, seq: String(BigInt(item.seq) + 1n), signature: BAD_SIGNATURE })),
    )
    await importSnapshot(alice, hostile, { sibling: 'phone', withKeys: true })
    const locked = await alice.reopened()
    expect(locked.custody.isLocked).toBe(true)
    dht.values.clear()
    const { announcer } = await announcing(locked, dht)
    expect((await announcer.now()).items).toMatchObject([{ nodes: 8, problem: null }])
    expect(dht.values.size).toBe(1)
  })
})

describe('a recovery from the words alone', () => {
  it('leads on a contact who knew an earlier epoch', async () => {
    const { dht, alice, words } = await alices()
    const copy = await ownText(alice)
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    await bob.sees(OWN_LAPTOP, copy, { name: 'Alice' })
    const fresh = await TestKeeper.open({ nowSec: alice.nowSec })
    await fresh.call('persona.recover', { words, copies: [copy] })
    await rotates(fresh, words, { epoch: 1, keep: ['laptop'] })
    const { announcer } = await announcing(fresh, dht)
    await announcer.on('contacts')
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
  })
})

describe('a successor', () => {
  it('announces nothing of the persona before it, and its rotations lead friends on', async () => {
    const { dht, alice, words, announcer } = await alices()
    await announcer.on('public')
    await rotates(alice.later(10), words, { epoch: 1 })
    const { plan } = await alice.call('succession.plan')
    await alice.call('succession.apply', { plan, words })
    const fresh = await confirmWords(alice)
    dht.values.clear()
    expect((await announcer.on('contacts')).items.map(({ epoch, forward }) => [epoch, forward])).toStrictEqual([
      [0, false],
    ])
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
    await rotates(alice.later(10), fresh, { epoch: 1 })
    await announcer.now()
    // The table and a forward, and none at the open place.
    expect(dht.values.size).toBe(2)
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
  })
})

/** A store on a disk that the test fills. */
function smallStore(): { store: Store; disk: { isFull: boolean } } {
  const kept = openMemoryStore()
  const disk = { isFull: false }
  const commit: Store['commit'] = (writes) =>
    disk.isFull ? Promise.reject(new StoreError('STORE_DISK_FULL', 'the disk is full')) : kept.commit(writes)
  return {
    store: { get: kept.get.bind(kept), iterate: kept.iterate.bind(kept), close: kept.close.bind(kept), commit },
    disk,
  }
}

describe('a full disk', () => {
  it('and a thief at one place keep no item from the other places', async () => {
    const { store, disk } = smallStore()
    const { dht, alice, words, announcer } = await alices({ store })
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    const head = headOf(alice.keeper.ownPersona(), { engine })!
    const { read } = readSettings(head.content.ok ? head.content.document : [])
    const draft = { blob: head, read, kind: 'contacts', removedKeys: [] } as const
    dht.values.clear()
    for (const item of signForwards(draft, head.signingKey, engine, alice.custody.signer(1)).items) await dht.put(item)
    disk.isFull = true
    await expect(announcer.now()).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
    expect(dht.values.size).toBe(2)
    disk.isFull = false
    await announcer.now()
    expect(alice.told('alarm')).toMatchObject([{ code: 'ANNOUNCEMENT_JAMMED' }])
  })

  it('does not keep the items that are signed off the DHT', async () => {
    const { store, disk } = smallStore()
    const { dht, alice, words, announcer } = await alices({ store })
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    // The next update has something to write.
    const record = alice.keeper.onDisk.of(EPOCHS).get('01')!
    const spoilt = { ...record, items: [...record.items, { ...record.items[0]!, signature: BAD_SIGNATURE }] }
    const { state } = alice.keeper
    await alice.keeper.change(() => state.stage(state.of(EPOCHS).put('01', spoilt)))
    disk.isFull = true
    dht.values.clear()
    await expect(announcer.now()).rejects.toMatchObject({ code: 'STORE_DISK_FULL' })
    expect(dht.values.size).toBe(2)
  })
})

describe('lookups', () => {
  /** Bob follows Alice, who announces. */
  async function follows() {
    const { dht, alice, announcer } = await alices()
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
    const { announcer: bobs, clock } = await announcing(bob, dht)
    return { dht, alice, announcer, bob, bobs, clock }
  }

  it('end for a contact who was blocked or forgotten while the lookup was due', async () => {
    for (const method of ['contact.block', 'contact.forget'] as const) {
      const { dht, bob, bobs, clock } = await follows()
      expect(bobs.status().following).toBe(1)
      await bob.call(method, { contact: 'Alice' })
      const asked = dht.asked.length
      await clock.advance(3 * HOUR_MS)
      expect(dht.asked.length).toBe(asked)
      expect(bobs.status().following).toBe(0)
    }
  })

  it('go on after a contact began to announce in the second after a lookup', async () => {
    const { dht, bob, clock } = await follows()
    await clock.advance(0)
    const { laptop: carol } = await withWords()
    const { announcer: carols } = await announcing(carol, new SharedDht())
    await carols.on('contacts')
    await carol.call('device.add', PHONE)
    const asked = dht.asked.length
    await bob.sees(OWN_PHONE, await ownText(carol), { name: 'Carol' })
    await clock.advance(2 * HOUR_MS)
    expect(dht.asked.length).toBeGreaterThanOrEqual(asked + 2)
  })

  it('begin within an hour for a contact whose table changed only in that it is announced', async () => {
    const { laptop: alice } = await withWords()
    const bob = await TestKeeper.open({ nowSec: alice.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
    const dht = new SharedDht()
    const { announcer: bobs, clock } = await announcing(bob, dht)
    const { announcer } = await announcing(alice, dht)
    await announcer.on('contacts')
    await bob.later(10).sees(OWN_LAPTOP, await ownText(alice))
    await clock.advance(HOUR_MS)
    expect(bobs.status().following).toBe(1)
  })
})
