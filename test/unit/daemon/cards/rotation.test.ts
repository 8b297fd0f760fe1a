/** A rotation and the cards: they go to disk together, and shut a thief of the old key out of all apps. */
import { describe, expect, test } from 'vitest'
import type { CardEntry } from '../../../../src/card/card.ts'
import { verifyCard } from '../../../../src/card/verify.ts'
import { decodeUtf8, formatHex } from '../../../../src/core/encoding/bytes.ts'
import { CARDS, type CardsRecord } from '../../../../src/daemon/cards/kept/records.ts'
import { ownOf } from '../../../../src/daemon/state/view.ts'
import { settled } from '../../../support/announcing.ts'
import { OWN_LAPTOP, OWN_PHONE, ownText, TestKeeper } from '../../../support/keeper.ts'
import { entryFor, forgeCard, ownAppOf, ownCardOf, sigsOf } from '../../../support/own-cards.ts'
import { CHAT, cardsOn, judged, meets, type TestCards } from '../../../support/people-cards.ts'
import { deviceKey, engine } from '../../../support/person.ts'
import { hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

const TABLET = deviceKey('own tablet')
const EPOCH = { epoch: 1 }

function idOf(test: TestKeeper): string {
  return ownOf(test.keeper.onDisk)!.own.personaId
}

/** Alice's laptop, and her phone, which a thief has. */
async function robbed(): Promise<{
  laptop: TestKeeper
  phone: TestKeeper
  words: string
  one: TestCards
  two: TestCards
}> {
  const { laptop, phone, words } = await siblings()
  const [one, two] = [await cardsOn(laptop), await cardsOn(phone)]
  await one.cards.identity(CHAT)
  await hears(phone, OWN_LAPTOP, laptop)
  await two.cards.take(one.cards.own(CHAT)!)
  await two.cards.identity(CHAT)
  await one.cards.take(two.cards.own(CHAT)!)
  // Each reads it back, so each would notice if somebody took it out.
  for (const { cards } of [one, two]) await cards.take(cards.own(CHAT)!)
  expect(ownCardOf(one).devices).toHaveLength(2)
  return { laptop, phone, words, one, two }
}

describe('the phone is stolen', () => {
  test('and removed as lost: its channels stop at every peer who gets the new card, and its old card opens nothing', async () => {
    const { laptop, phone, words, one, two } = await robbed()
    const bob = await TestKeeper.open({ nowSec: laptop.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
    const bobs = await cardsOn(bob)
    const [alice, laptopSig, phoneSig] = [idOf(laptop), ownAppOf(laptop).sig, ownAppOf(phone).sig]
    const standings = (): string[] =>
      [laptopSig, phoneSig].map((sig) => bobs.cards.standing(alice, CHAT, Buffer.from(sig, 'hex')))
    const stolen = two.cards.own(CHAT)!
    expect(judged(bobs.cards.judge, stolen)).toBe(2)
    await meets(bob, bobs, stolen)
    expect(standings()).toEqual(['listed', 'listed'])
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['phone'] })
    await bobs.cards.take(one.cards.own(CHAT)!)
    expect(standings()).toEqual(['listed', 'unlisted'])
    expect(judged(bobs.cards.judge, stolen)).toBeNull()
    // The thief signs as many cards as they like with the key that they have.
    for (const seq of [3, 400, 65_000]) {
      const forged = forgeCard(phone, { seq, devices: ownCardOf(two).devices })
      expect(judged(bobs.cards.judge, forged)).toBeNull()
      await bobs.cards.take(forged)
      await one.cards.take(forged)
    }
    expect(standings()).toEqual(['listed', 'unlisted'])
    expect(sigsOf(ownCardOf(one))).toEqual([laptopSig])
  })

  test('and the peer sees only the new table: no card of the old epoch is good any more', async () => {
    const { laptop, words, two } = await robbed()
    const bob = await TestKeeper.open({ nowSec: laptop.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
    const bobs = await cardsOn(bob)
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['phone'] })
    await bob.later(200).sees(OWN_LAPTOP, await ownText(laptop))
    expect(judged(bobs.cards.judge, two.cards.own(CHAT)!)).toBeNull()
  })
})

describe('a rotation', () => {
  test('puts the table and the cards of all apps into one commit', async () => {
    const { laptop, words, one } = await robbed()
    await one.cards.identity('notes')
    const before = laptop.store.commits.length
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['phone'] })
    const commits = laptop.store.commits.slice(before).map((writes) => writes.map(({ key }) => key))
    const withTable = commits.filter((keys) => keys.includes(`persona/${idOf(laptop)}`))
    expect(withTable[0]).toContain(`cards/${idOf(laptop)}`)
    for (const app of [CHAT, 'notes']) expect(ownCardOf(one, app)).toMatchObject({ chain: { epoch: 1 }, devices: [{}] })
  })

  test('that fails signs no card', async () => {
    const { laptop, one } = await robbed()
    const card = one.cards.own(CHAT)
    const plan = (await laptop.call('rotation.plan', EPOCH)).plan
    const words = `${'abandon '.repeat(23)}art`
    await expect(laptop.call('rotation.apply', { ...EPOCH, plan, words })).rejects.toMatchObject({
      code: 'WORDS_FOREIGN',
    })
    expect(one.cards.own(CHAT)).toBe(card)
  })

  test('also ends the cards of apps that only the stolen device used', async () => {
    const { laptop, phone, words, one, two } = await robbed()
    await two.cards.identity('notes')
    await one.cards.take(two.cards.own('notes')!)
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['phone'] })
    expect(ownCardOf(one, 'notes')).toMatchObject({ chain: { epoch: 1 }, devices: [] })
    expect(ownAppOf(phone, 'notes').sig).toHaveLength(64)
  })

  test('takes along the entry of a device that was approved here, with the keys that were approved', async () => {
    const { laptop, one, tablet, words } = await withTablet()
    await laptop.call('device.approve', { device: 'tablet' })
    await rotates(laptop.later(100), words, EPOCH)
    expect(sigsOf(ownCardOf(one))).toEqual([formatHex(tablet.sig), ownAppOf(laptop).sig])
  })

  test('leaves out an entry that nobody approved here', async () => {
    const { laptop, one, words } = await withTablet()
    await rotates(laptop.later(100), words, EPOCH)
    expect(sigsOf(ownCardOf(one))).toEqual([ownAppOf(laptop).sig])
  })

  test('takes no key of a thief along that stands under the tag of an approved device', async () => {
    const { laptop, one, tablet, words } = await withTablet()
    await laptop.call('device.approve', { device: 'tablet' })
    const thiefs = entryFor(laptop, TABLET, 'thief')
    const own = ownCardOf(one).devices.filter(({ sig }) => formatHex(sig) === ownAppOf(laptop).sig)
    await one.cards.take(forgeCard(laptop, { seq: 9, devices: [...own, thiefs], stores: ['https://thief.example/'] }))
    await rotates(laptop.later(100), words, EPOCH)
    const card = ownCardOf(one)
    expect(card.devices).toContainEqual({ ...tablet, tag: thiefs.tag })
    expect(sigsOf(card)).not.toContain(formatHex(thiefs.sig))
    expect(card.stores).toEqual([])
  })

  test('takes an approved device along only if it stays in the table', async () => {
    const { laptop, one, words } = await withTablet()
    await laptop.call('device.approve', { device: 'tablet' })
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['tablet'] })
    expect(sigsOf(ownCardOf(one))).toEqual([ownAppOf(laptop).sig])
  })

  test('of a state that was put back lists no key that a copy of it may have', async () => {
    const { laptop, one, words } = await withTablet()
    const { sig } = ownAppOf(laptop)
    await laptop.keeper.change(() => laptop.keeper.own.wasCopied())
    const before = laptop.store.commits.length
    await rotates(laptop.later(100), words, EPOCH)
    await one.cards.idle()
    const written = laptop.store.commits.slice(before).flat()
    const texts = written.flatMap(({ key, value }) =>
      key.startsWith('cards/') ? [decodeUtf8(value!.subarray(1))!] : [],
    )
    const cards = texts.flatMap((text) =>
      (JSON.parse(text) as CardsRecord).cards.map((card) => verifyCard(card.text, engine)),
    )
    expect(cards.map(({ chain, devices }) => [chain.epoch, devices.length])).toEqual([
      [1, 0],
      [1, 1],
    ])
    expect(cards.flatMap(sigsOf)).not.toContain(sig)
    expect((await one.cards.identity(CHAT))?.card).toBe(cards.at(-1)!.text)
  })

  test('of a device that uses no app ends the cards all the same', async () => {
    const { laptop, words } = await withWords()
    await laptop.call('device.add', { name: 'phone', key: OWN_PHONE })
    const phone = await laptop.copied(OWN_PHONE)
    const [one, two] = [await cardsOn(laptop), await cardsOn(phone)]
    await two.cards.identity(CHAT)
    await hears(laptop, OWN_PHONE, phone)
    await one.cards.take(two.cards.own(CHAT)!)
    await rotates(laptop.later(100), words, { ...EPOCH, without: ['phone'] })
    expect(ownCardOf(one)).toMatchObject({ chain: { epoch: 1 }, devices: [] })
  })

  test('writes nothing about cards where there are none', async () => {
    const { laptop, words } = await withWords()
    await cardsOn(laptop)
    await rotates(laptop.later(100), words, EPOCH)
    expect(laptop.keeper.onDisk.of(CARDS).get(idOf(laptop))).toBeUndefined()
    const keys = laptop.store.commits.flatMap((writes) => writes.map(({ key }) => key.split('/')[0]))
    expect(keys).not.toContain('cardown')
  })
})

