/** Cards at stores: a real relay's cards over HTTP, by the client of relays. */
import { describe, expect, test } from 'vitest'
import { cardAt } from '../../../../src/card/place.ts'
import { getCard } from '../../../../src/relay/cards.ts'
import type { CardStores } from '../../../../src/daemon/cards/stores.ts'
import { storedBytes } from '../../../../src/daemon/state/records.ts'
import { ownOf } from '../../../../src/daemon/state/view.ts'
import { OWN_LAPTOP, ownText, TestKeeper } from '../../../support/keeper.ts'
import { cardRelay, rounds, STORE, twoAtOneStore, withStore } from '../../../support/card-relay.ts'
import { ownAppOf, ownCardOf, sigsOf } from '../../../support/own-cards.ts'
import { CHAT, cardOf, cardsOn, DAY_SEC, meets, type TestCards } from '../../../support/people-cards.ts'
import { engine, person, START_SEC } from '../../../support/person.ts'
import { hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

function standingOf(bobs: TestCards, alice: TestKeeper, device: TestKeeper): string {
  const { personaId } = ownOf(alice.keeper.onDisk)!.own
  return bobs.cards.standing(personaId, CHAT, Buffer.from(ownAppOf(device).sig, 'hex'))
}

describe('the own card', () => {
  test('lies at its store, and only once', async () => {
    const { laptop } = await withWords()
    const made = await cardRelay(laptop.nowSec)
    const one = await withStore(laptop, made)
    const puts = (): number => made.calls.filter((call) => call === 'PUT card').length
    expect(puts()).toBe(1)
    expect(ownCardOf(one).stores).toEqual([STORE])
    await rounds(one)
    expect(puts()).toBe(1)
  })

  test('waits while the store is away', async () => {
    const { laptop } = await withWords()
    const made = await cardRelay(laptop.nowSec)
    made.isAway = true
    const one = await withStore(laptop, made)
    const { personaId } = ownOf(laptop.keeper.onDisk)!.own
    const at = cardAt(ownCardOf(one).root, storedBytes(personaId), CHAT, engine)
    made.isAway = false
    expect(await getCard(made.client, { at })).toBeNull()
    await rounds(one)
    expect(await getCard(made.client, { at })).toBe(one.cards.own(CHAT))
    expect(one.warnings).toEqual([])
  })

  test('that a store says it took and does not give is put there again each hour, and the owner hears of it until the store gives it', async () => {
    const { laptop } = await withWords()
    const made = await cardRelay(laptop.nowSec)
    let [isLying, puts] = [true, 0]
    const put: CardStores['put'] = async (...card) => {
      puts++
      return isLying ? { outcome: 'kept' } : await made.stores.put(...card)
    }
    const one = await withStore(laptop, { ...made, stores: { ...made.stores, put } })
    const codes = (): string[] => one.cards.findings().map(({ code }) => code)
    expect([codes(), puts]).toEqual([[], 1])
    await rounds(one, 2)
    expect([codes(), puts]).toEqual([['CARD_NOT_KEPT'], 4])
    isLying = false
    await rounds(one, 2)
    expect([codes(), puts]).toEqual([[], 5])
  })

  test('of two devices that never met lists both after each has been at the store', async () => {
    const { laptop, phone, one, two } = await twoAtOneStore()
    expect(one.cards.own(CHAT)).toBe(two.cards.own(CHAT))
    expect(new Set(sigsOf(ownCardOf(one)))).toEqual(new Set([ownAppOf(laptop).sig, ownAppOf(phone).sig]))
  })

  test('of a device that leaves the persona lies there without it', async () => {
    const { laptop, phone, one, two } = await twoAtOneStore()
    expect(ownCardOf(one).devices).toHaveLength(2)
    await phone.call('persona.leave')
    expect(await two.cards.farewell()).toEqual([])
    await rounds(one)
    expect(sigsOf(ownCardOf(one))).toEqual([ownAppOf(laptop).sig])
  })

  test('of a device that leaves the persona lies without it at the inboxes too, which siblings keep', async () => {
    const { laptop, phone, one, two, made } = await twoAtOneStore()
    await one.cards.setStores(CHAT, [])
    await one.cards.setInboxes(CHAT, [STORE])
    await one.cards.idle()
    await rounds(two)
    expect(ownCardOf(two)).toMatchObject({ stores: [], inboxes: [STORE], devices: [{}, {}] })
    made.isAway = true
    await phone.call('persona.leave')
    expect(await two.cards.farewell()).toEqual([{ kind: 'card', id: STORE, app: CHAT, name: STORE }])
    made.isAway = false
    expect(await two.cards.farewell()).toEqual([])
    await rounds(one)
    expect([sigsOf(ownCardOf(one)), ownCardOf(one).inboxes]).toEqual([[ownAppOf(laptop).sig], [STORE]])
  })

  test('of a device that erases everything lies there without it, and what could not be reached is listed', async () => {
    const { laptop, one, two, made } = await twoAtOneStore()
    made.isAway = true
    expect(await two.cards.farewell()).toEqual([{ kind: 'card', id: STORE, app: CHAT, name: STORE }])
    made.isAway = false
    expect(await two.cards.farewell()).toEqual([])
    // Nothing puts it back while the rest is erased.
    await rounds(two)
    await rounds(one)
    expect(sigsOf(ownCardOf(one))).toEqual([ownAppOf(laptop).sig])
  })

  test('still lists a device that erases everything while its key is locked, and it says so', async () => {
    const { laptop } = await withWords({ passphrase: 'of the laptop' })
    const made = await cardRelay(laptop.nowSec)
    const one = await withStore(laptop, made)
    await laptop.call('persona.lock')
    expect(await one.cards.farewell()).toEqual([{ kind: 'card', id: '', app: CHAT, name: '' }])
  })

  test('of a persona that announces to everybody is found by its PersonaID, and no other is', async () => {
    const { laptop } = await withWords()
    const made = await cardRelay(laptop.nowSec)
    const one = await withStore(laptop, made)
    const { personaId: persona } = ownOf(laptop.keeper.onDisk)!.own
    expect(await getCard(made.client, { persona, app: CHAT })).toBeNull()
    const { own } = laptop.keeper
    await laptop.keeper.change(() => own.edit({ kind: 'set', key: 'announce', found: null, value: 'public' }))
    made.setClock(laptop.later(7 * DAY_SEC).nowSec)
    await rounds(one)
    expect(await getCard(made.client, { persona, app: CHAT })).toBe(one.cards.own(CHAT))
  })
})

describe('the card of a peer', () => {
  test('is read daily: a stolen phone is out at every peer a day after the new card is at the store', async () => {
    const { laptop, phone, words } = await siblings()
    const made = await cardRelay(laptop.nowSec + 1000)
    const one = await withStore(laptop, made)
    await hears(phone, OWN_LAPTOP, laptop)
    const two = await withStore(phone, made)
    const bob = await TestKeeper.open({ nowSec: phone.nowSec })
    const bobs = await cardsOn(bob, made.stores)
    await meets(bob, bobs, two.cards.own(CHAT)!)
    expect(standingOf(bobs, laptop, phone)).toBe('listed')
    await rounds(one)
    await rotates(laptop.later(1000), words, { epoch: 1, without: ['phone'] })
    await one.cards.idle()
    await rounds(bobs, 23)
    expect(standingOf(bobs, laptop, phone)).toBe('listed')
    await rounds(bobs)
    expect([standingOf(bobs, laptop, laptop), standingOf(bobs, laptop, phone)]).toEqual(['listed', 'unlisted'])
  })

  test('is read at once when its table moves to a new key', async () => {
    const { laptop, words } = await withWords()
    const made = await cardRelay(laptop.nowSec + 1000)
    const one = await withStore(laptop, made)
    const bob = await TestKeeper.open({ nowSec: laptop.nowSec })
    await bob.sees(OWN_LAPTOP, await ownText(laptop), { name: 'Alice' })
    const bobs = await cardsOn(bob, made.stores)
    await meets(bob, bobs, one.cards.own(CHAT)!)
    await rotates(laptop.later(100), words, { epoch: 1 })
    await one.cards.idle()
    await bob.later(200).sees(OWN_LAPTOP, await ownText(laptop))
    await bobs.cards.idle()
    expect(bobs.cards.newest(ownOf(laptop.keeper.onDisk)!.own.personaId, CHAT)).toBe(one.cards.own(CHAT))
  })

  test('is asked of no store by an owner who uses none', async () => {
    const made = await cardRelay(START_SEC)
    const idle = { ...made.stores, isInUse: () => false }
    const bob = await TestKeeper.open()
    const bobs = await cardsOn(bob, idle)
    await meets(bob, bobs, cardOf(person('Alice'), ['laptop']))
    await rounds(bobs, 24)
    expect(made.calls).toEqual([])
  })
})
