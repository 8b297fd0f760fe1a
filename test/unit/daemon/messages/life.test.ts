/** The ways of messages between people who have each other as contacts (docs/messages.md, section 8). */
import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { answerOf } from '../../../support/message-relay.ts'
import { DAY_SEC, makeContacts, messageApp, MessageDaemon, NOTES, twoPeople } from '../../../support/message-daemon.ts'
import { MessageWorld } from '../../../support/message-world.ts'

describe('a sender', () => {
  test('hears at once of a person who has no card for the app', async () => {
    const world = new MessageWorld()
    const relay = await world.relay('one')
    const alice = await MessageDaemon.open(world, 'Alice', [relay])
    const bob = await MessageDaemon.open(world, 'Bob', [relay])
    await makeContacts(alice, bob)
    await expect(alice.send(bob, 'hello')).rejects.toMatchObject({ code: 'MESSAGE_NO_CARD' })
    await expect(alice.send(alice, 'hello')).rejects.toMatchObject({ code: 'MESSAGE_SELF' })
  })

  test('finds a person as soon as the app of theirs has opened its inbox', async () => {
    const world = new MessageWorld()
    const relay = await world.relay('one')
    const alice = await MessageDaemon.open(world, 'Alice', [relay])
    const bob = await MessageDaemon.open(world, 'Bob', [relay])
    await makeContacts(alice, bob)
    const { promise: held, resolve: release } = Promise.withResolvers<null>()
    relay.instead = ({ method, path }) => (method === 'PUT' && path.startsWith('/card/') ? held : null)
    let isOpen = false
    const opening = bob.call('message.open', { app: NOTES }).then(() => (isOpen = true))
    await world.until(() => relay.count('PUT /card/') > 0)
    expect(isOpen).toBe(false)
    release(null)
    await opening
    await alice.send(bob, 'hello')
    expect(await bob.arrived(1)).toEqual(['hello'])
  })

  test('opens an inbox after three seconds although its relay does not answer', async () => {
    const world = new MessageWorld()
    const relay = await world.relay('one')
    const bob = await MessageDaemon.open(world, 'Bob', [relay])
    const { promise: held, resolve: release } = Promise.withResolvers<null>()
    relay.instead = () => held
    const opening = bob.call('message.open', { app: NOTES })
    await world.until(() => relay.count('PUT /card/') > 0)
    world.turn(3)
    expect(await opening).toMatchObject({ app: NOTES, inboxes: [{ url: relay.url }] })
    release(null)
  })

  test('who gives the same key twice sends once', async () => {
    const { world, alice, bob } = await twoPeople()
    const numbers = await Promise.all([1, 2, 3].map(() => alice.send(bob, 'hello', 'one key')))
    expect(new Set(numbers).size).toBe(1)
    await bob.arrived(1)
    await world.later(60)
    expect(await bob.texts()).toEqual(['hello'])
    expect(await alice.send(bob, 'hello', 'one key')).toBe(numbers[0])
  })

  test('has a message on disk before the store is there, and sends it then', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    alices.isDown = true
    const number = await alice.send(bob, 'hello')
    expect((await alice.sent(number))!.state).toBe('queued')
    const back = await alice.restarted()
    await world.later(3600)
    alices.isDown = false
    expect(await bob.arrived(1)).toEqual(['hello'])
    await back.untilSent(number, 'received')
  })

  test('keeps the message to another person from no store while the inbox of one does not answer', async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople()
    const carol = await MessageDaemon.open(world, 'Carol', [alices])
    await makeContacts(alice, carol)
    await carol.use()
    const { promise: held, resolve: release } = Promise.withResolvers<null>()
    bobs.instead = ({ method, path }) => (method === 'POST' && path.startsWith('/inbox/') ? held : null)
    for (let n = 0; n < 3; n++) await alice.send(bob, `slow ${n}`)
    await world.until(() => bobs.count('POST /inbox/') >= 2)
    await alice.send(carol, 'quick')
    world.turn(1)
    // No time passes, so no call gives up.
    while ((await carol.texts()).length === 0) await setImmediate()
    release(null)
    expect((await bob.arrived(3)).toSorted()).toEqual(['slow 0', 'slow 1', 'slow 2'])
  })

  test('hears in the end that a message could not go', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    await alice.send(bob, 'before')
    await bob.arrived(1)
    await world.settle()
    bobs.isDown = true
    const number = await alice.send(bob, 'hello')
    for (let day = 0; day < 30; day++) await world.later(DAY_SEC)
    expect(await alice.sent(number)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^RELAY_/) as string,
    })
  })

  test('has a message wait while the card of the recipient names no inbox, and it goes once one is named', async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople()
    alices.isDown = true
    const number = await alice.send(bob, 'hello')
    await bob.cards.setInboxes(NOTES, [])
    await bob.cards.idle()
    alices.isDown = false
    // Alice reads the card again after an hour.
    await world.later(3600)
    expect(await alice.sent(number)).toMatchObject({ state: 'stored', reason: 'MESSAGE_NO_INBOX' })
    await bob.cards.setInboxes(NOTES, [bobs.url])
    await alice.untilSent(number, 'received')
    expect(await bob.texts()).toEqual(['hello'])
  })

  test('keeps nothing of a message after a month', async () => {
    const { world, alice, bob } = await twoPeople()
    const number = await alice.send(bob, 'hello', 'one key')
    await alice.untilSent(number, 'received')
    for (let day = 0; day < 35; day += 5) await world.later(5 * DAY_SEC)
    expect(await alice.sent(number)).toBeUndefined()
  })
})

