/** A relay that lies: it says done and does nothing, or gives something else. Nothing wrong reaches an app, and the owner sends by another relay. */
import { describe, expect, test } from 'vitest'
import { relayFindings } from '../../../../src/daemon/messages/findings.ts'
import type { InboxEntry } from '../../../../src/relay/wire.ts'
import { quickEngine } from '../../../support/quick-engine.ts'
import { DAY_SEC, NOTES, twoPeople, type MessageDaemon, type TwoPeople } from '../../../support/message-daemon.ts'
import {
  answerOf,
  wholeObject,
  type Instead,
  type MessageRelay,
  type RelayCall,
} from '../../../support/message-relay.ts'

const DONE = { ok: true }
const PASSPHRASE = { passphrase: 'correct horse battery staple' }

const isPut = ({ method, path }: RelayCall): boolean => method === 'PUT' && path.startsWith('/store/')
const isFetch = ({ method, path }: RelayCall): boolean => method === 'GET' && path.startsWith('/store/')
const isPost = ({ method, path }: RelayCall, owner: MessageDaemon): boolean =>
  method === 'POST' && path === `/inbox/${owner.personaId}`
const isList = ({ method, path }: RelayCall, owner: string): boolean =>
  method === 'GET' && path.startsWith(`/inbox/${owner}?`)

/** Alice, with two stores, and Bob, with two inboxes; the first of each lies once the test says how. */
async function withSpares(): Promise<TwoPeople & { readonly spare: MessageRelay }> {
  const people = await twoPeople()
  const spare = await people.world.relay('spare')
  await people.alice.cards.setStores(NOTES, [people.alices.url, spare.url])
  await people.bob.cards.setInboxes(NOTES, [people.bobs.url, spare.url])
  await people.bob.cards.idle()
  await people.alice.cards.find(people.bob.personaId, NOTES, { anew: true })
  await people.world.settle()
  return { ...people, spare }
}

/** A relay that lists the entries of an inbox otherwise than they are. */
function lists(owner: string, change: (entries: readonly InboxEntry[]) => readonly unknown[]): Instead {
  return async (call) => {
    if (!isList(call, owner)) return null
    const { entries, next } = (await (await call.real()).json()) as { entries: InboxEntry[]; next: number | null }
    return answerOf(200, { ok: true, entries: change(entries), next })
  }
}

/** Its sender hears of it after a month. */
function expired(number: number): object {
  return { app: NOTES, number, state: 'failed', reason: 'EXPIRED' }
}

/** Why inboxes of a person cannot be read, by their addresses. */
function problemsOf(daemon: MessageDaemon): Map<string, string> {
  const found = relayFindings(daemon.messages).filter(({ code }) => code === 'MESSAGES_UNREACHABLE')
  return new Map(found.map(({ about }) => [about!['url']!, about!['reason']!]))
}

