/** The cards of the own persona: when they are signed, and by which keys. */
import { describe, expect, test } from 'vitest'
import { deviceTag } from '../../../../src/card/place.ts'
import { readingKey } from '../../../../src/core/announce/place.ts'
import { readSettings } from '../../../../src/core/announce/settings.ts'
import { equalBytes, formatHex, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { APP_KEYS } from '../../../../src/daemon/cards/app-keys.ts'
import { headOf } from '../../../../src/daemon/personas/heads.ts'
import type { Caller } from '../../../../src/ipc/methods/method.ts'
import { backupHandlers } from '../../../../src/daemon/snapshot/methods.ts'
import { ownOf } from '../../../../src/daemon/state/view.ts'
import { settled } from '../../../support/announcing.ts'
import { OWN_LAPTOP, TestKeeper } from '../../../support/keeper.ts'
import { entryFor, forgeCard, ownAppOf, ownCardOf, sigsOf } from '../../../support/own-cards.ts'
import { CHAT, cardOf, cardsOn, DAY_SEC, meets } from '../../../support/people-cards.ts'
import { deviceKey, engine, person } from '../../../support/person.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { hears, siblings, withWords } from '../../../support/rotation.ts'

const HOUR_MS = 3_600_000
const CALLER = {} as Caller
const TABLET = deviceKey('own tablet')

async function owner() {
  const laptop = await TestKeeper.withPersona()
  const opened = await cardsOn(laptop)
  return { laptop, ...opened }
}

describe('an identity', () => {
  test('is none without a persona', async () => {
    const { cards } = await cardsOn(await TestKeeper.open())
    expect(await cards.identity(CHAT)).toBeNull()
  })

  test('is made at first use: keys, the key for reading, and a card that lists this device under its tag', async () => {
    const { laptop, cards, changed } = await owner()
    const identity = await cards.identity(CHAT)
    const card = ownCardOf({ cards })
    const { persona } = ownOf(laptop.keeper.onDisk)!
    const head = headOf(persona, laptop.keeper)!
    const { read } = readSettings(head.content.ok ? head.content.document : [])
    const tag = deviceTag(readingKey(parseHex(persona.root)!, read, engine), parseHex(OWN_LAPTOP)!, engine)
    expect(identity?.card).toBe(card.text)
    expect(card).toMatchObject({ app: CHAT, seq: 1, prev: null, issuedAtSec: laptop.nowSec, devices: [{ tag }] })
    expect(changed).toContain(`${persona.personaId} ${CHAT}`)
    const message = new Uint8Array([1, 2, 3])
    expect(engine.verify(identity!.sign(message), message, card.devices[0]!.sig)).toBe(true)
  })

  test('is the same at the next use and after a restart, and nothing is written for it', async () => {
    const { laptop, cards } = await owner()
    const first = await cards.identity(CHAT)
    const writes = laptop.store.commits.length
    expect((await cards.identity(CHAT))?.card).toBe(first?.card)
    const again = await cardsOn(await laptop.reopened())
    expect((await again.cards.identity(CHAT))?.card).toBe(first?.card)
    expect(laptop.store.commits.length).toBe(writes)
  })

  test('has other keys for another app', async () => {
    const { cards } = await owner()
    await cards.identity(CHAT)
    await cards.identity('notes')
    expect(sigsOf(ownCardOf({ cards }))).not.toEqual(sigsOf(ownCardOf({ cards }, 'notes')))
  })

  test('is refused for more apps than a persona may have', async () => {
    const { cards } = await owner()
    for (let app = 0; app < 16; app++) await cards.identity(`app${app}`)
    await expect(cards.identity('one-more')).rejects.toMatchObject({ code: 'CARD_APPS_FULL' })
    expect(await cards.identity('app0')).not.toBeNull()
  })

  test('needs the key only to sign: while it is locked a card that is there serves until it is over', async () => {
    const { laptop } = await withWords({ passphrase: 'correct horse', engine: quickEngine })
    const { cards } = await cardsOn(laptop)
    await laptop.call('persona.lock')
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'LOCKED' })
    await laptop.call('persona.unlock', { passphrase: 'correct horse' })
    const { card } = (await cards.identity(CHAT))!
    await laptop.call('persona.lock')
    expect((await cards.identity(CHAT))?.card).toBe(card)
    laptop.later(30 * DAY_SEC)
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'LOCKED' })
    expect(cards.mine.waiting).toEqual([{ app: CHAT, due: 'time' }])
    await laptop.call('persona.unlock', { passphrase: 'correct horse' })
    await settled()
    expect(cards.mine.waiting).toEqual([])
    expect(await cards.identity(CHAT)).not.toBeNull()
  })

  test('needs the apps key', async () => {
    const { laptop } = await withWords({ passphrase: 'correct horse', engine: quickEngine })
    const first = await cardsOn(laptop)
    await first.cards.identity(CHAT)
    const { cards } = await cardsOn(await laptop.reopened())
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'APPS_LOCKED' })
  })
})