describe('a recipient', () => {
  test('hears of messages that are missing', async () => {
    const { bobs, alice, bob } = await twoPeople()
    await alice.send(bob, 'one')
    await bob.arrived(1)
    bobs.instead = ({ method, path }) =>
      method === 'POST' && path === `/inbox/${bob.personaId}` ? answerOf(202, { ok: true }) : null
    const lost = await alice.send(bob, 'two')
    await alice.untilSent(lost, 'notified')
    bobs.instead = () => null
    await alice.send(bob, 'three')
    await bob.arrived(2)
    expect((await bob.read()).map(({ missing }) => missing)).toEqual([0, 1])
  })

  test('who moves their inbox while messages travel loses none', async () => {
    const { world, alice, bob } = await twoPeople()
    const newer = await world.relay('newer')
    await alice.send(bob, 'before')
    await bob.arrived(1)
    await bob.stopped()
    const number = await alice.send(bob, 'to the old one')
    await alice.untilSent(number, 'notified')
    const back = await bob.restarted()
    await back.cards.setInboxes(NOTES, [newer.url])
    await alice.send(back, 'by a card that is old')
    await world.later(3700)
    await alice.send(back, 'to the new one')
    expect((await back.arrived(4)).toSorted()).toEqual([
      'before',
      'by a card that is old',
      'to the new one',
      'to the old one',
    ])
    expect(newer.count('POST /inbox')).toBeGreaterThan(0)
  })

  test('who moves their inbox away from a relay that is down gets what lay there after it is back', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    const newer = await world.relay('newer')
    await bob.stopped()
    const first = await alice.send(bob, 'at the old one')
    await alice.untilSent(first, 'notified')
    bobs.isDown = true
    const back = await bob.restarted()
    await back.cards.setStores(NOTES, [newer.url])
    await back.cards.setInboxes(NOTES, [newer.url])
    await world.settle()
    const second = await alice.send(back, 'sent while the old one is down')
    await world.later(3 * DAY_SEC)
    // The table of Bob names the old relay alone, so nobody finds his card.
    expect([await back.texts(), (await alice.sent(second))!.state]).toEqual([[], 'stored'])
    bobs.isDown = false
    await world.later(3600)
    expect((await back.arrived(2)).toSorted()).toEqual(['at the old one', 'sent while the old one is down'])
    for (const number of [first, second]) await alice.untilSent(number, 'received')
  })
})

describe('an app', () => {
  test('that has sent and opened nothing gets messages at the inbox that its owner named before the messages began', async () => {
    const world = new MessageWorld()
    const relay = await world.relay('one')
    const alice = await MessageDaemon.open(world, 'Alice', [relay])
    const bob = await MessageDaemon.open(world, 'Bob', [relay])
    await makeContacts(alice, bob)
    await bob.messages.close()
    await bob.cards.device(NOTES)
    await bob.cards.setInboxes(NOTES, [relay.url])
    await world.settle()
    bob.messages.start()
    await alice.send(bob, 'hello')
    expect(await bob.arrived(1)).toEqual(['hello'])
  })

  test('sees nothing of the messages of another one', async () => {
    const { alice, bob } = await twoPeople()
    await alice.send(bob, 'hello')
    await bob.arrived(1)
    const other = messageApp('org.example.other')
    await expect(bob.call('message.read', { app: NOTES, after: 0 }, other)).rejects.toMatchObject({
      code: 'MESSAGE_APP',
    })
    await expect(
      bob.call('message.put', { app: NOTES, to: alice.personaId, text: 'as notes' }, other),
    ).rejects.toMatchObject({ code: 'MESSAGE_APP' })
    expect((await bob.call('message.read', { after: 0 }, other)).messages).toEqual([])
    await expect(bob.call('message.ack', { upTo: 1 }, other)).rejects.toMatchObject({ code: 'MESSAGE_UNREAD' })
  })
})
