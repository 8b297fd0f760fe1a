/** The client's side of inboxes, against the server over HTTP. */
import { expect, test } from 'vitest'
import { RelayClient } from '../../../src/relay/client.ts'
import { acknowledge, followInbox, listEntries, postEntry, setSenders } from '../../../src/relay/inboxes.ts'
import { formatInboxPath, parseInboxPath } from '../../../src/relay/paths/inbox-path.ts'
import { errorOfInboxRefusal } from '../../../src/relay/inbox-refusal.ts'
import type { RelayFetch, RelayRequest } from '../../../src/relay/means.ts'
import { isPassing } from '../../../src/relay/repeat.ts'
import { INBOX_ERRORS, type InboxEntry } from '../../../src/relay/wire.ts'
import { APP } from '../../support/cards.ts'
import { codeOf } from '../../support/code-of.ts'
import { alice, bob, carol, idOf, inboxOf, inboxWorld, type InboxWorld } from '../../support/inbox-world.ts'
import { CARDS_URL, type TestCardsOptions } from '../../support/relay-cards.ts'

const [FROM_ALICE, BOBS] = [inboxOf(bob, alice), inboxOf(bob, bob)]

interface World extends InboxWorld {
  readonly client: RelayClient
  readonly asked: RelayRequest[]
}

/** A client whose clock is `aheadSec` before that of the relay. It calls the relay by its name; the requests go to the test's server. */
async function world({
  aheadSec = 0,
  ...options
}: TestCardsOptions & { readonly aheadSec?: number } = {}): Promise<World> {
  const relay = await inboxWorld(options)
  const asked: RelayRequest[] = []
  const fetch: RelayFetch = async (to, request) => {
    asked.push(request)
    const answer = await globalThis.fetch(to.replace(CARDS_URL, relay.url), request)
    // The server's header has the time of this machine, unlike its clock.
    const headers = { get: (name: string) => (name === 'date' ? null : answer.headers.get(name)) }
    return { status: answer.status, headers, body: answer.body }
  }
  const clock = { nowMs: () => (relay.nowSec + aheadSec) * 1000, after: () => () => {} }
  const client = new RelayClient({ url: `${CARDS_URL}/`, origin: CARDS_URL }, { fetch, clock, random: () => 0.5 })
  return Object.assign(relay, { client, asked })
}

test('a path of an inbox is read as it was written, and no other one is', () => {
  for (const part of ['entries', 'ack', 'events', 'senders'] as const)
    expect(parseInboxPath(formatInboxPath({ persona: idOf(bob), part }))).toEqual({ persona: idOf(bob), part })
  for (const path of ['inbox', 'inbox/', `box/${idOf(bob)}`, `inbox/${idOf(bob)}/entries`, `inbox/${idOf(bob)}/ack/`])
    expect(parseInboxPath(path), path).toBeNull()
})

test('one persona leaves an entry, and each device of the other reads and acknowledges it', async () => {
  const { client, store } = await world()
  await postEntry(client, FROM_ALICE, 'AAAA')
  await postEntry(client, FROM_ALICE, 'AAAA')
  await postEntry(client, FROM_ALICE, 'BBBB')
  for (const device of [1, 2]) {
    const inbox = inboxOf(bob, bob, device)
    const first = await listEntries(client, inbox, 0, { limit: 1 })
    expect(first).toMatchObject({
      entries: [{ encId: 'AAAA', from: idOf(alice), app: APP }],
      next: first.entries[0]!.n,
    })
    const second = await listEntries(client, inbox, first.next!)
    expect(second).toMatchObject({ entries: [{ encId: 'BBBB' }], next: null })
    await acknowledge(client, inbox, [first.entries[0]!.n, second.entries[0]!.n])
  }
  expect((await store.stats()).entries).toBe(0)
})

test('an owner rules who may leave entries', async () => {
  const { client } = await world()
  await setSenders(client, BOBS, { strangers: 0 })
  expect(await codeOf(postEntry(client, FROM_ALICE, 'AAAA'))).toBe('RELAY_NO_STRANGERS')
  await setSenders(client, BOBS, { allow: [idOf(alice)] })
  await postEntry(client, FROM_ALICE, 'AAAA')
  await setSenders(client, BOBS, { block: [idOf(alice)] })
  await postEntry(client, FROM_ALICE, 'BBBB')
  expect((await listEntries(client, BOBS, 0)).entries).toMatchObject([{ encId: 'AAAA' }])
})

