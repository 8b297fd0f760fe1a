/** A persona gets a successor while messages travel: none is lost, and the app hears of one that cannot go (docs/messages.md, section 8). */
import { expect, test } from 'vitest'
import { ownText } from '../../../support/keeper.ts'
import { DAY_SEC, twoPeople, type MessageDaemon } from '../../../support/message-daemon.ts'
import { deviceKey } from '../../../support/person.ts'

async function succeeds(daemon: MessageDaemon): Promise<string> {
  const { plan } = await daemon.test.call('succession.plan')
  const { table } = await daemon.test.call('succession.apply', { plan })
  await daemon.world.settle()
  return table.personaId
}

/** Sees the table of the successor, and follows. */
async function hears(daemon: MessageDaemon, of: MessageDaemon): Promise<void> {
  await daemon.test.call('observe', { from: deviceKey(`${of.name}'s laptop`), text: await ownText(of.test) })
  await daemon.world.settle()
}

test('a message that waits for its reader is read after the reader knows the successor, and the object goes', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  await bob.stopped()
  const number = await alice.send(bob, 'before the succession')
  await alice.untilSent(number, 'notified')
  await succeeds(alice)
  await hears(bob, alice)
  const back = await bob.restarted()
  expect(await back.arrived(1)).toEqual(['before the succession'])
  await alice.untilSent(number, 'received')
  await world.until(() => alices.objects.length === 0)
})

test('messages of a reader who does not know the successor yet come, and both hear of receipts', async () => {
  const { world, alices, bobs, alice, bob } = await twoPeople()
  const former = alice.personaId
  await bob.stopped()
  const first = await alice.send(bob, 'before the succession')
  await alice.untilSent(first, 'notified')
  const now = await succeeds(alice)
  const back = await bob.restarted()
  expect(await back.arrived(1)).toEqual(['before the succession'])
  const second = await back.send(alice, 'to the persona of before')
  expect(await alice.arrived(1)).toEqual(['to the persona of before'])
  await alice.untilSent(first, 'received')
  await hears(back, alice)
  await back.untilSent(second, 'received')
  expect((await alice.read()).map(({ to }) => to)).toEqual([former])
  await back.call('message.put', { app: 'org.example.notes', to: now, text: 'to the successor' })
  expect(await alice.arrived(2)).toEqual(['to the persona of before', 'to the successor'])
  await world.until(async () => alices.objects.length + bobs.objects.length + (await alices.entries()) === 0)
})

test('a message that no store has goes as the persona of before, also after a start', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  alices.isDown = true
  const number = await alice.send(bob, 'written before, sent after')
  await succeeds(alice)
  const back = await alice.restarted()
  alices.isDown = false
  await world.later(3600)
  expect(await bob.arrived(1)).toEqual(['written before, sent after'])
  await back.untilSent(number, 'received')
})

test('a message to somebody who has a successor by now fails, and the app hears why', async () => {
  const { world, alices, alice, bob } = await twoPeople()
  alices.isDown = true
  const number = await alice.send(bob, 'to the persona of before')
  await succeeds(bob)
  await hears(alice, bob)
  alices.isDown = false
  await world.later(3600)
  expect(await alice.sent(number)).toMatchObject({ state: 'failed', reason: 'PERSONA_SUCCEEDED' })
  expect(await bob.texts()).toEqual([])
})

test('the inbox of the persona of before is read for as long as its card', async () => {
  const { world, bobs, bob } = await twoPeople()
  const former = bob.personaId
  await succeeds(bob)
  const asked = (): number => bobs.count(`GET /inbox/${former}`)
  await world.later(3600)
  expect(asked()).toBeGreaterThan(0)
  for (let day = 0; day < 32; day += 2) await world.later(2 * DAY_SEC)
  const before = asked()
  await world.later(DAY_SEC)
  expect(asked()).toBe(before)
})
