/** Inboxes and stores of the own cards: what the owner names here, what siblings name, and what a thief does. */
import { describe, expect, test } from 'vitest'
import type { VerifiedCard } from '../../../../src/card/verify.ts'
import { verifyCard } from '../../../../src/card/verify.ts'
import { compareCards } from '../../../../src/card/order.ts'
import { rounds, twoAtOneStore } from '../../../support/card-relay.ts'
import { OWN_LAPTOP, type TestKeeper } from '../../../support/keeper.ts'
import { forgeCard, ownCardOf } from '../../../support/own-cards.ts'
import { CHAT, cardsOn, DAY_SEC, type TestCards } from '../../../support/people-cards.ts'
import { engine } from '../../../support/person.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { hears, rotates, siblings, withWords } from '../../../support/rotation.ts'

const EPOCH = { epoch: 1 }
const HERE = ['https://here.example/']
const THERE = ['https://there.example/']
const THIEFS = ['https://thief.example/']

interface Named extends TestCards {
  readonly laptop: TestKeeper
  readonly words: string
}

/** Alice has named an inbox on her laptop, and the card was read back. */
async function named(): Promise<Named> {
  const { laptop, words } = await withWords()
  const opened = await cardsOn(laptop)
  await opened.cards.device(CHAT)
  await opened.cards.setInboxes(CHAT, HERE)
  await opened.cards.take(opened.cards.own(CHAT)!)
  laptop.events.length = 0
  return { laptop, words, ...opened }
}

/** A card after the one that counts: of a sibling, or of a thief who has a sibling. */
function after({ laptop, cards }: Named, wishes: Partial<VerifiedCard>): string {
  const { seq, hash, devices, inboxes, stores } = ownCardOf({ cards })
  return forgeCard(laptop, { seq: seq + 1, prev: hash, devices, inboxes, stores, ...wishes })
}

function codes({ cards }: TestCards): string[] {
  return cards.findings().map(({ code }) => code)
}

describe('inboxes that the owner named on one device', () => {
  test('stay in the cards of the others', async () => {
    const { laptop, phone, one, two } = await twoAtOneStore()
    await one.cards.setInboxes(CHAT, HERE)
    await one.cards.idle()
    await rounds(two)
    laptop.later(7 * DAY_SEC)
    phone.later(7 * DAY_SEC)
    for (const device of [two, one]) {
      await rounds(device)
      expect(ownCardOf(device).inboxes).toEqual(HERE)
    }
    expect([codes(one), codes(two), two.cards.placesOf(CHAT).inboxes]).toEqual([[], [], null])
  })

  test('and then on another are those of the later edit, on both, and the first one shows that', async () => {
    const { laptop, phone, one, two } = await twoAtOneStore()
    for (const [device, inboxes] of [
      [one, HERE],
      [two, THERE],
    ] as const) {
      await device.cards.setInboxes(CHAT, inboxes)
      for (const next of [one, two, one]) await rounds(next)
    }
    laptop.later(7 * DAY_SEC)
    phone.later(7 * DAY_SEC)
    for (const device of [one, two, one]) {
      await rounds(device)
      expect(ownCardOf(device).inboxes).toEqual(THERE)
    }
    expect([codes(one), codes(two)]).toEqual([['CARD_INBOXES_CHANGED'], []])
    await one.cards.setInboxes(CHAT, THERE)
    expect(codes(one)).toEqual([])
  })

  test('and on another at the same time end as one of both, on both', async () => {
    const { one, two } = await twoAtOneStore()
    await Promise.all([one.cards.setInboxes(CHAT, HERE), two.cards.setInboxes(CHAT, THERE)])
    for (const device of [one, two, one, two]) await rounds(device)
    const { text, inboxes } = ownCardOf(one)
    expect([HERE, THERE]).toContainEqual(inboxes)
    expect(ownCardOf(two).text).toBe(text)
    for (const device of [one, two]) await rounds(device)
    expect([one.cards.own(CHAT), two.cards.own(CHAT)]).toEqual([text, text])
  })

  test('are others as soon as the owner names others, also after siblings signed later cards', async () => {
    const story = await named()
    for (let card = 0; card < 2; card++) await story.cards.take(after(story, {}))
    await story.cards.setInboxes(CHAT, THERE)
    expect(ownCardOf(story).inboxes).toEqual(THERE)
  })

  test('are said again where the card that said so lost against one of a sibling at the same time', async () => {
    const { laptop, cards } = await named()
    const lost = ownCardOf({ cards })
    const { devices, prev, seq } = lost
    const forged = (i: number): string =>
      forgeCard(laptop, { seq, prev, devices, stores: [`https://${i}.store.example/`] })
    let won = forged(0)
    for (let i = 1; compareCards(verifyCard(won, engine), lost) < 0; i++) won = forged(i)
    await cards.take(won)
    expect(ownCardOf({ cards })).toMatchObject({ seq: seq + 1, prev: verifyCard(won, engine).hash, inboxes: HERE })
  })

  test('are said again where a sibling went on from the card before', async () => {
    const story = await named()
    const { seq } = ownCardOf(story)
    await story.cards.take(after(story, { prev: new Uint8Array(32).fill(1), inboxes: [] }))
    expect(ownCardOf(story)).toMatchObject({ seq: seq + 2, inboxes: HERE })
  })

  test('are said again where siblings met no card of this device', async () => {
    const story = await named()
    const { seq } = ownCardOf(story)
    // It was never read back here, so nobody took it out.
    const { cards } = await cardsOn(await story.laptop.reopened())
    await cards.mine.rejoin(CHAT)
    await cards.take(forgeCard(story.laptop, { seq: seq + 9, devices: [], inboxes: THERE }))
    expect(ownCardOf({ cards })).toMatchObject({ seq: seq + 10, inboxes: HERE, devices: [{}] })
  })
})

