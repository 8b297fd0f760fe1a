/** Somebody who is no contact asks first, and nothing of theirs is fetched before (docs/messages.md, section 8). */
import { describe, expect, test } from 'vitest'
import { inboxAt } from '../../../../src/daemon/messages/tasks/relays-at.ts'
import { setSenders } from '../../../../src/relay/inboxes.ts'
import { MessageDaemon, NOTES, twoPeople, type TwoPeople } from '../../../support/message-daemon.ts'
import { MessageWorld } from '../../../support/message-world.ts'
import { rotates } from '../../../support/rotation.ts'

/** Mallory has Bob as a contact, and Bob does not know Mallory. */
async function strangers(): Promise<TwoPeople> {
  const world = new MessageWorld()
  const [alices, bobs] = [await world.relay('alice'), await world.relay('bob')]
  const alice = await MessageDaemon.open(world, 'Alice', [alices])
  const bob = await MessageDaemon.open(world, 'Bob', [bobs])
  await alice.meets(bob)
  await alice.use()
  await bob.use()
  return { world, alices, bobs, alice, bob }
}

const requestsOf = async (bob: MessageDaemon) => (await bob.call('message.list', {})).requests

test('nothing of a stranger is fetched, and after the owner has accepted them it is read', async () => {
  const { world, alices, alice, bob } = await strangers()
  const number = await alice.send(bob, 'you do not know me')
  const [request] = await world.until(async () => {
    const requests = await requestsOf(bob)
    return requests.length > 0 && requests
  })
  await world.later(3600)
  expect(request).toMatchObject({ app: NOTES, persona: alice.personaId, entries: 1 })
  expect([await bob.texts(), alices.count('GET /store'), (await requestsOf(bob)).length]).toEqual([[], 0, 1])
  await bob.call('message.answer', { app: NOTES, persona: alice.personaId, answer: 'accept' })
  await world.later(3600)
  expect(await bob.texts()).toEqual(['you do not know me'])
  await alice.untilSent(number, 'received')
  expect(await requestsOf(bob)).toEqual([])
})

test('what a stranger has sent is read once they are a contact, and they ask no more', async () => {
  const { world, alice, bob } = await strangers()
  const number = await alice.send(bob, 'you know me now')
  await world.until(async () => (await requestsOf(bob)).length > 0)
  await bob.meets(alice)
  await world.later(60)
  expect([await bob.texts(), await requestsOf(bob)]).toEqual([['you know me now'], []])
  await alice.untilSent(number, 'received')
})

test('a stranger who is rejected or blocked is not heard, and learns nothing', async () => {
  for (const answer of ['reject', 'block'] as const) {
    const { world, alices, alice, bob } = await strangers()
    const number = await alice.send(bob, 'buy this')
    await world.until(async () => (await requestsOf(bob)).length > 0)
    await bob.call('message.answer', { app: NOTES, persona: alice.personaId, answer })
    await alice.send(bob, 'buy that')
    await world.later(3600)
    expect([await bob.texts(), await requestsOf(bob), alices.count('GET /store')]).toEqual([[], [], 0])
    expect((await alice.sent(number))!.state).toBe('notified')
  }
})

test('a contact whom the owner blocks while their message is on its way is not read', async () => {
  const { world, alices, alice, bob } = await strangers()
  await bob.meets(alice)
  alices.instead = ({ method, path }) => {
    if (method === 'GET' && path.startsWith('/store/')) throw new TypeError('fetch failed')
    return null
  }
  await alice.send(bob, 'hello')
  await world.until(async () => (await bob.call('message.list', {})).apps[0]!.fetching === 1)
  await bob.test.call('contact.block', { contact: alice.personaId })
  alices.instead = () => null
  await world.later(3600)
  expect([await bob.texts(), (await bob.call('message.list', {})).apps[0]!.fetching]).toEqual([[], 0])
})