describe('after seven days', () => {
  test('the card has a new key enc of this device, and the old secret opens for 31 days more', async () => {
    const { laptop, cards, clock, sealed } = await owner()
    await cards.identity(CHAT)
    const [first] = ownCardOf({ cards }).devices
    laptop.later(7 * DAY_SEC - 1)
    await clock.advance(HOUR_MS)
    expect(ownCardOf({ cards }).seq).toBe(1)
    laptop.later(1)
    await clock.advance(HOUR_MS)
    const card = ownCardOf({ cards })
    const [second] = card.devices
    expect([card.seq, equalBytes(second!.sig, first!.sig), equalBytes(second!.enc, first!.enc)]).toEqual([
      2,
      true,
      false,
    ])
    const { old } = sealed.records.onDisk(APP_KEYS).get(CHAT)!
    expect(old.map(({ secret, untilSec }) => [engine.boxPublicKey(secret), untilSec])).toEqual([
      [first!.enc, laptop.nowSec + 31 * DAY_SEC],
    ])
    for (let week = 0; week < 5; week++) await clock.advance((laptop.later(7 * DAY_SEC), HOUR_MS))
    const later = sealed.records.onDisk(APP_KEYS).get(CHAT)!
    expect(later.old).toHaveLength(5)
    expect(later.old.some(({ secret }) => equalBytes(engine.boxPublicKey(secret), first!.enc))).toBe(false)
  })

  test('the entries of siblings stay as they are', async () => {
    const { laptop, cards, clock } = await owner()
    await laptop.call('device.add', { name: 'tablet', key: TABLET })
    await cards.identity(CHAT)
    const tablet = entryFor(laptop, TABLET)
    await cards.take(forgeCard(laptop, { seq: 2, devices: [...ownCardOf({ cards }).devices, tablet] }))
    laptop.later(7 * DAY_SEC)
    await clock.advance(HOUR_MS)
    expect(ownCardOf({ cards })).toMatchObject({ seq: 3, devices: [tablet, {}] })
  })
})

describe('two devices of one owner', () => {
  test('that sign the first card at one time end with one that lists both', async () => {
    const { laptop, phone } = await siblings()
    const [one, two] = [await cardsOn(laptop), await cardsOn(phone)]
    await one.cards.identity(CHAT)
    await hears(phone, OWN_LAPTOP, laptop)
    await two.cards.identity(CHAT)
    expect([ownCardOf(one).seq, ownCardOf(two).seq]).toEqual([1, 1])
    // Each gets the other's card, by a peer or a store, until nothing new comes.
    for (let round = 0; round < 3; round++) {
      await one.cards.take(two.cards.own(CHAT)!)
      await two.cards.take(one.cards.own(CHAT)!)
    }
    const [a, b] = [ownCardOf(one), ownCardOf(two)]
    expect([a.text === b.text, a.seq]).toEqual([true, 2])
    expect(new Set(sigsOf(a))).toEqual(new Set([ownAppOf(laptop).sig, ownAppOf(phone).sig]))
  })

  test('know each other’s entry also after the key for reading changed', async () => {
    const { laptop, cards } = await owner()
    await laptop.call('device.add', { name: 'tablet', key: TABLET })
    await cards.identity(CHAT)
    await cards.take(
      forgeCard(laptop, { seq: 2, devices: [...ownCardOf({ cards }).devices, entryFor(laptop, TABLET)] }),
    )
    const { own } = laptop.keeper
    const found = laptop.keeper.own.setting('read')
    await laptop.keeper.change(() => own.edit({ kind: 'set', key: 'read', found, value: 'A'.repeat(22) }))
    expect(ownCardOf({ cards }).devices).toHaveLength(2)
    await laptop.call('device.remove', { device: 'tablet' })
    expect(sigsOf(ownCardOf({ cards }))).toEqual([ownAppOf(laptop).sig])
  })
})

