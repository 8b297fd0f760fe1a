/** Objects that cannot be had, or are others than their entries say (docs/messages.md, section 8). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { changeCounts } from '../../../../src/daemon/messages/records/counts.ts'
import { ARRIVED, JOB } from '../../../../src/daemon/messages/records/kinds.ts'
import { inChange } from '../../../../src/daemon/messages/records/means.ts'
import { numbered } from '../../../../src/daemon/sealed/numbered.ts'
import {
  DAY_SEC,
  NOTES,
  recordsOf,
  twoPeople,
  type MessageDaemon,
  type TwoPeople,
} from '../../../support/message-daemon.ts'
import { answerOf, wholeObject, type Instead, type MessageRelay } from '../../../support/message-relay.ts'
import { etagOf } from '../../../support/relay-object-world.ts'

/** Alice sends a message while Bob is off, so that the test can do something to its object. */
async function whileBobIsOff(text: string): Promise<TwoPeople & { readonly number: number }> {
  const people = await twoPeople()
  await people.bob.stopped()
  const number = await people.alice.send(people.bob, text)
  await people.alice.untilSent(number, 'notified')
  return { ...people, number }
}

test('while the store is down a message is unread at the inbox, and comes when the store is back', async () => {
  const { world, alices, bobs, alice, bob, number } = await whileBobIsOff('hello')
  alices.isDown = true
  const back = await bob.restarted()
  await world.until(() => alices.count('GET /store') > 0)
  await world.later(3600)
  expect([await back.texts(), await bobs.entries()]).toEqual([[], 1])
  expect((await back.call('message.list', {})).apps[0]).toMatchObject({ unread: 0, fetching: 1 })
  alices.isDown = false
  await world.later(3600)
  expect([await back.texts(), await bobs.entries()]).toEqual([['hello'], 0])
  await alice.untilSent(number, 'received')
})

test('a fetch is on the disk once its first try has failed, and until then its entry is at the inbox', async () => {
  const { world, alices, bobs, bob } = await whileBobIsOff('hello')
  const { promise: held, resolve: release } = Promise.withResolvers<Awaited<ReturnType<Instead>>>()
  alices.instead = ({ method, path }) => (method === 'GET' && path.startsWith('/store/') ? held : null)
  const back = await bob.restarted()
  await world.until(() => alices.count('GET /store/') > 0)
  expect([await recordsOf(back, JOB), await bobs.entries()]).toEqual([0, 1])
  release(answerOf(503, { error: 'Failed' }))
  await world.until(async () => (await recordsOf(back, JOB)) === 1)
  alices.instead = () => null
  expect(await back.arrived(1)).toEqual(['hello'])
})

test('an object that is on its way counts for its sender and its inbox, also after a restart', async () => {
  const { world, alices, bobs, alice, bob } = await whileBobIsOff('hello')
  alices.isDown = true
  const back = await bob.restarted()
  const count = (of: MessageDaemon): number => of.messages.queue.fetchesOf(NOTES, bobs.url, alice.personaId)
  await world.until(async () => (await recordsOf(back, JOB)) === 1)
  bobs.isDown = true
  expect(count(await back.restarted())).toBe(1)
})

test('a message waits at the inbox while an app leaves no room, and comes as soon as the app has made some', async () => {
  const { world, bobs, alice, bob } = await twoPeople()
  await alice.send(bob, 'a large one')
  await bob.arrived(1)
  await world.settle()
  const { means } = bob.messages
  const bytes = 64 << 20
  await means.keeper.change(() => {
    const arrived = inChange(means, ARRIVED)
    arrived.put(numbered(NOTES, 1), { ...arrived.get(numbered(NOTES, 1))!, bytes })
    changeCounts(NOTES, () => ({ unreadBytes: bytes }), means)
  })
  const number = await alice.send(bob, 'waits')
  await alice.untilSent(number, 'notified')
  for (let hour = 0; hour < 3; hour++) await world.later(3600)
  expect([(await bob.call('message.list', {})).apps[0], await bobs.entries()]).toMatchObject([
    { unread: 1, fetching: 1 },
    1,
  ])
  const startSec = world.nowSec
  await bob.call('message.ack', { app: NOTES, upTo: 1 })
  expect(await bob.arrived(1)).toEqual(['waits'])
  expect(world.nowSec - startSec).toBeLessThan(60)
  await alice.untilSent(number, 'received')
})

