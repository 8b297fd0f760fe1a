/** The card of somebody else as a sender finds it: kept here, or at a relay. */
import { describe, expect, test } from 'vitest'
import { cardAt } from '../../../../src/card/place.ts'
import type { CardStores } from '../../../../src/daemon/cards/stores.ts'
import { CARDS } from '../../../../src/daemon/cards/kept/records.ts'
import { putCard } from '../../../../src/relay/cards.ts'
import { cardRelay, STORE, type CardRelay } from '../../../support/card-relay.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { cardOf, cardsOn, CHAT, meets, type TestCards } from '../../../support/people-cards.ts'
import { engine, person, START_SEC, type Person } from '../../../support/person.ts'

const HOUR_SEC = 3600
const AT_STORE = { alsoAt: [STORE] }

interface Story extends TestCards {
  readonly bob: TestKeeper
  readonly alice: Person
  readonly made: CardRelay
  /** How often the relay was asked. */
  readonly asked: () => number
}

/** Bob has Alice as a contact, and has met none of her devices in an app. */
async function story(stores: (made: CardRelay) => CardStores = (made) => made.stores): Promise<Story> {
  const made = await cardRelay(START_SEC)
  const bob = await TestKeeper.withPersona()
  const alice = person('Alice')
  await bob.sees(alice.key('laptop'), alice.table(['laptop', 'phone']), { name: 'Alice' })
  const opened = await cardsOn(bob, stores(made))
  const asked = (): number => made.calls.filter((call) => call === 'GET card').length
  return { ...opened, bob, alice, made, asked }
}

async function lies(made: CardRelay, alice: Person, card: string): Promise<void> {
  // c_0, whatever the epoch of the card.
  const { next: root } = person(alice.name).position
  const at = cardAt(root, alice.position.personaId, CHAT, engine)
  expect(await putCard(made.client, { at }, card)).toEqual({ outcome: 'kept' })
}

/** A store that gives this card for whatever it is asked. */
function giving(card: () => string): (made: CardRelay) => CardStores {
  return ({ stores }) => ({ ...stores, get: () => Promise.resolve(card()) })
}

describe('the card of a contact', () => {
  test('is taken from a relay as that of a peer who was met', async () => {
    const { cards, alice, made, changed } = await story()
    await lies(made, alice, cardOf(alice, ['laptop']))
    const card = await cards.find(alice.id, CHAT, AT_STORE)
    expect([card?.text, cards.newest(alice.id, CHAT)]).toEqual([cardOf(alice, ['laptop']), cardOf(alice, ['laptop'])])
    expect(changed).toEqual([`${alice.id} ${CHAT}`])
  })

  test('is read from the stores that the table names', async () => {
    const { bob, cards, alice, made } = await story()
    await lies(made, alice, cardOf(alice, ['laptop']))
    await bob.later(1).sees(alice.key('laptop'), alice.table(['laptop'], { document: [['at', ['relay.example']]] }))
    expect((await cards.find(alice.id, CHAT))?.seq).toBe(1)
  })

  test.each(['stores', 'inboxes'])('is read from the %s of the card before', async (places) => {
    const { bob, cards, alice, made } = await story()
    await meets(bob, { cards }, cardOf(alice, ['laptop'], { [places]: [STORE] }))
    await lies(made, alice, cardOf(alice, ['laptop'], { seq: 2 }))
    expect((await cards.find(alice.id, CHAT))?.seq).toBe(2)
  })

  test('is null where no relay has it, and the next call asks again', async () => {
    const { cards, alice, asked } = await story()
    expect([await cards.find(alice.id, CHAT, AT_STORE), asked()]).toEqual([null, 1])
    expect([await cards.find(alice.id, CHAT, AT_STORE), asked()]).toEqual([null, 2])
  })

  test('is the one that is kept while no relay answers', async () => {
    const { bob, cards, alice, made } = await story()
    await meets(bob, { cards }, cardOf(alice, ['laptop']))
    made.isAway = true
    expect((await cards.find(alice.id, CHAT, AT_STORE))?.seq).toBe(1)
  })
})

