/** Announcements between daemons that never meet: only the DHT carries their tables. */
import { describe, expect, it } from 'vitest'
import { signForwards, signItems } from '../../../../src/core/announce/items.ts'
import { readSettings } from '../../../../src/core/announce/settings.ts'
import { headOf } from '../../../../src/daemon/personas/heads.ts'
import { announcing, SharedDht } from '../../../support/announcing.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { deviceKey, engine } from '../../../support/person.ts'
import { confirmWords, hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

const PHONE = { name: 'phone', key: OWN_PHONE }
const TABLET = { name: 'tablet', key: deviceKey('own tablet') }
const HOUR_MS = 3_600_000

/** Alice announces; Bob has seen her table once. */
async function story() {
  const dht = new SharedDht()
  const { laptop: alice, words } = await withWords()
  const { announcer, clock } = await announcing(alice, dht)
  await announcer.on('contacts')
  const bob = await TestKeeper.open()
  await bob.sees(OWN_LAPTOP, await ownText(alice), { name: 'Alice' })
  return { dht, alice, words, announcer, clock, bob }
}

async function devicesOf(test: TestKeeper, name: string): Promise<string[]> {
  const contact = await test.call('contact.show', { contact: name })
  return [...contact.devices, ...contact.claims].map((device) => device.name)
}

describe('an announced table', () => {
  it('reaches a contact whose daemon was off, as an unconfirmed device, and changes nothing else', async () => {
    const { dht, alice, announcer, bob } = await story()
    await alice.later(10).call('device.add', PHONE)
    await announcer.now()
    const { announcer: bobs } = await announcing(bob.later(20), dht)
    expect(await bobs.refresh('Alice')).toEqual({
      contacts: [{ name: 'Alice', items: 1, changed: true, announced: true, problem: null }],
    })
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop', 'phone'])
    const { devices } = await bob.call('contact.show', { contact: 'Alice' })
    expect(devices.map(({ name }) => name)).toEqual(['laptop'])
    expect(bob.told('device.added')).toMatchObject([{ contact: 'Alice', device: { name: 'phone' } }])
  })

  it('waits for an answer under the policy ask', async () => {
    const { dht, alice, announcer, bob } = await story()
    await bob.call('contact.policy', { contact: 'Alice', policy: 'ask' })
    await alice.later(10).call('device.add', PHONE)
    await announcer.now()
    const { announcer: bobs } = await announcing(bob.later(20), dht)
    await bobs.refresh(null)
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop'])
    expect((await bob.call('pending.list')).pending).toMatchObject([{ contact: 'Alice' }])
  })

  it('is put at once after an edit, and again each hour', async () => {
    const { dht, alice, announcer, clock } = await story()
    const puts = (): number => dht.asked.length
    const before = puts()
    await alice.later(10).call('device.add', PHONE)
    await clock.advance(0)
    expect(puts()).toBeGreaterThan(before)
    const once = puts()
    await clock.advance(HOUR_MS - 1)
    expect(puts()).toBe(once)
    await clock.advance(1)
    expect(puts()).toBe(once + 1)
    expect(announcer.status().items).toMatchObject([{ epoch: 0, forward: false, nodes: 8, problem: null }])
  })

  it('is found by no stranger who knows the PersonaID alone, and by nobody at the old place after reread', async () => {
    const { dht, alice, announcer, bob } = await story()
    const { announcer: bobs } = await announcing(bob, dht)
    await announcer.reread()
    await alice.later(10).call('device.add', PHONE)
    await announcer.now()
    await bobs.refresh('Alice')
    // Bob has not seen the new reading key in a status message.
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop'])
    await bob.later(20).sees(OWN_LAPTOP, await ownText(alice))
    await alice.later(30).call('device.add', TABLET)
    await announcer.now()
    await bobs.refresh('Alice')
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop', 'phone', 'tablet'])
  })

  it('stays on the DHT while the signing key is locked, also after a restart', async () => {
    const dht = new SharedDht()
    const { laptop: alice } = await withWords({ passphrase: 'correct horse' })
    const { announcer } = await announcing(alice, dht)
    await announcer.on('contacts')
    dht.values.clear()
    const again = await alice.reopened()
    expect(again.custody.isLocked).toBe(true)
    const { announcer: locked, clock } = await announcing(again, dht)
    await clock.advance(0)
    expect(dht.values.size).toBe(1)
    expect(locked.status()).toMatchObject({ kind: 'contacts', waitsForKey: false, items: [{ nodes: 8 }] })
  })

  it('is changed by nobody while the signing key is locked, and a table that a sibling made waits for the key', async () => {
    const dht = new SharedDht()
    const { laptop } = await withWords({ passphrase: 'correct horse' })
    const { announcer } = await announcing(laptop, dht)
    await announcer.on('contacts')
    const sibling = await laptop.copied(OWN_PHONE)
    await sibling.call('persona.unlock', { passphrase: 'correct horse' })
    await laptop.call('persona.lock')
    await expect(announcer.off()).rejects.toMatchObject({ code: 'LOCKED' })
    await expect(announcer.reread()).rejects.toMatchObject({ code: 'LOCKED' })
    await sibling.later(10).call('device.add', PHONE)
    await hears(laptop, OWN_PHONE, sibling)
    expect((await announcer.now()).waitsForKey).toBe(true)
    await laptop.call('persona.unlock', { passphrase: 'correct horse' })
    expect((await announcer.now()).waitsForKey).toBe(false)
  })

  it('is not put any more after off, and not before on', async () => {
    const { dht, announcer, clock } = await story()
    await announcer.off()
    const puts = dht.asked.length
    await clock.advance(3 * HOUR_MS)
    expect(dht.asked.length).toBe(puts)
    expect(announcer.status()).toMatchObject({ kind: null, items: [] })
    await expect(announcer.now()).rejects.toMatchObject({ code: 'NOT_ANNOUNCED' })
  })

  it('is the same item on each of the owner’s devices', async () => {
    const dht = new SharedDht()
    const { laptop, phone } = await siblings()
    const { announcer } = await announcing(laptop, dht)
    await announcer.on('public')
    await hears(phone, OWN_LAPTOP, laptop)
    const before = [...dht.values].map(([place, { seq, signature }]) => [place, seq, signature])
    expect(before).toHaveLength(2)
    dht.values.clear()
    const { announcer: other } = await announcing(phone, dht)
    await other.now()
    expect([...dht.values].map(([place, { seq, signature }]) => [place, seq, signature])).toEqual(before)
  })

  it('reports a network that fails, and tries again', async () => {
    const { dht, announcer, clock, alice } = await story()
    dht.failure = new Error('no node answers')
    await alice.later(10).call('device.add', PHONE)
    await clock.advance(0)
    expect(announcer.status().items).toMatchObject([{ nodes: null, problem: 'no node answers' }])
    expect(announcer.findings()).toMatchObject([{ code: 'ANNOUNCE_FAILED' }])
    dht.failure = null
    await clock.advance(60_000)
    expect(announcer.status().items).toMatchObject([{ nodes: 8, problem: null }])
  })
})

describe('a rotation', () => {
  it('leads a contact who knew epoch 0 to epoch 2', async () => {
    const { dht, alice, words, announcer, bob } = await story()
    await rotates(alice.later(10), words, { epoch: 1 })
    await rotates(alice.later(10), words, { epoch: 2 })
    await alice.call('device.add', PHONE)
    await announcer.now()
    expect(announcer.status().items.map(({ epoch, forward }) => [epoch, forward])).toEqual([
      [2, false],
      [1, true],
      [0, true],
    ])
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 2 })
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop', 'phone'])
    expect((await bob.call('status')).findings.map(({ code }) => code)).not.toContain('ANNOUNCEMENT_JAMMED')
  })

  it('signs the forwards of all earlier epochs, also while announcements are off, and they go into a backup', async () => {
    const { laptop: alice, words } = await withWords()
    const dht = new SharedDht()
    const { announcer } = await announcing(alice, dht)
    await rotates(alice, words, { epoch: 3 })
    expect(dht.asked).toEqual([])
    await announcer.on('contacts')
    expect(announcer.status().items.map(({ epoch, forward }) => [epoch, forward])).toEqual([
      [3, false],
      [2, true],
      [1, true],
      [0, true],
    ])
  })
})

