/** A relay keeps inboxes and objects by right: of those whose card was put with a token of its operator, or whom it lists. */
import { expect, test } from 'vitest'
import { relayFindings } from '../../../../src/daemon/messages/findings.ts'
import { makeContacts, MessageDaemon } from '../../../support/message-daemon.ts'
import type { MessageRelay } from '../../../support/message-relay.ts'
import { MessageWorld } from '../../../support/message-world.ts'

interface Guest {
  readonly world: MessageWorld
  readonly relay: MessageRelay
  readonly alice: MessageDaemon
  readonly bob: MessageDaemon
}

/** Alice takes messages at a relay of which she has no token. Bob has one. */
async function guest(): Promise<Guest> {
  const world = new MessageWorld()
  const relay = await world.relay('relay')
  const alice = await MessageDaemon.open(world, 'Alice', [relay])
  const bob = await MessageDaemon.open(world, 'Bob', [relay])
  await makeContacts(alice, bob)
  alice.token = null
  await alice.use()
  await bob.use()
  await world.settle()
  return { world, relay, alice, bob }
}

test('an owner who gets the token later adds the relay again with it: what waits goes and comes at once', async () => {
  const { world, alice, bob } = await guest()
  await alice.send(bob, 'hello')
  // The pauses grow up to minutes and hours.
  for (const sec of [10, 100, 1000]) {
    world.turn(sec)
    await world.settle()
  }
  expect(await alice.sent(1)).toMatchObject({ state: 'queued', reason: 'RELAY_NO_RIGHT' })
  alice.getsToken()
  // No time passes.
  await world.settle()
  expect([(await alice.sent(1))?.reason, relayFindings(alice.messages)]).toEqual([null, []])
  await alice.untilSent(1, 'received')
  await bob.untilSent(await bob.send(alice, 'hello you'), 'received')
})

test('an operator who lists the persona later is asked again, without a token', async () => {
  const { world, relay, alice, bob } = await guest()
  await alice.send(bob, 'hello')
  await world.settle()
  relay.listed.push(alice.personaId)
  await alice.untilSent(1, 'received')
  expect(await bob.texts()).toEqual(['hello'])
})