describe('a thief who has a sibling', () => {
  test('changes inboxes within the epoch: the owner hears of it, and status says so', async () => {
    const story = await named()
    await story.cards.take(after(story, { inboxes: THIEFS }))
    expect(ownCardOf(story).inboxes).toEqual(THIEFS)
    expect(story.laptop.told('own.changed')).toMatchObject([{ cause: 'card', app: CHAT }])
    expect(story.cards.findings()).toMatchObject([{ code: 'CARD_INBOXES_CHANGED', about: { app: CHAT } }])
    expect(story.cards.findings()[0]!.message).toContain(THIEFS[0])
  })

  test('changes stores within the epoch: the same', async () => {
    const story = await named()
    await story.cards.setStores(CHAT, HERE)
    await story.cards.take(after(story, { stores: THIEFS }))
    expect(ownCardOf(story)).toMatchObject({ stores: THIEFS, inboxes: HERE })
    expect(story.laptop.told('own.changed')).toHaveLength(1)
    expect(codes(story)).toEqual(['CARD_STORES_CHANGED'])
  })

  test('takes this device out: the owner hears of that too', async () => {
    const story = await named()
    await story.cards.take(after(story, { devices: [] }))
    expect(story.laptop.told('own.changed')).toMatchObject([{ cause: 'card', app: CHAT }])
    expect(codes(story)).toEqual(['CARD_TAKEN_OUT'])
  })

  test('has no place in the cards after a rotation: what the owner named here is back', async () => {
    const story = await named()
    await story.cards.take(after(story, { inboxes: THIEFS, stores: THIEFS }))
    await rotates(story.laptop.later(100), story.words, EPOCH)
    expect(ownCardOf(story)).toMatchObject({ chain: { epoch: 1 }, inboxes: HERE, stores: [] })
    expect(codes(story)).toEqual([])
  })

  test('has no place in them either where the owner named nothing', async () => {
    const { laptop, words } = await withWords()
    const opened = await cardsOn(laptop)
    await opened.cards.device(CHAT)
    await opened.cards.take(after({ laptop, words, ...opened }, { inboxes: THIEFS, stores: THIEFS }))
    expect(ownCardOf(opened)).toMatchObject({ inboxes: THIEFS, stores: THIEFS })
    await rotates(laptop.later(100), words, EPOCH)
    expect(ownCardOf(opened)).toMatchObject({ inboxes: [], stores: [] })
  })
})

test('a sibling that signs again and changes no place raises no event', async () => {
  const story = await named()
  await story.cards.take(after(story, {}))
  expect([story.laptop.told('own.changed'), codes(story)]).toEqual([[], []])
})

test.each([
  ['names its inboxes again where the new card has none', null, THERE],
  ['leaves those that the new card has', HERE, HERE],
])('a device that follows a rotation %s', async (_, here, after) => {
  const { laptop, phone, words } = await siblings()
  const [one, two] = [await cardsOn(laptop), await cardsOn(phone)]
  await one.cards.device(CHAT)
  if (here !== null) await one.cards.setInboxes(CHAT, here)
  await hears(phone, OWN_LAPTOP, laptop)
  await two.cards.take(one.cards.own(CHAT)!)
  await two.cards.device(CHAT)
  await two.cards.setInboxes(CHAT, THERE)
  await one.cards.take(two.cards.own(CHAT)!)
  await rotates(laptop.later(100), words, EPOCH)
  expect(ownCardOf(one).inboxes).toEqual(here ?? [])
  await hears(phone.later(100), OWN_LAPTOP, laptop)
  await two.cards.take(one.cards.own(CHAT)!)
  await phone.call('rotation.follow', { words })
  await two.cards.idle()
  expect(ownCardOf(two)).toMatchObject({ chain: { epoch: 1 }, inboxes: after, devices: [{}, {}] })
})

test('inboxes stay named while the persona is locked, and the card waits', async () => {
  const { laptop } = await withWords({ passphrase: 'of the laptop', engine: quickEngine })
  const opened = await cardsOn(laptop)
  await opened.cards.device(CHAT)
  await opened.cards.setInboxes(CHAT, HERE)
  const { devices, prev, seq } = ownCardOf(opened)
  const losing = forgeCard(laptop, { seq: seq + 1, prev, devices })
  await laptop.call('persona.lock')
  await opened.cards.take(losing)
  expect([ownCardOf(opened).inboxes, opened.cards.mine.waiting]).toEqual([[], [{ app: CHAT, due: 'places' }]])
  expect((await opened.cards.device(CHAT))?.card.text).toBe(losing)
  await laptop.call('persona.unlock', { passphrase: 'of the laptop' })
  await opened.cards.idle()
  expect([ownCardOf(opened).inboxes, opened.cards.mine.waiting]).toEqual([HERE, []])
})
