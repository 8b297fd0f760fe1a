/** A relay may lose what was left there, or wait for too few devices: the sender asks again once the devices of a card have changed (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { DAY_SEC, NOTES, twoPeople, type TwoPeople } from '../../../support/message-daemon.ts'
import { answerOf, type Instead, type MessageRelay } from '../../../support/message-relay.ts'

/** Takes entries for a persona, and keeps none. */
function loses(relay: MessageRelay, personaId: string): void {
  const taken = { ok: true }
  relay.instead = ({ method, path }) =>
    method === 'POST' && path === `/inbox/${personaId}` ? answerOf(202, taken) : null
}

/** Bob has one more device, and Alice reads his card. */
async function changesDevices({ world, alice, bob }: TwoPeople): Promise<void> {
  await bob.phone()
  await alice.cards.find(bob.personaId, NOTES, { anew: true })
  await world.settle()
}

test('an entry that the relay has lost is left again once the devices of the recipient have changed', async () => {
  const people = await twoPeople()
  const { world, bobs, alice, bob } = people
  loses(bobs, bob.personaId)
  const number = await alice.send(bob, 'lost at first')
  await alice.untilSent(number, 'notified')
  bobs.instead = () => null
  await world.later(DAY_SEC)
  expect(await bob.texts()).toEqual([])
  await changesDevices(people)
  await alice.untilSent(number, 'received')
  expect(await bob.texts()).toEqual(['lost at first'])
})

test('a receipt that was lost is sent again when the entry comes again, and the app gets the message once', async () => {
  const people = await twoPeople()
  const { world, alices, alice, bob } = people
  loses(alices, alice.personaId)
  const number = await alice.send(bob, 'heard once')
  expect(await bob.arrived(1)).toEqual(['heard once'])
  await world.settle()
  alices.instead = () => null
  await world.later(DAY_SEC)
  expect(await alice.sent(number)).toMatchObject({ state: 'notified', received: 0 })
  await changesDevices(people)
  await alice.untilSent(number, 'received')
  expect(await bob.texts()).toEqual(['heard once'])
  await world.until(() => alices.objects.length === 0)
})

test('an entry is left once while the devices stay the same, whatever their keys are', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await bob.phone()
  await bob.stopped()
  const number = await alice.send(bob, 'the laptop is in a drawer')
  await alice.untilSent(number, 'notified')
  await world.settle()
  const posts = (): number => bobs.calls.filter((call) => call === `POST /inbox/${bob.personaId}`).length
  const left = posts()
  const before = alice.cards.counting(bob.personaId, NOTES)!.seq
  await world.later(8 * DAY_SEC)
  await alice.cards.find(bob.personaId, NOTES, { anew: true })
  await world.settle()
  expect(alice.cards.counting(bob.personaId, NOTES)!.seq).toBeGreaterThan(before)
  expect(posts()).toBe(left)
})

test('an entry is left again where there were cards in between that the sender has not read', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await bob.phone()
  await bob.stopped()
  const number = await alice.send(bob, 'the laptop is in a drawer')
  await alice.untilSent(number, 'notified')
  await world.settle()
  const posts = (): number => bobs.calls.filter((call) => call === `POST /inbox/${bob.personaId}`).length
  const left = posts()
  const before = alice.cards.counting(bob.personaId, NOTES)!.seq
  // The phone signs a card each week, and the relay may have had one without the laptop.
  for (let week = 0; week < 2; week++) await world.later(8 * DAY_SEC)
  await alice.cards.find(bob.personaId, NOTES, { anew: true })
  await world.settle()
  expect(alice.cards.counting(bob.personaId, NOTES)!.seq).toBeGreaterThan(before + 1)
  expect(posts()).toBe(left + 1)
})

test('a receipt that was lost is sent again when the devices of the sender have changed', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  loses(alices, alice.personaId)
  const number = await alice.send(bob, 'heard once')
  expect(await bob.arrived(1)).toEqual(['heard once'])
  await world.settle()
  alices.instead = () => null
  await alice.phone()
  await alice.untilSent(number, 'received')
  expect(await bob.texts()).toEqual(['heard once'])
})

test('a message of a device that the card lacks for a while is read once the card lists it', async () => {
  const { world, alices, bobs, alice, bob } = await twoPeople()
  const old = alice.cards.deviceNow(NOTES)!.card.text
  const phone = await alice.phone()
  // Siblings that rotate apart sign cards without each other: the relays give the one without the phone.
  const places = new Set(
    alices.calls.filter((call) => call.startsWith('PUT /card/')).map((call) => call.slice('PUT '.length)),
  )
  const gives: Instead = ({ method, path }) =>
    method === 'GET' && places.has(path) ? answerOf(200, Buffer.from(old)) : null
  for (const relay of [alices, bobs]) relay.instead = gives
  await phone.send(bob, 'from a device that the card lacks')
  await world.later(300)
  expect(await bob.texts()).toEqual([])
  for (const relay of [alices, bobs]) relay.instead = () => null
  expect(await bob.arrived(1)).toEqual(['from a device that the card lacks'])
})