describe('a device that leaves the table', () => {
  test('leaves the cards in the same commit', async () => {
    const { laptop, cards } = await owner()
    await laptop.call('device.add', { name: 'tablet', key: TABLET })
    await cards.identity(CHAT)
    await cards.take(
      forgeCard(laptop, { seq: 2, devices: [...ownCardOf({ cards }).devices, entryFor(laptop, TABLET)] }),
    )
    await laptop.call('device.remove', { device: 'tablet' })
    expect(sigsOf(ownCardOf({ cards }))).toEqual([ownAppOf(laptop).sig])
    const commit = laptop.store.commits.findLast((writes) => writes.some(({ key }) => key.startsWith('persona/')))
    const keys = commit?.map(({ key }) => key.split('/')[0])
    expect(keys).toEqual(expect.arrayContaining(['persona', 'cards']))
  })

  test('because its owner leaves the persona there, signs a last card without itself', async () => {
    const { laptop, phone } = await siblings()
    const [one, two] = [await cardsOn(laptop), await cardsOn(phone)]
    await one.cards.identity(CHAT)
    await hears(phone, OWN_LAPTOP, laptop)
    await two.cards.take(one.cards.own(CHAT)!)
    await two.cards.identity(CHAT)
    expect(ownCardOf(two).devices).toHaveLength(2)
    const { personaId } = ownOf(phone.keeper.onDisk)!.own
    await phone.call('persona.leave')
    const last = two.cards.newest(personaId, CHAT)!
    await one.cards.take(last)
    expect(sigsOf(ownCardOf(one))).toEqual([ownAppOf(laptop).sig])
    expect(await two.cards.identity(CHAT)).toBeNull()
  })
})

describe('a card without this device', () => {
  test('that came after one with it was read back asks the owner, who can put it back', async () => {
    const { laptop, cards } = await owner()
    await cards.identity(CHAT)
    await cards.take(cards.own(CHAT)!)
    await cards.take(forgeCard(laptop, { seq: 2, devices: [] }))
    expect(ownCardOf({ cards }).devices).toEqual([])
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'CARD_TAKEN_OUT', details: { app: CHAT } })
    expect(cards.mine.waiting).toEqual([{ app: CHAT, due: 'asks' }])
    await cards.mine.rejoin(CHAT)
    expect([cards.mine.waiting, sigsOf(ownCardOf({ cards }))]).toEqual([[], [ownAppOf(laptop).sig]])
  })

  test('is no such case where nobody had seen this device in one', async () => {
    const { laptop, cards } = await owner()
    await cards.identity(CHAT)
    await cards.take(forgeCard(laptop, { seq: 2, devices: [] }))
    expect(ownCardOf({ cards })).toMatchObject({ seq: 3, devices: [{}] })
  })

  test('that is full leaves no room, and says so', async () => {
    const { laptop, cards } = await owner()
    await cards.identity('notes')
    const devices = Array.from({ length: 20 }, (_, i) => entryFor(laptop, deviceKey(`fake ${i}`)))
    await cards.take(forgeCard(laptop, { seq: 1, devices }))
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'CARD_FULL' })
  })
})

describe('a state that was put back', () => {
  test('shows no card until it is reconciled, and then new keys, while the old ones open', async () => {
    const { laptop, cards, sealed } = await owner()
    await cards.identity(CHAT)
    const before = ownCardOf({ cards })
    await laptop.keeper.change(() => laptop.keeper.own.wasCopied())
    await expect(cards.identity(CHAT)).rejects.toMatchObject({ code: 'RESTORE_UNRECONCILED' })
    await laptop.later(100).call('persona.reconcile', { force: true })
    await settled()
    const after = ownCardOf({ cards })
    expect([after.devices.length, sigsOf(after)[0] === sigsOf(before)[0]]).toEqual([1, false])
    const { old } = sealed.records.onDisk(APP_KEYS).get(CHAT)!
    expect(old.map(({ secret }) => formatHex(engine.boxPublicKey(secret)))).toEqual([formatHex(before.devices[0]!.enc)])
  })
})