describe('a look at the relays', () => {
  test('is made once an hour, and at once if it is asked for', async () => {
    const { bob, cards, alice, made, asked } = await story()
    await lies(made, alice, cardOf(alice, ['laptop']))
    const find = async (options = {}): Promise<number | undefined> =>
      (await cards.find(alice.id, CHAT, { ...AT_STORE, ...options }))?.seq
    expect([await find(), await find(), asked()]).toEqual([1, 1, 1])
    await lies(made, alice, cardOf(alice, ['laptop', 'phone'], { seq: 2 }))
    bob.later(HOUR_SEC - 1)
    expect([await find(), asked()]).toEqual([1, 1])
    bob.later(1)
    expect([await find(), await find(), asked()]).toEqual([2, 2, 2])
    await lies(made, alice, cardOf(alice, ['phone'], { seq: 3 }))
    expect([await find({ anew: true }), asked()]).toEqual([3, 3])
  })

  test('is made again after the clock went back', async () => {
    const { bob, cards, alice, made, asked } = await story()
    await lies(made, alice, cardOf(alice, ['laptop']))
    await cards.find(alice.id, CHAT, AT_STORE)
    bob.later(-1)
    await cards.find(alice.id, CHAT, AT_STORE)
    expect(asked()).toBe(2)
  })

  test('is one for all who ask for the same card at one time', async () => {
    const { cards, alice, made, asked } = await story()
    await lies(made, alice, cardOf(alice, ['laptop']))
    const found = await Promise.all([1, 2, 3].map(() => cards.find(alice.id, CHAT, AT_STORE)))
    expect([found.map((card) => card?.seq), asked()]).toEqual([[1, 1, 1], 1])
  })

  test('is not made for a persona who is no contact and of whom no card is kept', async () => {
    const { bob, cards, alice, asked } = await story()
    const carol = person('Carol')
    expect([await cards.find(carol.id, CHAT, AT_STORE), asked()]).toEqual([null, 0])
    await meets(bob, { cards }, cardOf(carol, ['laptop'], { app: 'notes' }))
    expect([await cards.find(carol.id, CHAT, AT_STORE), asked()]).toEqual([null, 0])
    expect([(await cards.find(carol.id, 'notes', AT_STORE))?.seq, asked()]).toEqual([1, 1])
    expect([await cards.find(alice.id, CHAT, AT_STORE), asked()]).toEqual([null, 2])
  })

  test('is not made by an owner who uses no relay', async () => {
    const { cards, alice, asked } = await story(({ stores }) => ({ ...stores, isInUse: () => false }))
    await cards.device(CHAT)
    expect([await cards.find(alice.id, CHAT, AT_STORE), asked()]).toEqual([null, 0])
  })

  test('is made by an owner who uses a relay for one app alone, and their own card lies there', async () => {
    const { cards, alice, made, asked } = await story(({ stores }) => ({ ...stores, isInUse: () => false }))
    await cards.device(CHAT)
    await cards.setInboxes(CHAT, [STORE])
    await cards.idle()
    expect(made.calls).toEqual(['PUT card'])
    await lies(made, alice, cardOf(alice, ['laptop']))
    expect([(await cards.find(alice.id, CHAT, AT_STORE))?.seq, asked()]).toEqual([1, 1])
  })
})

describe('a relay that gives any card', () => {
  test.each([
    ['of another persona', () => cardOf(person('Mallory'), ['laptop'])],
    ['of another app', () => cardOf(person('Alice'), ['laptop'], { app: 'notes' })],
    ['with a changed signature', () => cardOf(person('Alice'), ['laptop']).replace(/.{8}$/, 'AAAAAAAA')],
    ['that is no card', () => 'hello'],
  ])('cannot pass off one %s', async (_, card) => {
    const { bob, cards, alice } = await story(giving(card))
    expect(await cards.find(alice.id, CHAT, AT_STORE)).toBeNull()
    const ids = await Array.fromAsync(bob.keeper.onDisk.of(CARDS).iterate())
    expect(ids).toEqual([])
  })

  test('cannot bring an older one back, nor make a device of it unconfirmed', async () => {
    const { bob, cards, alice } = await story(giving(() => cardOf(person('Alice'), ['phone'], { seq: 1 })))
    await meets(bob, { cards }, cardOf(alice, ['laptop'], { seq: 2 }))
    expect((await cards.find(alice.id, CHAT, AT_STORE))?.seq).toBe(2)
    expect(bob.keeper.onDisk.of(CARDS).get(alice.id)?.beside).toBeUndefined()
  })

  test('cannot give one of a second chain: it raises the alarm', async () => {
    const { bob, cards, alice } = await story(giving(() => cardOf(person('Alice').thief().rotate(), ['phone'])))
    expect(await cards.find(alice.id, CHAT, AT_STORE)).toBeNull()
    expect(bob.told('alarm')).toMatchObject([{ code: 'CHAIN_DISPUTED', personaId: alice.id }])
  })
})

describe('a card whose epoch is over', () => {
  test('is not found, and the one of the new epoch is looked for', async () => {
    const { bob, cards, alice, made } = await story()
    await meets(bob, { cards }, cardOf(alice, ['laptop', 'phone']))
    await bob.later(100).sees(alice.key('laptop'), alice.rotate().table(['laptop']))
    expect(await cards.find(alice.id, CHAT, AT_STORE)).toBeNull()
    await lies(made, alice, cardOf(alice, ['laptop']))
    expect((await cards.find(alice.id, CHAT, AT_STORE))?.chain.epoch).toBe(1)
  })
})

test('the own card is put to its inboxes, and found there', async () => {
  const { bob, cards, made } = await story()
  await cards.device(CHAT)
  await cards.setInboxes(CHAT, [STORE])
  await cards.idle()
  expect((await cards.find(bob.keeper.own.personaId!, CHAT))?.text).toBe(cards.own(CHAT))
  expect(made.calls).toEqual(['PUT card', 'GET card'])
})

describe('a relay that asks for the own card', () => {
  test('gets it, also if it had it before', async () => {
    const { bob, cards, made } = await story()
    const own = bob.keeper.own.personaId!
    await cards.device(CHAT)
    const puts = (): number => made.calls.filter((call) => call === 'PUT card').length
    await cards.putTo(STORE, CHAT, own)
    await cards.putTo(STORE, CHAT, own)
    expect(puts()).toBe(2)
    await cards.putTo(STORE, 'notes', own)
    expect(puts()).toBe(2)
  })

  test('and does not answer fails the caller', async () => {
    const { bob, cards, made } = await story()
    await cards.device(CHAT)
    made.isAway = true
    await expect(cards.putTo(STORE, CHAT, bob.keeper.own.personaId!)).rejects.toMatchObject({
      code: 'RELAY_UNREACHABLE',
    })
  })
})
