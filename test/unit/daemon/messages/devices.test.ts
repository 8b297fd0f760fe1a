/** A message reaches each device of its recipient once, whenever that device is there (docs/messages.md, section 8). */
import { expect, test, vi } from 'vitest'
import { DAY_SEC, NOTES, twoPeople } from '../../../support/message-daemon.ts'
import { answerOf } from '../../../support/message-relay.ts'
import { silentLog } from '../../../support/silent-log.ts'

test('a message is with its recipient, and its object goes after the receipt', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  const number = await alice.send(bob, 'dinner at eight?')
  expect(await bob.arrived(1)).toEqual(['dinner at eight?'])
  await alice.untilSent(number, 'received')
  await world.until(() => alices.objects.length === 0)
})

test('an acknowledgement and a word about a sender that the relay refuses for a moment are sent again', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  const tooOften = answerOf(429, { ok: false, error: 'Too often' }, { 'retry-after': '1' })
  bobs.instead = ({ path }) => (path.endsWith('/ack') || path.endsWith('/senders') ? tooOften : null)
  await alice.send(bob, 'one')
  await bob.arrived(1)
  await world.settle()
  expect(await bobs.entries()).toBe(1)
  bobs.instead = () => null
  const words = (): number => bobs.count(`POST /inbox/${bob.personaId}/senders`)
  const before = words()
  await world.until(async () => (await bobs.entries()) === 0 && words() > before)
})

test('two devices that were off for three days get a message once each, and the entry and the object go after the last of them', async () => {
  const { world, alices, bobs, alice, bob } = await twoPeople()
  const phone = await bob.phone()
  const alicesPhone = await alice.phone()
  await bob.stopped()
  await phone.stopped()
  const number = await alice.send(phone, 'I wrote while you were away')
  await alice.untilSent(number, 'notified')
  expect(await alicesPhone.arrived(1)).toEqual(['I wrote while you were away'])
  await world.later(3 * DAY_SEC)
  const laptop = await bob.restarted()
  expect(await laptop.arrived(1)).toEqual(['I wrote while you were away'])
  await world.until(async () => (await alice.sent(number))!.received === 1)
  await world.settle()
  expect([alices.objects.length, await bobs.entries()]).toEqual([1, 1])
  expect(await alice.sent(number)).toMatchObject({ state: 'notified', devices: 2 })
  const back = await phone.restarted()
  expect(await back.arrived(1)).toEqual(['I wrote while you were away'])
  await alice.untilSent(number, 'received')
  await world.until(async () => alices.objects.length + (await bobs.entries()) === 0)
  expect([await laptop.texts(), await back.texts(), await alicesPhone.texts()]).toEqual([
    ['I wrote while you were away'],
    ['I wrote while you were away'],
    ['I wrote while you were away'],
  ])
})

test('a device that is added later gets the messages that are sent later', async () => {
  const { world, alice, bob } = await twoPeople()
  await alice.send(bob, 'before')
  await bob.arrived(1)
  const phone = await bob.phone()
  // Alice keeps the card of a contact for an hour.
  await world.later(3600)
  await alice.send(bob, 'after')
  expect(await phone.arrived(1)).toEqual(['after'])
  await world.later(3600)
  expect([await phone.texts(), await bob.texts()]).toEqual([['after'], ['before', 'after']])
})

test('a device that is added while a message waits is told of nothing that it cannot open', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  alices.isDown = true
  await alice.send(bob, 'before')
  await world.settle()
  alices.isDown = false
  alices.instead = ({ path }) => {
    if (path.startsWith('/store/')) throw new TypeError('fetch failed')
    return null
  }
  const phone = await bob.phone()
  alices.instead = () => null
  await world.later(3600)
  expect(await bob.arrived(1)).toEqual(['before'])
  const { apps } = await phone.call('message.list', {})
  expect([await phone.texts(), apps[0]!.fetching]).toEqual([[], 0])
})

test('a phone that lies in a drawer for a month keeps nobody out, and gets what is not over', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  const phone = await bob.phone()
  await phone.stopped()
  await alice.send(bob, 'an old one')
  await bob.arrived(1)
  await world.later(20 * DAY_SEC)
  await alice.send(bob, 'a new one')
  await bob.arrived(2)
  await world.later(13 * DAY_SEC)
  await alice.send(bob, 'today')
  expect(await bob.arrived(3)).toEqual(['an old one', 'a new one', 'today'])
  await world.until(async () => (await bobs.entries()) === 0)
})

test('the first card of a device lists the siblings that use the app', async () => {
  const { bob } = await twoPeople()
  const phone = await bob.phone({ isHeard: false })
  expect(phone.cards.deviceNow(NOTES)!.card.devices).toHaveLength(2)
})

test('a message of an own device that is not in the card that is kept is read at the first try', async () => {
  const { alice, bob } = await twoPeople()
  const phone = await bob.phone({ isHeard: false })
  expect(bob.cards.deviceNow(NOTES)!.card.devices).toHaveLength(1)
  const noted = vi.spyOn(silentLog, 'debug')
  await phone.send(alice, 'to both')
  expect(await bob.arrived(1)).toEqual(['to both'])
  expect(noted.mock.calls.filter(([event]) => event === 'message.fetch')).toEqual([])
})

test('a message is received once each device has it that the recipient has not taken out meanwhile', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  const phone = await bob.phone()
  await phone.stopped()
  await world.later(3600)
  const number = await alice.send(bob, 'the phone is lost')
  await bob.arrived(1)
  await world.until(async () => (await alice.sent(number))!.received === 1)
  expect(await alice.sent(number)).toMatchObject({ state: 'notified', devices: 2 })
  await bob.test.call('device.remove', { device: 'phone' })
  await world.later(3600)
  // Alice reads the newest card, and what she has sent is looked through daily.
  await alice.untilSent(await alice.send(bob, 'to the laptop'), 'received')
  await world.later(DAY_SEC)
  expect(await alice.sent(number)).toMatchObject({ state: 'received', devices: 2, received: 1 })
  // Whoever was taken out may come back.
  expect(alices.objects).toHaveLength(1)
})