test('a backup brings the cards and the keys: they open, and once the state is reconciled new ones take their place', async () => {
  const { laptop } = await withWords({ engine: quickEngine })
  const { cards, sealed } = await cardsOn(laptop)
  await cards.identity(CHAT)
  const before = ownCardOf({ cards })
  const backup = backupHandlers(laptop.keeper, sealed.arrived)
  const { backup: id, header } = await backup['backup.begin']({ passphrase: 'correct horse' }, CALLER)
  const boxes = []
  do boxes.push(await backup['backup.next']({ backup: id }, CALLER))
  while (!boxes.at(-1)!.isLast)

  const again = await TestKeeper.open({ engine: quickEngine, nowSec: laptop.nowSec + 1000 })
  const restored = await cardsOn(again)
  const restore = backupHandlers(again.keeper, restored.sealed.arrived)
  const { restore: to } = await restore['restore.begin']({ header, passphrase: 'correct horse' }, CALLER)
  for (const { box, isLast } of boxes) await restore['restore.put']({ restore: to, box, isLast }, CALLER)
  await restored.cards.idle()
  expect(ownCardOf(restored).text).toBe(before.text)
  await expect(restored.cards.identity(CHAT)).rejects.toMatchObject({ code: 'RESTORE_UNRECONCILED' })
  const keysOf = () => restored.sealed.records.onDisk(APP_KEYS).get(CHAT)!
  expect(formatHex(engine.boxPublicKey(keysOf().encSecret))).toBe(formatHex(before.devices[0]!.enc))

  await again.later(100).call('persona.reconcile', { force: true })
  await restored.cards.idle()
  const after = ownCardOf(restored)
  expect([after.seq, after.devices.length, sigsOf(after)[0] === sigsOf(before)[0]]).toEqual([2, 1, false])
  expect(keysOf().old.map(({ secret }) => formatHex(engine.boxPublicKey(secret)))).toEqual([
    formatHex(before.devices[0]!.enc),
  ])
})

describe('the methods of cards', () => {
  test('list each card with its devices, as the owner knows them', async () => {
    const { laptop, cards } = await owner()
    await laptop.call('device.add', { name: 'tablet', key: TABLET })
    await cards.identity(CHAT)
    await cards.take(
      forgeCard(laptop, { seq: 2, devices: [...ownCardOf({ cards }).devices, entryFor(laptop, TABLET)] }),
    )
    const list = async () => (await cards.handlers()['card.list']({}, CALLER)).cards
    const here = { device: 'laptop', here: true, approved: true }
    const tablet = { device: 'tablet', here: false, approved: false }
    expect(await list()).toMatchObject([{ app: CHAT, state: 'listed', seq: 2, devices: [here, tablet], stores: [] }])
    expect((await cards.checks()).map(({ code, about }) => [code, about])).toEqual([
      ['CARD_UNAPPROVED', { device: 'tablet' }],
    ])
    await laptop.call('device.approve', { device: 'tablet' })
    expect(await list()).toMatchObject([{ devices: [here, { ...tablet, approved: true }] }])
    expect((await cards.checks()).map(({ code }) => code)).toEqual(['CARDS'])
  })

  test('put this device back, and say where a card lies', async () => {
    const { laptop, cards } = await owner()
    await cards.identity(CHAT)
    await cards.take(cards.own(CHAT)!)
    await cards.take(forgeCard(laptop, { seq: 2, devices: [] }))
    expect(cards.findings()).toMatchObject([{ code: 'CARD_TAKEN_OUT', about: { app: CHAT } }])
    const { 'card.rejoin': rejoin, 'card.stores': stores } = cards.handlers()
    expect(await rejoin({ app: CHAT }, CALLER)).toMatchObject({ state: 'listed', seq: 3 })
    expect(cards.findings()).toEqual([])
    const at = ['https://relay.example/']
    expect(await stores({ app: CHAT, stores: at }, CALLER)).toMatchObject({ stores: at })
    expect(await stores({ app: CHAT, stores: [] }, CALLER)).toMatchObject({ stores: [] })
    await expect(rejoin({ app: 'notes' }, CALLER)).rejects.toMatchObject({ code: 'CARD_NONE' })
  })
})

test('the card of a contact that is over is a notice of doctor', async () => {
  const bob = await TestKeeper.open()
  const alice = person('Alice')
  await bob.sees(alice.key('laptop'), alice.table(['laptop']), { name: 'Alice' })
  const opened = await cardsOn(bob)
  await meets(bob, opened, cardOf(alice, ['laptop']))
  expect(await opened.cards.checks()).toEqual([])
  bob.later(30 * DAY_SEC)
  expect(await opened.cards.checks()).toMatchObject([{ code: 'CARD_EXPIRED', about: { contact: 'Alice' } }])
})
