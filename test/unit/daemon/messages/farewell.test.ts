/** The owner leaves the persona, or erases everything: nothing of this device waits at a relay any more (docs/messages.md, section 8). */
import { describe, expect, test } from 'vitest'
import { sayFarewell } from '../../../../src/daemon/messages/farewell.ts'
import { INBOXES } from '../../../../src/daemon/messages/records/kinds.ts'
import type { Unreached } from '../../../../src/ipc/shapes/rotation.ts'
import { MessageDaemon, NOTES, recordsOf, twoPeople } from '../../../support/message-daemon.ts'
import { confirmWords } from '../../../support/rotation.ts'

/** As the daemon does it: the wings first, and then the cards. */
async function farewell(daemon: MessageDaemon): Promise<Unreached[]> {
  return [...(await sayFarewell(daemon.messages)), ...(await daemon.cards.farewell())]
}

async function leaves(daemon: MessageDaemon): Promise<Unreached[]> {
  await confirmWords(daemon.test)
  await daemon.test.call('persona.leave')
  return await farewell(daemon)
}

const WAYS: readonly (readonly [string, (daemon: MessageDaemon) => Promise<Unreached[]>])[] = [
  ['leaves the persona', leaves],
  ['erases everything', farewell],
]

describe.each(WAYS)('an owner who %s', (_, goes) => {
  test('leaves no object of this device at a store', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    await bob.stopped()
    const number = await alice.send(bob, 'hello')
    await alice.untilSent(number, 'notified')
    expect(alices.objects).toHaveLength(1)
    expect(await goes(alice)).toEqual([])
    await world.settle()
    expect(alices.objects).toEqual([])
  })

  test('asks no store for objects that are gone already', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    const number = await alice.send(bob, 'hello')
    await alice.untilSent(number, 'received')
    await world.until(() => alices.objects.length === 0)
    await world.settle()
    const deletes = alices.count('DELETE ')
    expect(await goes(alice)).toEqual([])
    expect(alices.count('DELETE ')).toBe(deletes)
  })

  test('hears of the objects and the cards that stay where the store does not answer', async () => {
    const { alices, alice, bob } = await twoPeople()
    await bob.stopped()
    await alice.untilSent(await alice.send(bob, 'hello'), 'notified')
    alices.isDown = true
    expect((await goes(alice)).map(({ kind, app }) => [kind, app])).toEqual([
      ['message', NOTES],
      ['card', NOTES],
    ])
  })

  test('keeps no entry waiting that the other device has read, and contacts write to that one alone', async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople()
    const phone = await bob.phone()
    alices.instead = ({ method, path }) => {
      if (method === 'GET' && path.startsWith('/store/')) throw new TypeError('fetch failed')
      return null
    }
    await alice.send(bob, 'to both')
    await world.settle()
    await bob.stopped()
    alices.instead = () => null
    await phone.arrived(1)
    expect([await phone.texts(), await bobs.entries()]).toEqual([['to both'], 1])
    alices.isDown = true
    const laptop = await bob.restarted()
    expect(await goes(laptop)).toEqual([])
    expect(await bobs.entries()).toBe(0)
    await laptop.stopped()
    alices.isDown = false
    await world.later(3600)
    const number = await alice.send(phone, 'to the phone')
    expect(await alice.untilSent(number, 'received')).toMatchObject({ devices: 1, received: 1 })
    expect(await phone.texts()).toEqual(['to both', 'to the phone'])
  })
})

test('after a leave nobody can be sent to there at once, and what was not received has failed', async () => {
  const { world, alice, bob } = await twoPeople()
  await bob.stopped()
  const number = await alice.send(bob, 'hello')
  await alice.untilSent(number, 'notified')
  await leaves(alice)
  expect(await alice.sent(number)).toMatchObject({ state: 'failed', reason: 'MESSAGE_NO_PERSONA' })
  const back = await bob.restarted()
  await world.later(3600)
  await expect(back.send(alice, 'are you there?')).rejects.toMatchObject({ code: 'MESSAGE_NO_DEVICE' })
})

test('after a leave this daemon asks no inbox, also not after a start', async () => {
  const { world, bobs, bob } = await twoPeople()
  expect(await leaves(bob)).toEqual([])
  const calls = bobs.calls.length
  await world.later(3600)
  const back = await bob.restarted()
  await world.later(3600)
  expect([bobs.calls.length - calls, await recordsOf(back, INBOXES), back.messages.isOpen]).toEqual([0, 0, true])
})
