/** This device as a sender and reader of messages for an app. */
import { describe, expect, test } from 'vitest'
import { judgeToken, verifyToken } from '../../../../src/card/token.ts'
import { encodeUtf8, formatHex, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { OWN_APPS, OWN_APPS_ID, type OwnApp } from '../../../../src/daemon/cards/kept/records.ts'
import { ownOf } from '../../../../src/daemon/state/view.ts'
import type { Caller } from '../../../../src/ipc/methods/method.ts'
import { readBoxKey } from '../../../../src/seal/box-key.ts'
import { openFrom, sealTo } from '../../../../src/seal/seal.ts'
import { TestKeeper } from '../../../support/keeper.ts'
import { ownAppOf, ownCardOf } from '../../../support/own-cards.ts'
import { CHAT, cardsOn, DAY_SEC, type TestCards } from '../../../support/people-cards.ts'
import { engine, person } from '../../../support/person.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { withWords } from '../../../support/rotation.ts'

const HOUR_MS = 3_600_000
const CALLER = {} as Caller
const TEXT = encodeUtf8('hello')
const NO_AAD = new Uint8Array()

async function owner(): Promise<TestCards & { readonly laptop: TestKeeper }> {
  const laptop = await TestKeeper.withPersona()
  return { laptop, ...(await cardsOn(laptop)) }
}

describe('the device of an app', () => {
  test('is none without a persona', async () => {
    const { cards } = await cardsOn(await TestKeeper.open())
    expect(await cards.device(CHAT)).toBeNull()
  })

  test('is made at first use, with the card and the keys that it shows', async () => {
    const { laptop, cards } = await owner()
    const device = (await cards.device(CHAT))!
    const [entry] = device.card.devices
    expect(device.personaId).toBe(ownOf(laptop.keeper.onDisk)!.own.personaId)
    expect([device.card.text, device.deviceKey]).toEqual([cards.own(CHAT), entry!.sig])
    expect(engine.verify(device.sign(TEXT), TEXT, entry!.sig)).toBe(true)
  })

  test('opens what was sealed to its keys of the last weeks, the newest first', async () => {
    const { laptop, cards, clock } = await owner()
    const seals: Uint8Array[] = []
    for (let week = 0; week < 3; week++) {
      const { card } = (await cards.device(CHAT))!
      seals.unshift(await sealTo(readBoxKey(card.devices[0]!.enc), 'message-entry', NO_AAD, TEXT))
      await clock.advance((laptop.later(7 * DAY_SEC), HOUR_MS))
    }
    const { pairs, card } = cards.deviceNow(CHAT)!
    expect([pairs.length, pairs[0]!.key.bytes]).toEqual([4, card.devices[0]!.enc])
    for (const [i, sealed] of seals.entries())
      expect(await openFrom(pairs[i + 1]!, 'message-entry', NO_AAD, sealed)).toEqual(TEXT)
    await expect(openFrom(pairs[0]!, 'message-entry', NO_AAD, seals[0]!)).rejects.toMatchObject({ code: 'SEAL_CLOSED' })
  })

  test('signs tokens for the inboxes of others and for its own persona', async () => {
    const { laptop, cards } = await owner()
    const { token, card } = (await cards.device(CHAT))!
    const request = { origin: 'https://relay.example', method: 'POST', path: '/inbox/x', bodyHash: engine.sha256(TEXT) }
    const { id } = person('Bob')
    for (const [to, named] of [
      [undefined, null],
      [null, null],
      [id, parseHex(id)],
    ] as const) {
      const signed = verifyToken(token({ ...request, ...(to === undefined ? {} : { to }) }, laptop.nowSec), engine)
      expect([judgeToken(signed, request, card, laptop.nowSec), signed.to]).toEqual(['good', named])
    }
  })
})

describe('the device of an app as it is now', () => {
  test('is none where this device uses no such app, and nothing is made', async () => {
    const { laptop, cards } = await owner()
    const writes = laptop.store.commits.length
    expect([cards.deviceNow(CHAT), laptop.store.commits.length]).toEqual([null, writes])
  })

  test('is there while the persona is locked, also after its card was due', async () => {
    const { laptop } = await withWords({ passphrase: 'correct horse', engine: quickEngine })
    const { cards } = await cardsOn(laptop)
    const { pairs } = (await cards.device(CHAT))!
    await laptop.call('persona.lock')
    laptop.later(31 * DAY_SEC)
    await expect(cards.device(CHAT)).rejects.toMatchObject({ code: 'LOCKED' })
    const now = cards.deviceNow(CHAT)!
    expect(now.pairs.map(({ key }) => formatHex(key.bytes))).toEqual(pairs.map(({ key }) => formatHex(key.bytes)))
    expect(engine.verify(now.sign(TEXT), TEXT, now.deviceKey)).toBe(true)
  })

  test('is none while the apps key is closed', async () => {
    const { laptop } = await withWords({ passphrase: 'correct horse', engine: quickEngine })
    await (await cardsOn(laptop)).cards.device(CHAT)
    const { cards } = await cardsOn(await laptop.reopened())
    expect(cards.deviceNow(CHAT)).toBeNull()
  })
})

describe('the inboxes of an app', () => {
  const AT = ['https://one.example/', 'https://two.example/']

  test('are those that the owner names: the card has them at once, and a later card too', async () => {
    const { laptop, cards, clock, changed } = await owner()
    await cards.device(CHAT)
    expect([cards.placesOf(CHAT).inboxes, ownCardOf({ cards }).inboxes]).toEqual([null, []])
    changed.length = 0
    await cards.setInboxes(CHAT, AT)
    expect([cards.placesOf(CHAT).inboxes, ownCardOf({ cards }).inboxes, changed.length]).toEqual([AT, AT, 1])
    await clock.advance((laptop.later(7 * DAY_SEC), HOUR_MS))
    expect(ownCardOf({ cards })).toMatchObject({ seq: 3, inboxes: AT, stores: [] })
    await cards.setInboxes(CHAT, [])
    expect([cards.placesOf(CHAT), ownCardOf({ cards }).inboxes]).toEqual([{ inboxes: [], stores: null }, []])
  })

  test('leave the stores as they are, and the stores leave them', async () => {
    const { cards } = await owner()
    await cards.device(CHAT)
    await cards.setInboxes(CHAT, AT)
    await cards.setStores(CHAT, [AT[0]!])
    expect(ownCardOf({ cards })).toMatchObject({ inboxes: AT, stores: [AT[0]] })
  })

  test('of an app that this device does not use cannot be named', async () => {
    const { cards } = await owner()
    await expect(cards.setInboxes(CHAT, AT)).rejects.toMatchObject({ code: 'CARD_NONE' })
    expect(cards.placesOf(CHAT).inboxes).toBeNull()
  })

  test('were not said where the record is of an earlier version', async () => {
    const { laptop, cards } = await owner()
    await cards.device(CHAT)
    const { inboxes: _, ...before }: OwnApp = ownAppOf(laptop)
    const { keeper } = laptop
    await keeper.change(() => {
      const record = keeper.state.of(OWN_APPS).get(OWN_APPS_ID)!
      keeper.state.stage(keeper.state.of(OWN_APPS).put(OWN_APPS_ID, { ...record, apps: [before] }))
    })
    const again = await cardsOn(await laptop.reopened())
    expect([again.cards.placesOf(CHAT).inboxes, (await again.cards.device(CHAT))?.card.text]).toEqual([
      null,
      cards.own(CHAT),
    ])
    await again.cards.setStores(CHAT, AT)
    expect(ownCardOf(again)).toMatchObject({ stores: AT, inboxes: [] })
  })

  test('are named by a method, and shown with the card', async () => {
    const { cards } = await owner()
    await cards.device(CHAT)
    const { 'card.inboxes': inboxes, 'card.list': list } = cards.handlers()
    expect(await inboxes({ app: CHAT, inboxes: AT }, CALLER)).toMatchObject({ inboxes: AT, stores: [] })
    expect(await list({}, CALLER)).toMatchObject({ cards: [{ inboxes: AT }] })
  })
})
