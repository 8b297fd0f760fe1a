/** Messages while keys change: those of a device each week, that of the persona by a rotation, and the apps key by a lock. */
import { expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { DAY_SEC, NOTES, twoPeople } from '../../../support/message-daemon.ts'
import type { MessageRelay } from '../../../support/message-relay.ts'
import { RETRY_SEC } from '../../../support/message-world.ts'
import { rotates } from '../../../support/rotation.ts'

const PASSPHRASE = { passphrase: 'correct horse battery staple' }

test('a message that is sealed to the new key of a device arrives while the stream of before stands', async () => {
  const { world, alice, bob } = await twoPeople()
  await alice.send(bob, 'with the first key')
  await bob.arrived(1)
  const keyOf = (): string => formatHex(bob.cards.deviceNow(NOTES)!.card.devices[0]!.enc)
  await world.later(7 * DAY_SEC - 1800)
  const before = keyOf()
  // The round an hour after the jump draws it, a moment before the streams end that began after it.
  await world.pass(3600 - RETRY_SEC)
  expect(keyOf()).not.toBe(before)
  await alice.send(bob, 'with the second key')
  expect(await bob.arrived(2)).toEqual(['with the first key', 'with the second key'])
})

test('a persona that is locked receives, and its receipts go', async () => {
  const { world, alice, bob } = await twoPeople()
  await bob.test.call('passphrase.set', PASSPHRASE)
  await bob.test.call('persona.lock')
  await world.settle()
  const number = await alice.send(bob, 'while your key is locked')
  expect(await bob.arrived(1)).toEqual(['while your key is locked'])
  await alice.untilSent(number, 'received')
})

test('while the apps key is closed a message waits at the inbox, calls say why, and the message comes once after the key opens', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await bob.test.call('passphrase.set', PASSPHRASE)
  await bob.sealed.key.choose('locked')
  await bob.test.call('persona.lock')
  await world.settle()
  const number = await alice.send(bob, 'while nothing can be read')
  await alice.untilSent(number, 'notified')
  await world.later(DAY_SEC)
  expect([bob.messages.isOpen, await bobs.entries()]).toEqual([false, 1])
  for (const call of [bob.read(), bob.use(), bob.send(alice, 'hello'), bob.call('message.list', {})])
    await expect(call).rejects.toMatchObject({ code: 'APPS_LOCKED' })
  await bob.test.call('persona.unlock', PASSPHRASE)
  expect(await bob.arrived(1)).toEqual(['while nothing can be read'])
  await alice.untilSent(number, 'received')
  await world.until(async () => (await bobs.entries()) === 0)
  expect(await bob.texts()).toEqual(['while nothing can be read'])
})

/** Keeps the first call of this method for an object waiting. */
function heldAt(relay: MessageRelay, method: string): { readonly isAsked: () => boolean; readonly answer: () => void } {
  const answered = Promise.withResolvers<null>()
  let isAsked = false
  relay.instead = (call) => {
    if (isAsked || call.method !== method || !call.path.startsWith('/store/')) return null
    isAsked = true
    return answered.promise
  }
  return { isAsked: () => isAsked, answer: () => answered.resolve(null) }
}

test('an apps key that closes in the middle of a fetch and of a sending ends both, and they go on once it opens', async () => {
  const { world, alices, bobs, alice, bob } = await twoPeople()
  await bob.test.call('passphrase.set', PASSPHRASE)
  await bob.sealed.key.choose('locked')
  const [fetch, put] = [heldAt(alices, 'GET'), heldAt(bobs, 'PUT')]
  await alice.send(bob, 'to the locked one')
  await world.until(fetch.isAsked)
  const number = await bob.send(alice, 'from the locked one')
  await world.until(put.isAsked)
  await bob.test.call('persona.lock')
  fetch.answer()
  put.answer()
  await world.later(3600)
  expect(bob.messages.isOpen).toBe(false)
  await bob.test.call('persona.unlock', PASSPHRASE)
  expect(await bob.arrived(1)).toEqual(['to the locked one'])
  await bob.untilSent(number, 'received')
  expect(await alice.texts()).toEqual(['from the locked one'])
})

test('a rotation of the sender between the store and the fetch loses nothing', async () => {
  const { world, alice, bob } = await twoPeople()
  await bob.stopped()
  const number = await alice.send(bob, 'before the rotation')
  await alice.untilSent(number, 'notified')
  await rotates(alice.test, null, { epoch: 1 })
  await world.settle()
  const back = await bob.restarted()
  expect(await back.arrived(1)).toEqual(['before the rotation'])
  await alice.untilSent(number, 'received')
})

test('a rotation of both while an object is on its way to the store, and while it is fetched, loses nothing', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  const rotateBoth = async (epoch: number): Promise<void> => {
    for (const { test: keeper } of [alice, bob]) await rotates(keeper, null, { epoch })
  }
  const put = heldAt(alices, 'PUT')
  const number = await alice.send(bob, 'in the middle')
  await world.until(put.isAsked)
  await rotateBoth(1)
  const fetch = heldAt(alices, 'GET')
  put.answer()
  await world.until(fetch.isAsked)
  await rotateBoth(2)
  fetch.answer()
  await alice.untilSent(number, 'received')
  await bob.send(alice, 'after two rotations')
  expect(await alice.arrived(1)).toEqual(['after two rotations'])
  expect(await bob.texts()).toEqual(['in the middle'])
})