describe('a succession', () => {
  it('goes on announcing, puts no item of the persona before, and its first rotation leads contacts on', async () => {
    const { dht, alice, words, announcer, bob } = await story()
    await rotates(alice.later(10), words, { epoch: 2 })
    await bob.sees(OWN_LAPTOP, await ownText(alice))
    await announcer.now()
    const { plan } = await alice.call('succession.plan', {})
    await alice.later(10).call('succession.apply', { plan, words })
    await announcer.now()
    expect(announcer.status()).toMatchObject({ kind: 'contacts' })
    expect(announcer.status().items.map(({ epoch, forward }) => [epoch, forward])).toEqual([[0, false]])
    await bob.later(100).sees(OWN_LAPTOP, await ownText(alice))
    const fresh = (await alice.call('recovery.show')).words.join(' ')
    await confirmWords(alice)
    await rotates(alice.later(10), fresh, { epoch: 1 })
    await alice.call('device.add', PHONE)
    await announcer.now()
    expect(announcer.status().items.map(({ epoch, forward }) => [epoch, forward])).toEqual([
      [1, false],
      [0, true],
    ])
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
    expect(await devicesOf(bob, 'Alice')).toEqual(['laptop', 'phone'])
  })
})

describe('a thief of the signing key', () => {
  it('who closes the place of an epoch first gives both sides a proof, and the status message still brings the new epoch', async () => {
    const { dht, alice, words, announcer, bob } = await story()
    // The thief signs an item with the highest seq, which no later one can replace.
    const head = headOf(alice.keeper.ownPersona(), { engine })!
    const { read } = readSettings(head.content.ok ? head.content.document : [])
    const sign = alice.custody.signer(0)
    const draft = { blob: head, read, kind: 'contacts', removedKeys: [] } as const
    const { items } = signForwards(draft, head.signingKey, engine, sign)
    for (const item of items) await dht.put(item)
    await rotates(alice.later(10), words, { epoch: 1 })
    await announcer.now()
    expect(alice.told('alarm')).toMatchObject([{ code: 'ANNOUNCEMENT_JAMMED' }])
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    expect(bob.told('alarm')).toMatchObject([{ code: 'ANNOUNCEMENT_JAMMED' }])
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 0 })
    await bob.sees(OWN_LAPTOP, await ownText(alice))
    expect(await bob.call('contact.show', { contact: 'Alice' })).toMatchObject({ epoch: 1 })
  })

  it('cannot make an announcement confirm a device', async () => {
    const { dht, alice, bob } = await story()
    const thief = await alice.copied()
    await thief.later(10).call('device.add', { name: 'stolen', key: deviceKey('stolen') })
    const head = headOf(thief.keeper.ownPersona(), { engine })!
    const { read } = readSettings(head.content.ok ? head.content.document : [])
    const { items } = signItems(
      { blob: head, read, kind: 'contacts', removedKeys: [] },
      engine,
      thief.custody.signer(0),
    )
    for (const item of items) await dht.put(item)
    const { announcer: bobs } = await announcing(bob.later(100), dht)
    await bobs.refresh('Alice')
    const { devices, claims } = await bob.call('contact.show', { contact: 'Alice' })
    expect([devices.map(({ name }) => name), claims.map(({ name }) => name)]).toEqual([['laptop'], ['stolen']])
  })
})

