/** Messages while keys change: those of a device each week, that of the persona by a rotation, and the apps key by a lock. */
import { expect, test } from 'vitest'
import { formatHex } from '../../../../src/core/encoding/bytes.ts'
import { DAY_SEC, NOTES, twoPeople } from '../../../support/message-daemon.ts'
import { RETRY_SEC } from '../../../support/message-world.ts'

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
