/** Hostile relays and people: whatever they do, the other messages of the owner go and come, and nothing grows without end. */
import { describe, expect, test } from 'vitest'
import { numbered } from '../../../../src/daemon/sealed/numbered.ts'
import { JOB, ARRIVED_PART, REQUEST, SEEN, SENT } from '../../../../src/daemon/messages/records/kinds.ts'
import { sealEntry } from '../../../../src/message/entry.ts'
import type { InboxEntry } from '../../../../src/relay/wire.ts'
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../../../src/core/encoding/bytes.ts'
import { engine } from '../../../support/person.ts'
import { makeContacts, MessageDaemon, NOTES, recordsOf, twoPeople } from '../../../support/message-daemon.ts'
import {
  answerOf,
  listedEntry,
  neverAnswers,
  wholeObject,
  type MessageRelay,
  type RelayCall,
} from '../../../support/message-relay.ts'

const isList = ({ method, path }: RelayCall, bob: MessageDaemon): boolean =>
  method === 'GET' && path.startsWith(`/inbox/${bob.personaId}?`)
const isStream = ({ path }: RelayCall, bob: MessageDaemon): boolean =>
  path.startsWith(`/inbox/${bob.personaId}/events?`)

/** Entries with receipts that no device of Bob has signed. @param number of a message from Alice to Bob */
async function madeUpReceipts(
  alice: MessageDaemon,
  bob: MessageDaemon,
  number: number,
  count: number,
): Promise<InboxEntry[]> {
  const id = parseBase64url(alice.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!.id)!
  const route = { from: parseHex(bob.personaId)!, reader: parseHex(alice.personaId)!, app: NOTES }
  const keys = alice.cards.deviceNow(NOTES)!.card.devices.map(({ enc }) => enc)
  const made: InboxEntry[] = []
  for (let n = 1; n <= count; n++) {
    const receipt = { kind: 'receipt', id, signature: new Uint8Array(64).fill(n) } as const
    made.push(listedEntry(n, bob.personaId, NOTES, formatBase64url(await sealEntry(receipt, route, keys))))
  }
  return made
}

describe('a relay', () => {
  test('that ends each stream at once is not called without a pause', async () => {
    const { world, bobs, bob } = await twoPeople()
    bobs.instead = (call) =>
      isStream(call, bob) ? new Response('', { headers: { 'content-type': 'text/event-stream' } }) : null
    const back = await bob.restarted()
    await world.settle()
    const streams = (): number => bobs.calls.filter((path) => path.includes('/events?')).length
    const before = streams()
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve))
    // One may have been on its way.
    expect(streams() - before).toBeLessThanOrEqual(1)
    bobs.instead = () => null
    await world.later(60)
    expect(back.messages.inboxes.of(NOTES)[0]!.problem).toBeNull()
  })

  test('that once gives a number far ahead hides no later entry by it', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    const ahead = listedEntry(2 ** 53 - 2, alice.personaId, NOTES, 'AAAA')
    bobs.instead = (call) => (isList(call, bob) ? answerOf(200, { ok: true, entries: [ahead], next: null }) : null)
    const back = await bob.restarted()
    await world.until(() => bobs.calls.some((call) => call.endsWith(`after=${ahead.n}`)))
    bobs.instead = () => null
    await alice.send(back, 'hello')
    await world.pass(7200)
    expect(await back.texts()).toEqual(['hello'])
  })

  test('that repeats an entry under ever new numbers gives one message', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    await bob.stopped()
    const number = await alice.send(bob, 'hello')
    await alice.untilSent(number, 'notified')
    const sent = alice.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!
    const route = { from: parseHex(alice.personaId)!, reader: parseHex(bob.personaId)!, app: NOTES }
    const keys = bob.cards.deviceNow(NOTES)!.card.devices.map(({ enc }) => enc)
    const entry = { kind: 'message', id: parseBase64url(sent.id)!, store: 0, hash: parseBase64url(sent.hash)! } as const
    const encId = formatBase64url(await sealEntry(entry, route, keys))
    let lists = 0
    bobs.instead = (call) => {
      if (!isList(call, bob) || lists >= 3) return null
      const first = ++lists * 1000
      const entries = Array.from({ length: 30 }, (_, i) => listedEntry(first + i, alice.personaId, NOTES, encId))
      return answerOf(200, { ok: true, entries, next: first + 29 })
    }
    const back = await bob.restarted()
    await world.until(() => lists >= 3)
    expect(await back.arrived(1)).toEqual(['hello'])
    await world.settle()
    expect(await back.texts()).toEqual(['hello'])
  })

  test('that lists entries of people whom nobody knows makes a hundred requests at most', async () => {
    const { world, bobs, bob } = await twoPeople()
    let made = 0
    bobs.instead = (call) => {
      if (!isList(call, bob) || made >= 200) return null
      const entries = Array.from({ length: 100 }, () => {
        made++
        const from = formatHex(engine.sha256(Buffer.from(`stranger ${made}`)))
        return listedEntry(made, from, NOTES, 'AAAA')
      })
      return answerOf(200, { ok: true, entries, next: made })
    }
    const back = await bob.restarted()
    await world.until(() => made >= 200)
    await world.settle()
    expect(await recordsOf(back, REQUEST)).toBe(100)
  })
})