describe('somebody whom the owner has blocked is heard again: the inbox learns of it', () => {
  /** Resolves once the relay has heard what the owner thinks of somebody by now. */
  async function heard({ world, bobs, bob }: TwoPeople, change: () => Promise<unknown>): Promise<void> {
    const words = (): number => bobs.count(`POST /inbox/${bob.personaId}/senders`)
    const before = words()
    await change()
    await world.until(() => words() > before)
    await world.settle()
  }

  test('after a yes to a stranger', async () => {
    const people = await strangers()
    const { world, alice, bob } = people
    const answer = async (given: 'accept' | 'block'): Promise<unknown> =>
      await bob.call('message.answer', { app: NOTES, persona: alice.personaId, answer: given })
    await alice.send(bob, 'you do not know me')
    await world.until(async () => (await requestsOf(bob)).length > 0)
    await heard(people, async () => await answer('block'))
    await alice.untilSent(await alice.send(bob, 'dropped by the relay'), 'notified')
    await heard(people, async () => await answer('accept'))
    await alice.untilSent(await alice.send(bob, 'taken'), 'received')
    expect(await bob.texts()).toEqual(['taken'])
  })

  test('after the end of a block, also where the daemon has started in between', async () => {
    const people = await strangers()
    const { alice, bob } = people
    await bob.meets(alice)
    await heard(people, async () => await bob.test.call('contact.block', { contact: alice.personaId }))
    await alice.untilSent(await alice.send(bob, 'dropped by the relay'), 'notified')
    const back = await bob.restarted()
    await heard(people, async () => await back.test.call('contact.unblock', { contact: alice.personaId }))
    await alice.untilSent(await alice.send(back, 'taken'), 'received')
    expect(await back.texts()).toEqual(['taken'])
  })

  /** Alice is a contact whom Bob's inbox drops. */
  async function blocked(): Promise<TwoPeople> {
    const people = await strangers()
    const { alice, bob } = people
    await bob.meets(alice)
    await heard(people, async () => await bob.test.call('contact.block', { contact: alice.personaId }))
    return people
  }

  test('after a crash between the end of a block and its word, at the next start', async () => {
    const people = await blocked()
    const { alice, bob } = people
    bob.test.onEvent = () => {}
    await bob.test.call('contact.unblock', { contact: alice.personaId })
    let back = bob
    await heard(people, async () => (back = await bob.restarted()))
    await alice.untilSent(await alice.send(back, 'taken'), 'received')
    expect(await back.texts()).toEqual(['taken'])
  })

  test('after the end of a block of which a relay that was away did not hear before the daemon ended', async () => {
    const people = await blocked()
    const { world, bobs, alice, bob } = people
    bobs.isDown = true
    await bob.test.call('contact.unblock', { contact: alice.personaId })
    await world.later(60)
    const back = await bob.restarted()
    bobs.isDown = false
    await world.later(3600)
    await alice.untilSent(await alice.send(back, 'taken'), 'received')
    expect(await back.texts()).toEqual(['taken'])
  })

  test('once the owner has forgotten them, as a stranger, and once they are a contact again', async () => {
    const people = await blocked()
    const { world, alice, bob } = people
    await heard(people, async () => await bob.test.call('contact.forget', { contact: alice.personaId }))
    await alice.send(bob, 'you do not know me')
    await world.until(async () => (await requestsOf(bob)).length > 0)
    await bob.meets(alice)
    await world.later(60)
    expect(await bob.texts()).toEqual(['you do not know me'])
  })

  test('a crash between a block and its word: the next entry brings it, and the relay drops those after it', async () => {
    const people = await strangers()
    const { world, bobs, alice, bob } = people
    await bob.meets(alice)
    bob.test.onEvent = () => {}
    await bob.test.call('contact.block', { contact: alice.personaId })
    const back = await bob.restarted()
    await heard(people, async () => await alice.send(back, 'read by nobody'))
    await world.settle()
    const entries = await bobs.entries()
    await alice.untilSent(await alice.send(back, 'dropped by the relay'), 'notified')
    expect([await back.texts(), await bobs.entries()]).toEqual([[], entries])
  })

  test('no relay hears of a contact who has sent nothing there', async () => {
    const { world, bobs, alice, bob } = await strangers()
    await bob.meets(alice)
    await bob.test.call('contact.forget', { contact: alice.personaId })
    await bob.meets(alice)
    await bob.restarted()
    await world.later(3600)
    expect(bobs.count(`POST /inbox/${bob.personaId}/senders`)).toBe(0)
  })
})

test('a stolen device that keeps a contact out of the inbox does so until the rotation that leaves it out', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await alice.untilSent(await alice.send(bob, 'before'), 'received')
  const thief = await bob.phone()
  const device = thief.cards.deviceNow(NOTES)!
  const { client, inbox } = await inboxAt(bobs.url, bob.personaId, NOTES, device, thief.messages.means)
  await setSenders(client, inbox, { block: [alice.personaId], strangers: 0 })
  await alice.untilSent(await alice.send(bob, 'kept out'), 'notified')
  await world.later(3600)
  expect(await bob.texts()).toEqual(['before'])
  await thief.stopped()
  const before = bobs.calls.length
  await rotates(bob.test, null, { epoch: 1 })
  await world.later(3600)
  await alice.untilSent(await alice.send(bob, 'after'), 'received')
  // The entries that were dropped are left again, because the card is of another epoch.
  expect((await bob.texts()).toSorted()).toEqual(['after', 'before', 'kept out'])
  const calls = bobs.calls.slice(before)
  const put = calls.findIndex((call) => call.startsWith('PUT /card/'))
  const told = calls.findIndex((call) => call === `POST /inbox/${bob.personaId}/senders`)
  expect([put >= 0, told > put]).toEqual([true, true])
})