describe('another device of the owner', () => {
  test('signs nothing once the key was rotated elsewhere, and adds itself again once it has the new key', async () => {
    const { laptop, phone, words, one, two } = await robbed()
    await rotates(laptop.later(100), words, EPOCH)
    await hears(phone.later(100), OWN_LAPTOP, laptop)
    await two.cards.take(one.cards.own(CHAT)!)
    await expect(two.cards.identity(CHAT)).rejects.toMatchObject({ code: 'KEY_SUPERSEDED' })
    expect(two.cards.own(CHAT)).toBe(one.cards.own(CHAT))
    await phone.call('rotation.follow', { words })
    await settled()
    expect(new Set(sigsOf(ownCardOf(two)))).toEqual(new Set([ownAppOf(laptop).sig, ownAppOf(phone).sig]))
    expect((await two.cards.identity(CHAT))?.card).toBe(two.cards.own(CHAT))
  })
})

test('a successor goes on with the keys of this device in its own cards', async () => {
  const { laptop, words } = await withWords()
  const { cards } = await cardsOn(laptop)
  await cards.identity(CHAT)
  const [before, old] = [ownCardOf({ cards }), idOf(laptop)]
  const { plan } = await laptop.call('succession.plan')
  await laptop.later(100).call('succession.apply', { plan, words })
  const after = ownCardOf({ cards })
  expect(idOf(laptop)).not.toBe(old)
  expect([after.chain.epoch, after.seq, sigsOf(after)]).toEqual([0, 1, sigsOf(before)])
  expect((await cards.identity(CHAT))?.card).toBe(after.text)
})

/** Alice's tablet stands in the card of the laptop's app. */
async function withTablet(): Promise<{ laptop: TestKeeper; one: TestCards; tablet: CardEntry; words: string }> {
  const { laptop, words } = await withWords()
  const one = await cardsOn(laptop)
  await laptop.call('device.add', { name: 'tablet', key: TABLET })
  await one.cards.identity(CHAT)
  const tablet = entryFor(laptop, TABLET)
  await one.cards.take(forgeCard(laptop, { seq: 2, devices: [...ownCardOf(one).devices, tablet] }))
  return { laptop, one, tablet, words }
}
