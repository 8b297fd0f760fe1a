/** A state that was put back or copied: nothing is sent from it before the owner has reconciled it, and nothing is lost or told twice (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { MessageDaemon, twoPeople, type TwoPeople } from '../../../support/message-daemon.ts'
import { ownText } from '../../../support/keeper.ts'
import type { MessageRelay } from '../../../support/message-relay.ts'

/** A copy of what is on disk now, which begins later. It knows that it is one. */
async function copyOf({ world, test: original, relays, name }: MessageDaemon): Promise<() => Promise<MessageDaemon>> {
  const copy = await original.copied()
  return async () => {
    copy.nowSec = world.nowSec
    await copy.keeper.change(() => copy.keeper.own.wasCopied())
    return await MessageDaemon.over(world, copy, relays, name)
  }
}

async function reconciles(copy: MessageDaemon, original: MessageDaemon): Promise<void> {
  await copy.test.call('persona.reconcile', { copies: [await ownText(original.test)] })
  await copy.world.later(3600)
}

/** Calls that a device signs as itself. */
function signedCalls(relays: readonly MessageRelay[]): number {
  return relays.flatMap(({ calls }) => calls).filter((call) => !/^(GET|PUT) \/card/.test(call)).length
}

/** Alice has a message that no store has, and a copy of that state. The message then goes, and Alice's device is lost. */
async function copiedSender(): Promise<
  TwoPeople & { readonly number: number; readonly begin: () => Promise<MessageDaemon> }
> {
  const people = await twoPeople()
  const { world, alices, alice, bob } = people
  alices.isDown = true
  const number = await alice.send(bob, 'from the old state')
  const begin = await copyOf(alice)
  alices.isDown = false
  await alice.untilSent(number, 'received')
  await world.until(() => alices.objects.length === 0)
  await alice.stopped()
  return { ...people, number, begin }
}

test('a message of an old state is not sent again, and the app hears why', async () => {
  const { world, alices, bobs, alice, bob, number, begin } = await copiedSender()
  await world.settle()
  await bob.stopped()
  const calls = signedCalls([alices, bobs])
  const copy = await begin()
  await world.later(3600)
  expect(signedCalls([alices, bobs])).toBe(calls)
  await expect(copy.send(bob, 'hello')).rejects.toMatchObject({ code: 'RESTORE_UNRECONCILED' })
  await reconciles(copy, alice)
  expect(await copy.sent(number)).toMatchObject({ state: 'failed', reason: 'RESTORED' })
  expect(alices.objects).toEqual([])
  const later = await copy.send(bob, 'from the new state')
  const back = await bob.restarted()
  await copy.untilSent(later, 'received')
  expect(await back.texts()).toEqual(['from the old state', 'from the new state'])
})

test('a copy beside its original takes no message from it', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  const begin = await copyOf(bob)
  const copy = await begin()
  await bob.stopped()
  const number = await alice.send(bob, 'to the original')
  await alice.untilSent(number, 'notified')
  await world.later(3600)
  expect([await copy.texts(), await bobs.entries()]).toEqual([[], 1])
  const back = await bob.restarted()
  expect(await back.arrived(1)).toEqual(['to the original'])
  await alice.untilSent(number, 'received')
})

test('a state that was put back gets what waits once it is reconciled, also what was sealed to the keys of before', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await alice.send(bob, 'before the copy')
  await bob.arrived(1)
  await world.settle()
  const begin = await copyOf(bob)
  await bob.stopped()
  const before = await alice.send(bob, 'to the keys of before')
  await world.settle()
  const copy = await begin()
  await reconciles(copy, bob)
  await alice.send(copy, 'to the new keys')
  expect(await copy.arrived(3)).toEqual(['before the copy', 'to the keys of before', 'to the new keys'])
  await world.until(async () => (await bobs.entries()) === 0)
  // Its receipt has the new key, which no object of then was sealed to. The card lists it.
  expect(await alice.untilSent(before, 'received')).toMatchObject({ devices: 1, received: 1 })
})