test('a client whose clock is hours off takes that of the relay, and calls once more', async () => {
  for (const aheadSec of [7200, -7200]) {
    const { client, asked } = await world({ aheadSec })
    await postEntry(client, FROM_ALICE, 'AAAA')
    expect(asked).toHaveLength(2)
    // From then on it knows.
    await listEntries(client, BOBS, 0)
    expect(asked).toHaveLength(3)
  }
})

test('a client hears why a call is refused', async () => {
  const { client } = await world({ inbox: { maxEntries: 1 } })
  expect(await codeOf(postEntry(client, inboxOf(bob, carol), 'AAAA'))).toBe('RELAY_NO_CARD')
  expect(await codeOf(postEntry(client, inboxOf(alice, bob), 'AAAA'))).toBe('RELAY_NO_INBOX')
  expect(await codeOf(postEntry(client, FROM_ALICE, 'A'.repeat(4096)))).toBe('RELAY_TOO_BIG')
  expect(await codeOf(listEntries(client, inboxOf(bob, alice), 0))).toBe('RELAY_NO_RIGHT')
  expect(await codeOf(acknowledge(client, BOBS, []))).toBe('RELAY_BAD_REQUEST')
  await postEntry(client, FROM_ALICE, 'AAAA')
  expect(await codeOf(postEntry(client, FROM_ALICE, 'BBBB'))).toBe('RELAY_INBOX_FULL')
  const stream = followInbox(client, inboxOf(bob, bob, 3), 0)
  expect(await codeOf(stream.next())).toBe('RELAY_NO_CARD')
})

test('a stream gives what is there and what comes, until its reader leaves', async () => {
  const { client, served } = await world({ aheadSec: 7200 })
  await postEntry(client, FROM_ALICE, 'AAAA')
  const seen: InboxEntry[] = []
  for await (const entry of followInbox(client, BOBS, 0)) {
    seen.push(entry)
    if (seen.length === 3) break
    await postEntry(client, FROM_ALICE, `BBB${seen.length}`)
  }
  expect(seen.map(({ encId }) => encId)).toEqual(['AAAA', 'BBB1', 'BBB2'])
  while (served.server.openStreams.size > 0) await new Promise((resolve) => setImmediate(resolve))
})

test('each refusal of an inbox has an error with a hint, and those that pass by waiting are told apart', () => {
  const errors = INBOX_ERRORS.map((error) => errorOfInboxRefusal({ error, retryAfter: 5 }))
  expect(errors.every(({ hint }) => hint !== undefined)).toBe(true)
  expect(INBOX_ERRORS.filter((_, i) => isPassing(errors[i]))).toEqual(['Inbox full', 'Too often', 'Full'])
  expect(errors[0]!.details).toEqual({ retryAfterSec: 5 })
})

const entry = { n: 5, from: idOf(alice), app: APP, kid: 'A'.repeat(43), at: 'A'.repeat(22), encId: 'AAAA' }

function withEntry(change: object): object {
  return { ok: true, entries: [{ ...entry, ...change }], next: null }
}

test.each([
  ['another form', { ok: true }],
  ['an entry without a sender', withEntry({ from: undefined })],
  ['a sender who is no PersonaID', withEntry({ from: '\u001B[2J' })],
  ['a PersonaID in lower case', withEntry({ from: idOf(alice).toLowerCase() })],
  ['an app that has no name of an app', withEntry({ app: 'no app' })],
  ['a device that is no key', withEntry({ kid: 'k' })],
  ['a place that is none', withEntry({ at: '../../info' })],
  ['a sealed id that is not base64url', withEntry({ encId: 'a b' })],
  ['no sealed id', withEntry({ encId: '' })],
  ['a number that does not rise', { ok: true, entries: [entry, entry], next: null }],
  ['a number before the cursor', { ok: true, entries: [{ ...entry, n: 4 }], next: null }],
  ['a cursor that does not rise', { ok: true, entries: [], next: 4 }],
  ['a cursor before an entry', { ok: true, entries: [{ ...entry, n: 9 }], next: 8 }],
])('a list with %s is refused', async (_, body) => {
  const fetch: RelayFetch = async () => new Response(JSON.stringify(body))
  const clock = { nowMs: () => 0, after: () => () => {} }
  const client = new RelayClient({ url: `${CARDS_URL}/`, origin: CARDS_URL }, { fetch, clock, random: () => 0.5 })
  expect(await codeOf(listEntries(client, BOBS, 4))).toBe('RELAY_STRANGE')
})
