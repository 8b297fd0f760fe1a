/** Messages over two relays (docs/messages.md): stores and inboxes that cheat, devices that were left out, and devices that come later. */
import { describe, expect, test } from 'vitest'
import { formatBase64url, formatHex } from '../../../src/core/encoding/bytes.ts'
import { sealEntry } from '../../../src/message/entry.ts'
import { headBytes } from '../../../src/message/object-head.ts'
import { APP, type CardWishes } from '../../support/cards.ts'
import { codeOf } from '../../support/code-of.ts'
import { alice, bob, carol } from '../../support/inbox-world.ts'
import { ALICES, BOBS, MessageRelays } from '../../support/message-relays.ts'
import { ALICE_LAPTOP, ALICE_PHONE, BOB_LAPTOP, BOB_PHONE } from '../../support/messages.ts'

const TEXT = 'The key lies under the mat.'
const BOB_TABLET = 6 // a made device that nobody else has
const SEALS = 3 // Bob's devices, and Alice's laptop

describe('a store that', () => {
  const flipped = (at: number) => (object: Uint8Array) => object.with(at, object.at(at)! ^ 1)

  test.each<[string, MessageRelays['tamper'], string]>([
    ['changes the text', flipped(-1), 'TAMPERED'],
    ['changes the seal of another device', flipped(headBytes(2) + 40), 'WRONG_HASH'],
    ['cuts the object within its text', (object) => object.slice(0, -1), 'TAMPERED'],
    ['cuts the object before its text', (object) => object.slice(0, headBytes(SEALS)), 'CUT_SHORT'],
    ['adds to the object', (object) => Uint8Array.of(...object, 0), 'TAMPERED'],
    ['is away', null, 'RELAY_UNREACHABLE'],
  ])('%s is found out, and the message waits', async (_what, tamper, code) => {
    const relays = await MessageRelays.start()
    const waiting = await relays.write(TEXT)
    const phone = relays.device(bob)
    relays.tamper = tamper
    expect(await codeOf(relays.read(waiting, phone))).toBe(code)
    relays.tamper = (object) => object
    expect(await phone.unread(BOBS)).toEqual([waiting.found])
    expect(await relays.read(waiting, phone)).toBe(TEXT)
  })

  test('gives another object of the sender is found out', async () => {
    const relays = await MessageRelays.start()
    const [first, second] = [await relays.write('Yes.'), await relays.write('No.')]
    relays.tamper = () => second.written.object
    expect(await codeOf(relays.read(first, relays.device(bob)))).toBe('NOT_SEALED_TO_ME')
    expect(await relays.read(second, relays.device(bob))).toBe('No.')
  })

  test('has lost the object says so, and the entry waits', async () => {
    const relays = await MessageRelays.start()
    const waiting = await relays.write(TEXT)
    expect(await relays.device(alice).remove(ALICES, waiting.written)).toBe(true)
    const phone = relays.device(bob)
    expect(await codeOf(relays.read(waiting, phone))).toContain('the store does not have the object')
    expect(await phone.unread(BOBS)).toEqual([waiting.found])
  })
})

describe('a message that store and inbox pass on to a third person', () => {
  test('does not open, as the entry for its reader', async () => {
    const relays = await MessageRelays.start()
    const { found } = await relays.write(TEXT)
    expect(await codeOf(relays.device(carol).open(found))).toBe('NOT_SEALED_TO_ME')
  })

  test('does not open, even by an entry that they make for that person', async () => {
    const relays = await MessageRelays.start()
    const waiting = await relays.write(TEXT)
    const phone = relays.device(carol)
    const route = { from: alice.positions[0]!.personaId, reader: phone.personaId, app: APP }
    const keys = relays.card(carol).devices.map(({ enc }) => enc)
    const made = formatBase64url(await sealEntry(waiting.entry, route, keys))
    // Whoever knows id and hash can seal an entry. The object opens for those alone to whom its sender sealed it.
    const opened = await phone.open({ from: formatHex(route.from), encId: made })
    expect(opened).toEqual(waiting.entry)
    expect(await codeOf(relays.read(waiting, phone))).toBe('NOT_SEALED_TO_ME')
  })
})