describe('lookups', () => {
  it('ask for each contact who announces, hourly, one a second, and for nobody else', async () => {
    const dht = new SharedDht()
    const bob = await TestKeeper.open()
    for (let n = 0; n < 5; n++) {
      const { laptop: friend } = await withWords()
      const { announcer } = await announcing(friend, n < 4 ? new SharedDht() : null)
      if (n < 4) await announcer.on('contacts')
      await bob.sees(OWN_LAPTOP, await ownText(friend), { name: `f${n}` })
    }
    const { announcer, clock } = await announcing(bob, dht)
    expect(announcer.status().following).toBeGreaterThan(0)
    const { following } = announcer.status()
    await clock.advance(0)
    expect(dht.asked.length).toBe(1)
    await clock.advance(1000 * following)
    expect(dht.asked.length).toBe(following)
    await clock.advance(HOUR_MS)
    expect(dht.asked.length).toBe(2 * following)
  })

  it('need bootstrap nodes', async () => {
    const { announcer } = await announcing(await TestKeeper.withPersona(), null)
    await expect(announcer.refresh(null)).rejects.toMatchObject({ code: 'NET_NOT_CONFIGURED' })
    await expect(announcer.on('contacts')).rejects.toMatchObject({ code: 'NET_NOT_CONFIGURED' })
  })

  it('that are off for a proxy, or by the configuration, name the setting', async () => {
    const keeper = await TestKeeper.withPersona()
    const { announcer: proxied } = await announcing(keeper, null)
    await expect(proxied.on('contacts')).rejects.toThrow('(net.proxy)')
    await expect(proxied.refresh(null)).rejects.toThrow('(net.proxy)')
    const { announcer: off } = await announcing(keeper, new SharedDht(), false)
    await expect(off.refresh(null)).rejects.toThrow(
      'this daemon looks nobody up: its configuration turns lookups off (announce.lookups)',
    )
  })
})