describe('a store', () => {
  test('that says it has an object and drops it: the message fails at its reader, and the next one goes by another store', async () => {
    const { world, alices, spare, alice, bob } = await withSpares()
    alices.instead = (call) => (isPut(call) ? answerOf(201, DONE) : null)
    await alice.untilSent(await alice.send(bob, 'dropped'), 'notified')
    await world.later(7200)
    await world.later(7200)
    expect(await bob.texts()).toEqual(['MESSAGE_GONE'])
    await alice.cards.setStores(NOTES, [spare.url])
    await alice.untilSent(await alice.send(bob, 'by another'), 'received')
    expect(await bob.texts()).toEqual(['MESSAGE_GONE', 'by another'])
  })

  test('that says another object has the id of a new one: the message waits, and goes by the store that the owner names', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    alices.instead = (call) =>
      isPut(call) ? answerOf(412, { ok: false, error: 'Other' }, { etag: `"${'A'.repeat(43)}"` }) : null
    const number = await alice.send(bob, 'hello')
    await world.settle()
    expect(await alice.sent(number)).toMatchObject({ state: 'queued', reason: 'RELAY_STRANGE' })
    const other = await world.relay('other')
    await alice.cards.setStores(NOTES, [other.url])
    await alice.untilSent(number, 'received')
    expect(await bob.texts()).toEqual(['hello'])
  })

  test('whose object is another one at each fetch, and whose words about it differ, shows nothing wrong, and is believed once it tells the truth', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    await bob.stopped()
    await alice.untilSent(await alice.send(bob, 'hello'), 'notified')
    let whole: Uint8Array | null = null
    let fetches = 0
    const etag = `"${'A'.repeat(43)}"`
    const object = (body: Uint8Array, range: string, status = 206): ReturnType<Instead> =>
      answerOf(status, body, { etag, 'content-range': range })
    const lies: readonly ((bytes: Uint8Array) => ReturnType<Instead>)[] = [
      // No answer of a store: they count for none of the tries that found a wrong object.
      (bytes) => object(bytes, `bytes 0-${bytes.length}/${bytes.length + 1}`),
      (bytes) => object(bytes, `bytes 0-${bytes.length - 2}/${bytes.length - 1}`),
      (bytes) => object(bytes, `bytes 0-${2 ** 40}/${2 ** 40 + 1}`),
      (bytes) => object(bytes, 'bytes 0-1/2', 200),
      (bytes) => object(bytes, `bytes 7-${bytes.length - 1}/${bytes.length}`),
      (bytes) => answerOf(206, bytes, { 'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}` }),
      // Wrong objects.
      (bytes) => object(bytes.with(200, bytes[200]! ^ 1), `bytes 0-${bytes.length - 1}/${bytes.length}`),
      (bytes) => object(bytes.subarray(1), `bytes 0-${bytes.length - 2}/${bytes.length - 1}`),
      (bytes) => object(bytes.subarray(0, 40), 'bytes 0-39/40'),
      // Its own word for the hash is of no use to anybody.
      (bytes) => object(bytes, `bytes 0-${bytes.length - 1}/${bytes.length}`),
    ]
    alices.instead = async (call) => {
      if (!isFetch(call)) return null
      whole ??= new Uint8Array(await (await call.real()).arrayBuffer())
      return await lies[Math.min(fetches++, lies.length - 1)]!(whole)
    }
    const back = await bob.restarted()
    await world.until(async () => {
      const texts = await back.texts()
      expect(texts.filter((text) => text !== 'hello')).toEqual([])
      return texts.length > 0
    })
    expect(fetches).toBe(lies.length)
  })
})