describe('a device that a rotation left out', () => {
  const ROTATED: CardWishes = { epoch: 1, seq: 2, devices: [ALICE_PHONE] }

  test('is refused at each relay from the moment when the new card is there', async () => {
    const relays = await MessageRelays.start()
    const [phone, laptop] = [relays.device(alice), relays.device(alice, ALICE_LAPTOP)]
    const card = relays.card(alice, ROTATED)
    const written = await laptop.write(new Uint8Array(), relays.card(alice), relays.card(bob))
    const codes = async (): Promise<string[]> =>
      await Promise.all([
        codeOf(laptop.unread(ALICES)),
        codeOf(laptop.store(ALICES, written)),
        codeOf(laptop.remove(ALICES, written)),
        codeOf(laptop.post(BOBS, written.entry, relays.card(bob))),
      ])
    expect(await codes()).toEqual(['done', 'done', 'done', 'done'])
    expect(await phone.putCard(ALICES, card.text)).toEqual({ outcome: 'kept' })
    expect(await codes()).toEqual(['RELAY_NO_CARD', 'RELAY_NO_CARD', 'RELAY_NO_CARD', 'done'])
    expect(await phone.putCard(BOBS, card.text)).toEqual({ outcome: 'kept' })
    expect(new Set(await codes())).toEqual(new Set(['RELAY_NO_CARD']))
    expect(await codeOf(phone.unread(ALICES))).toBe('done')
  })

  test('comes back neither by a card of the old epoch nor by one of a second chain', async () => {
    const relays = await MessageRelays.start()
    const laptop = relays.device(alice, ALICE_LAPTOP)
    for (const url of [ALICES, BOBS]) await relays.device(alice).putCard(url, relays.card(alice, ROTATED).text)
    const thiefs = relays.card(alice, { seq: 9 })
    const second = relays.card(alice, { seq: 9, chain: { next: new Uint8Array(32).fill(9) } })
    for (const url of [ALICES, BOBS]) {
      expect(await laptop.putCard(url, thiefs.text)).toEqual({ outcome: 'ended', epoch: 1 })
      expect((await laptop.putCard(url, second.text)).outcome).toBe('disputed')
    }
    expect(await codeOf(laptop.unread(ALICES))).toBe('RELAY_NO_CARD')
    expect(await codeOf(laptop.postSealed(BOBS, 'AAAA', relays.device(bob).personaId))).toBe('RELAY_NO_CARD')
    expect(await codeOf(relays.device(alice).postSealed(BOBS, 'AAAA', relays.device(bob).personaId))).toBe('done')
  })

  test('has no word any more in messages that it left before, and that nobody has read', async () => {
    const relays = await MessageRelays.start()
    const waiting = await relays.write(TEXT, ALICE_LAPTOP)
    expect(await relays.read(waiting, relays.device(bob))).toBe(TEXT)
    await relays.device(alice).putCard(BOBS, relays.card(alice, ROTATED).text)
    expect(await codeOf(relays.read(waiting, relays.device(bob, BOB_LAPTOP)))).toBe('UNKNOWN_DEVICE')
  })
})

test('a device that comes later reads what comes later, and nothing from before', async () => {
  const relays = await MessageRelays.start()
  const before = await relays.write('Before.')
  const [phone, tablet] = [relays.device(bob), relays.device(bob, BOB_TABLET)]
  const devices = [BOB_PHONE, BOB_LAPTOP, BOB_TABLET]
  expect(await phone.putCard(BOBS, relays.card(bob, { seq: 2, devices }).text)).toEqual({ outcome: 'kept' })
  expect(await codeOf(tablet.open(before.found))).toBe('NOT_SEALED_TO_ME')
  const after = await relays.write('After.')
  expect(await tablet.open(after.found)).toEqual(after.entry)
  expect(await relays.read(after, tablet)).toBe('After.')
  expect(await relays.read(before, phone)).toBe('Before.')
})