describe('a contact', () => {
  test('whose objects are no messages leaves none of their bytes on the disk', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    await bob.stopped()
    for (let offset = 0, total = 3 * 196_608; offset < total; offset += 196_608)
      await alice.call('message.put', {
        app: NOTES,
        to: bob.personaId,
        content: Buffer.alloc(196_608, 7).toString('base64'),
        upload: 'large',
        total,
        offset,
      })
    await alice.untilSent(1, 'notified')
    alices.instead = async ({ method, path }) => {
      if (method !== 'GET' || !path.startsWith('/store/')) return null
      const body = new Uint8Array(await (await alices.answer(path)).arrayBuffer())
      return wholeObject(body.with(body.length - 1, body.at(-1)! ^ 1))
    }
    const back = await bob.restarted()
    await world.until(() => alices.count('GET /store') > 0)
    await world.settle()
    expect(await recordsOf(back, ARRIVED_PART)).toBe(0)
    await world.later(600)
    expect([await back.texts(), await recordsOf(back, ARRIVED_PART)]).toEqual([['TAMPERED'], 0])
  })

  test('whose store gives a byte now and then keeps nobody else waiting', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    const carols = await world.relay('carol')
    const carol = await MessageDaemon.open(world, 'Carol', [carols])
    await makeContacts(alice, carol, bob)
    await carol.use()
    let held = 0
    alices.instead = async (call) => {
      if (call.method !== 'GET' || !call.path.startsWith('/store/')) return null
      held++
      return await neverAnswers(call)
    }
    for (let n = 0; n < 10; n++) await alice.send(bob, `slow ${n}`)
    await world.until(() => held > 0)
    await carol.send(bob, 'quick')
    // The calls of the slow store run on meanwhile.
    expect(await world.until(async () => ((await bob.texts()).length > 0 ? await bob.texts() : null))).toEqual([
      'quick',
    ])
  })

  test('whose invites are as large as messages may be leaves none of their bytes on the disk', async () => {
    const { world, alice, bob } = await twoPeople()
    await alice.messages.sender.invite(NOTES, bob.personaId, 'x'.repeat(2 * 196_608))
    await world.until(async () => (await recordsOf(bob, SEEN)) === 1)
    expect([await recordsOf(bob, JOB), await recordsOf(bob, ARRIVED_PART), await bob.texts()]).toEqual([0, 0, []])
    await alice.send(bob, 'hello')
    expect(await bob.arrived(1)).toEqual(['hello'])
  })

  test('whose relay never gives their card holds up no end of the daemon, and the message comes after the next start', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    await bob.stopped()
    await alice.send(bob, 'hello')
    await alice.untilSent(1, 'notified')
    let asked = 0
    alices.instead = async (call) => {
      if (call.method !== 'GET' || !call.path.startsWith('/card/')) return null
      asked++
      return await neverAnswers(call)
    }
    const back = await bob.restarted()
    await world.until(() => back.messages.queue.count('fetch').jobs === 1 && asked > 0)
    const after = back.restarted()
    alices.instead = () => null
    expect(await (await after).arrived(1)).toEqual(['hello'])
  })

  test('with some others, whose stores never answer, keeps nobody else waiting for long', async () => {
    const { world, bob } = await twoPeople()
    const [slow, quick] = [await world.relay('slow'), await world.relay('quick')]
    const somebody = async (name: string, relay: MessageRelay): Promise<MessageDaemon> => {
      const daemon = await MessageDaemon.open(world, name, [relay])
      await makeContacts(daemon, bob)
      await daemon.use()
      return daemon
    }
    const carol = await somebody('Carol', quick)
    let held = 0
    slow.instead = async (call) => {
      if (call.method !== 'GET' || !call.path.startsWith('/store/')) return null
      held++
      return await neverAnswers(call)
    }
    for (const name of ['Dan', 'Erin', 'Frank', 'Grace']) {
      const other = await somebody(name, slow)
      for (let n = 0; n < 5; n++) await other.send(bob, `slow ${n}`)
    }
    await world.until(() => held >= 8)
    await carol.send(bob, 'quick')
    expect(await bob.arrived(1)).toEqual(['quick'])
    // All that were there before her message would have been asked else, eight a minute.
    expect(held).toBeLessThan(20)
  })

  test('whose receipts carry no signature of a device that has the message changes nothing', async () => {
    const { world, alices, alice, bob } = await twoPeople()
    await bob.stopped()
    const number = await alice.send(bob, 'hello')
    await alice.untilSent(number, 'notified')
    const made = await madeUpReceipts(alice, bob, number, 100)
    let acknowledged = 0
    alices.instead = ({ method, path }) => {
      if (path.startsWith(`/inbox/${alice.personaId}?`)) return answerOf(200, { ok: true, entries: made, next: null })
      if (method === 'POST' && path === `/inbox/${alice.personaId}/ack`) acknowledged++
      return null
    }
    const back = await alice.restarted()
    await world.until(() => acknowledged > 0)
    expect([await back.sent(number), alices.objects.length]).toMatchObject([{ state: 'notified', received: 0 }, 1])
    alices.instead = () => null
    await bob.restarted()
    await back.untilSent(number, 'received')
  })

  test('whose receipts are made up, and whose relay never gives their card, keeps nobody else waiting', async () => {
    const { world, alices, bobs, alice, bob } = await twoPeople()
    const carol = await MessageDaemon.open(world, 'Carol', [await world.relay('carol')])
    await makeContacts(alice, carol)
    await carol.use()
    await bob.stopped()
    const number = await alice.send(bob, 'hello')
    await alice.untilSent(number, 'notified')
    const made = await madeUpReceipts(alice, bob, number, 10)
    let lists = 0
    alices.instead = ({ path }) =>
      path.startsWith(`/inbox/${alice.personaId}?`) && lists++ === 0
        ? answerOf(200, { ok: true, entries: made, next: null })
        : null
    bobs.instead = async (call) => (call.path.startsWith('/card/') ? await neverAnswers(call) : null)
    const back = await alice.restarted()
    await world.until(() => lists > 0)
    const looks = bobs.count('GET /card/')
    await carol.send(back, 'quick')
    expect(await back.arrived(1)).toEqual(['quick'])
    // Each look takes a minute, and there is one for all of them.
    expect(bobs.count('GET /card/') - looks).toBeLessThan(5)
  })

  test('who learns the id of a message from the store of somebody else keeps nobody from it', async () => {
    const { world, bobs, alice, bob } = await twoPeople()
    const carol = await MessageDaemon.open(world, 'Carol', [await world.relay('carol')])
    await makeContacts(carol, bob)
    await carol.use()
    bobs.instead = ({ method, path }) =>
      method === 'POST' && path === `/inbox/${bob.personaId}` ? answerOf(429, { ok: false, error: 'Too often' }) : null
    const number = await alice.send(bob, 'dinner at eight')
    await alice.untilSent(number, 'stored')
    const id = parseBase64url(alice.sealed.records.onDisk(SENT).get(numbered(NOTES, number))!.id)!
    const route = { from: parseHex(carol.personaId)!, reader: parseHex(bob.personaId)!, app: NOTES }
    const keys = bob.cards.deviceNow(NOTES)!.card.devices.map(({ enc }) => enc)
    const entry = { kind: 'message', id, store: 0, hash: new Uint8Array(32) } as const
    const encId = formatBase64url(await sealEntry(entry, route, keys))
    const forged = listedEntry(1, carol.personaId, NOTES, encId)
    bobs.instead = (call) => (isList(call, bob) ? answerOf(200, { ok: true, entries: [forged], next: null }) : null)
    const back = await bob.restarted()
    // Its first try has failed.
    await world.until(async () => (await recordsOf(back, JOB)) === 1)
    bobs.instead = () => null
    await world.later(3600)
    // Carol's store has no such object.
    expect((await back.arrived(2)).toSorted()).toEqual(['MESSAGE_GONE', 'dinner at eight'])
    await alice.untilSent(number, 'received')
  })
})