describe('an inbox', () => {
  test('that says it has an entry and drops it: the message comes by the other inbox', async () => {
    const { world, bobs, alice, bob } = await withSpares()
    bobs.instead = (call) => (isPost(call, bob) ? answerOf(202, DONE) : null)
    await alice.untilSent(await alice.send(bob, 'hello'), 'received')
    expect(await bob.texts()).toEqual(['hello'])
    await world.until(async () => (await bobs.entries()) === 0)
  })

  test('that drops all entries: the sender hears in the end, and the recipient hears of the gap once the inbox has moved', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    await alice.untilSent(await alice.send(bob, 'before'), 'received')
    bobs.instead = (call) => (isPost(call, bob) ? answerOf(202, DONE) : null)
    const dropped = await alice.send(bob, 'dropped')
    await alice.untilSent(dropped, 'notified')
    const other = await world.relay('other')
    await bob.cards.setInboxes(NOTES, [other.url])
    await world.later(3600)
    await alice.untilSent(await alice.send(bob, 'after'), 'received')
    expect((await bob.read()).map(({ missing }) => missing)).toEqual([0, 1])
    for (let day = 0; day < 32; day += 8) await world.later(8 * DAY_SEC)
    expect(alice.test.told('message.changed')).toContainEqual(expired(dropped))
  })

  test('that hides an entry for a while: the gap is told, and the message comes once it is listed', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    await alice.untilSent(await alice.send(bob, 'one'), 'received')
    await bob.stopped()
    for (const text of ['two', 'three']) await alice.untilSent(await alice.send(bob, text), 'notified')
    bobs.instead = lists(bob.personaId, (entries) => entries.slice(1))
    const back = await bob.restarted()
    await back.arrived(2)
    bobs.instead = () => null
    // The stream ends after an hour, and all of the inbox is listed anew.
    await world.pass(3600)
    await back.arrived(3)
    expect((await back.read()).map(({ missing }) => missing)).toEqual([0, 1, 0])
    expect(await back.texts()).toEqual(['one', 'three', 'two'])
  })

  const WRONG: readonly (readonly [string, (entries: readonly InboxEntry[]) => readonly unknown[]])[] = [
    ['reorders them', (entries) => entries.toReversed()],
    ['gives one twice under its number', (entries) => [...entries, entries.at(-1)!]],
    ['names a sender who is none', (entries) => entries.map((entry) => ({ ...entry, from: '\u001B[2J' }))],
    ['leaves a member out', (entries) => entries.map((entry) => ({ ...entry, at: undefined }))],
  ]
  test('whose list is not one of an inbox is not believed, the owner hears why, and the other inbox is read', async () => {
    const { world, bobs, spare, alice, bob } = await withSpares()
    await bob.stopped()
    for (const text of ['one', 'two']) await alice.untilSent(await alice.send(bob, text), 'notified')
    spare.isDown = true
    for (const [what, change] of WRONG) {
      bobs.instead = lists(bob.personaId, change)
      const back = await bob.restarted()
      await world.until(() => problemsOf(back).size === 2)
      expect([what, problemsOf(back).get(bobs.url), await back.texts()]).toEqual([what, 'RELAY_STRANGE', []])
      expect((await back.call('message.list', {})).requests).toEqual([])
      await back.stopped()
    }
    spare.isDown = false
    // Both are fetched at once.
    expect((await (await bob.restarted()).arrived(2)).toSorted()).toEqual(['one', 'two'])
  })

  test('whose list has no end is left alone for a while, and the other inbox is read', async () => {
    const { world, bobs, alice, bob } = await withSpares()
    let pages = 0
    bobs.instead = (call) =>
      isList(call, bob.personaId) ? answerOf(200, { ok: true, entries: [], next: ++pages }) : null
    const back = await bob.restarted()
    await world.until(() => problemsOf(back).get(bobs.url) === 'RELAY_STRANGE')
    expect(pages).toBe(2000)
    await alice.send(back, 'hello')
    expect(await back.arrived(1)).toEqual(['hello'])
  })

  test('that says it took an acknowledgement and lists the entry again tells no message twice', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    bobs.instead = ({ path }) => (path.endsWith('/ack') ? answerOf(200, DONE) : null)
    await alice.untilSent(await alice.send(bob, 'hello'), 'received')
    const back = await bob.restarted()
    const acked = bobs.count(`POST /inbox/${bob.personaId}/ack`)
    await world.until(() => bobs.count(`POST /inbox/${bob.personaId}/ack`) > acked)
    await world.settle()
    expect([await back.texts(), await bobs.entries()]).toEqual([['hello'], 1])
  })

  test('that keeps an entry for as long as a key opens it, with a store that keeps the object, tells no message twice', async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople({ engine: quickEngine })
    let [kept, lists]: [readonly InboxEntry[], number] = [[], 0]
    const objects = new Map<string, Uint8Array>()
    bobs.instead = async (call) => {
      if (!isList(call, bob.personaId)) return null
      if (kept.length === 0) kept = ((await (await call.real()).json()) as { entries: InboxEntry[] }).entries
      lists++
      return answerOf(200, { ok: true, entries: kept, next: null })
    }
    alices.instead = async (call) => {
      if (!isFetch(call)) return null
      const body = objects.get(call.path) ?? new Uint8Array(await (await call.real()).arrayBuffer())
      objects.set(call.path, body)
      return wholeObject(body)
    }
    await bob.stopped()
    await alice.untilSent(await alice.send(bob, 'hello'), 'notified')
    const back = await bob.restarted()
    await back.arrived(1)
    await back.test.call('passphrase.set', PASSPHRASE)
    await back.test.call('persona.lock')
    await back.call('message.ack', { app: NOTES, upTo: 1 })
    // A key that is new each week opens for 31 days more, and until the next new one. A locked persona draws none.
    for (const days of [28, 14, 14, 14]) {
      await back.test.call('persona.unlock', PASSPHRASE)
      await world.settle()
      await back.test.call('persona.lock')
      const before = lists
      world.turn(days * DAY_SEC)
      await world.until(() => lists > before)
      await world.settle()
      expect(await back.texts()).toEqual([])
    }
    expect([kept.length, objects.size]).toEqual([1, 1])
  })
})