test('a store that stays down for a month makes the message fail, with the reason, and the inbox is free of it', async () => {
  const { world, alices, bobs, bob } = await whileBobIsOff('hello')
  alices.isDown = true
  const back = await bob.restarted()
  await world.until(() => alices.count('GET /store') > 0)
  for (let day = 0; day < 31; day += 6) await world.later(6 * DAY_SEC)
  await world.later(DAY_SEC)
  expect([await back.texts(), await bobs.entries()]).toEqual([['RELAY_UNREACHABLE'], 0])
})

test('an object that no store has is tried for an hour, and then the message fails and leaves the inbox', async () => {
  const { world, alices, bobs, bob } = await whileBobIsOff('hello')
  alices.instead = deniesAll({ ok: false, error: 'No such object' })
  const back = await bob.restarted()
  await world.until(() => alices.count('GET /store') >= 2)
  await world.later(1800)
  expect([await back.texts(), await bobs.entries()]).toEqual([[], 1])
  await world.later(7200)
  await world.later(7200)
  expect([await back.texts(), await bobs.entries()]).toEqual([['MESSAGE_GONE'], 0])
})

test('a 404 that is not of the store itself makes no message fail', async () => {
  const { world, alices, bob, number, alice } = await whileBobIsOff('hello')
  alices.instead = deniesAll('<h1>404 Not Found</h1>')
  const back = await bob.restarted()
  await world.until(() => alices.count('GET /store') >= 2)
  for (let hour = 0; hour < 12; hour += 4) await world.later(4 * 3600)
  expect(await back.texts()).toEqual([])
  alices.instead = () => null
  await world.later(3600)
  expect(await back.texts()).toEqual(['hello'])
  await alice.untilSent(number, 'received')
})

/** A store, or somebody in front of it, that answers 404 to each fetch. */
function deniesAll(body: unknown): Instead {
  return ({ method, path }) => (method === 'GET' && path.startsWith('/store/') ? answerOf(404, body) : null)
}

function objectFiles(relay: MessageRelay): Buffer[] {
  return relay.objects.map((name) => readFileSync(join(relay.directory, 'objects', 'kept', name)))
}

const DAMAGES: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array, string])[] = [
  ['changed', (bytes) => bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1), 'TAMPERED'],
  ['changed in its seals', (bytes) => bytes.with(40, bytes[40]! ^ 1), 'NOT_SEALED_TO_ME'],
  ['cut', (bytes) => bytes.subarray(0, bytes.length - 1), 'TAMPERED'],
  ['nothing but noise', (bytes) => bytes.map((_, i) => i % 251), 'UNKNOWN_VERSION'],
]

for (const [what, change, reason] of DAMAGES)
  test(`an object that is ${what} is not shown, fails as ${reason}, and leaves the inbox`, async () => {
    const { world, alices, bobs, bob } = await whileBobIsOff('hello')
    const [whole] = objectFiles(alices)
    alices.instead = ({ method, path }) => {
      if (method !== 'GET' || !path.startsWith('/store/')) return null
      return wholeObject(change(new Uint8Array(whole!)))
    }
    const back = await bob.restarted()
    expect(await back.arrived(1)).toEqual([reason])
    await world.until(async () => (await bobs.entries()) === 0)
  })

test('objects that a store has exchanged fail, and a later message comes', async () => {
  const { alices, alice, bob } = await whileBobIsOff('first')
  const [first] = objectFiles(alices)
  const second = await alice.send(bob, 'second')
  await alice.untilSent(second, 'notified')
  const other = objectFiles(alices).find((bytes) => !bytes.equals(first!))!
  alices.instead = async ({ method, path }) => {
    if (method !== 'GET' || !path.startsWith('/store/')) return null
    const { headers } = await alices.answer(path)
    return wholeObject(headers.get('etag') === etagOf(first!) ? other : first!)
  }
  const back = await bob.restarted()
  expect(await back.arrived(2)).toEqual(['NOT_SEALED_TO_ME', 'NOT_SEALED_TO_ME'])
  alices.instead = () => null
  await alice.send(back, 'third')
  expect((await back.arrived(3)).at(-1)).toBe('third')
})
