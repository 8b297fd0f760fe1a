/** docs/ipc.md against the code: every method under its noun, every event, code and limit, and an example that is real. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { MAX_WAITING_GUESSES } from '../../src/daemon/custody/guesses.ts'
import { MAX_HISTORY } from '../../src/daemon/state/history.ts'
import { MAX_PEERS } from '../../src/daemon/companion/peers.ts'
import { EVENT_NAMES, UNKEPT_EVENTS } from '../../src/ipc/methods/events.ts'
import { METHODS } from '../../src/ipc/methods/all-methods.ts'
import type { MethodSpec } from '../../src/ipc/methods/method.ts'
import { DEFAULT_LIMITS } from '../../src/ipc/server/limits.ts'
import { SLICE_MS } from '../../src/ipc/server/turns.ts'
import { contactDevices } from '../../src/ipc/shapes/advice.ts'
import { alarm, evidenceFile } from '../../src/ipc/shapes/alarms.ts'
import { MAX_COPIES } from '../../src/ipc/shapes/backup.ts'
import { contactCard } from '../../src/ipc/shapes/cards.ts'
import { contact, lookupResult } from '../../src/ipc/shapes/contact.ts'
import { finding } from '../../src/ipc/shapes/doctor.ts'
import { dueProfile } from '../../src/ipc/shapes/due.ts'
import { OWN_CAUSES } from '../../src/ipc/shapes/events.ts'
import { observeResult, verifyResult } from '../../src/ipc/shapes/judged.ts'
import { MAX_BATCH, MAX_PAGE } from '../../src/ipc/shapes/limits.ts'
import { ownLink, safetyNumbers } from '../../src/ipc/shapes/links.ts'
import { editResult, ownTable, shownByDevice, statusMessage } from '../../src/ipc/shapes/own.ts'
import { pairingStep } from '../../src/ipc/shapes/pairing.ts'
import { pendingUpdate } from '../../src/ipc/shapes/pending.ts'
import { keptProfile, lostProfile, ownProfile, watchedProfile } from '../../src/ipc/shapes/profiles.ts'
import { rotationPlan, successionPlan } from '../../src/ipc/shapes/rotation.ts'
import { syncResult } from '../../src/ipc/shapes/sibling.ts'
import { netStatus } from '../../src/ipc/shapes/net.ts'
import { announceStatus } from '../../src/ipc/methods/announce.ts'
import { channelsStatus } from '../../src/ipc/methods/channels.ts'
import { channelView } from '../../src/ipc/methods/channel-values.ts'
import { chatLine, chatView } from '../../src/ipc/methods/chat.ts'
import { appLink, linksStatus, proposalView } from '../../src/ipc/methods/links.ts'
import { mailbox, messagesStatus, readMessage, sentMessage } from '../../src/ipc/methods/messages.ts'
import { relayAbout, relayView } from '../../src/ipc/methods/relays.ts'
import { toxPeer, toxStatus } from '../../src/ipc/shapes/tox.ts'
import { MAX_FRAME_BYTES, MAX_FRAME_DEPTH } from '../../src/ipc/wire/frame.ts'
import { OPENRPC_FILE, openrpcText } from '../generate/openrpc.ts'
import { codesOf } from '../support/error-codes.ts'

const DOC = readFileSync(new URL('../../docs/ipc.md', import.meta.url), 'utf8')
const TABLE = Object.entries(METHODS as unknown as Record<string, MethodSpec<unknown, unknown>>)

/** The text between two headings or phrases. Both must be there, the first one once. */
function between(from: string, to: string): string {
  expect([DOC.split(from).length, DOC.split(from)[1]?.includes(to)]).toEqual([2, true])
  return DOC.split(from)[1]!.split(to)[0]!
}

/** The names in backticks of a passage. */
function quotedIn(passage: string): string[] {
  return [...passage.matchAll(/`([a-z.-]+)`/g)].map(([, name]) => name!)
}

interface Row {
  nouns: string[]
  method: string
  permission: string
  params: string
}

/** The rows of all method tables, each with the nouns of the heading above it. */
function methodRows(doc: string): Row[] {
  const section = doc.slice(doc.indexOf('\n## 3. '), doc.indexOf('\n## 4. '))
  return section.split('\n### ').flatMap((part) => {
    const nouns = part.slice(0, part.indexOf('\n')).split(', ')
    const rows = part.matchAll(/^\| `([a-z.-]+)` \| (\w+) \| (.*?) ?\| .+ \|$/gm)
    return [...rows].map(([, method, permission, params]) => {
      return { nouns, method: method!, permission: permission!, params: params! }
    })
  })
}

/** Each difference between the rows and the method table, as one line. */
function differences(rows: readonly Row[]): string[] {
  const found: string[] = []
  for (const [method, { permission, params }] of TABLE) {
    const [row, ...more] = rows.filter((candidate) => candidate.method === method)
    if (row === undefined || more.length > 0) {
      found.push(`${method}: ${row === undefined ? 0 : more.length + 1} rows`)
      continue
    }
    if (row.permission !== permission) found.push(`${method}: permission ${row.permission}`)
    if (!row.nouns.includes(method.split('.')[0]!)) found.push(`${method}: under ${row.nouns.join(', ')}`)
    const { properties = {}, required = [] } = params.toJSONSchema()
    for (const name of Object.keys(properties)) {
      const written = `\`${name}${required.includes(name) ? '' : '?'}\``
      if (!row.params.includes(written)) found.push(`${method}: no param ${written}`)
    }
    for (const [, name] of row.params.matchAll(/`(\w+)\?`/g)) {
      if (!Object.hasOwn(properties, name!)) found.push(`${method}: unknown param ${name}`)
    }
  }
  const known = new Set(TABLE.map(([name]) => name))
  for (const { method } of rows) if (!known.has(method)) found.push(`${method}: not a method`)
  return found
}

test('docs/openrpc.json is generated from the method table (else: node test/generate/openrpc.ts)', () => {
  expect(readFileSync(OPENRPC_FILE, 'utf8')).toBe(openrpcText())
})

describe('the method tables', () => {
  test('have every method once, under its noun, with its permission and params, and no other method', () => {
    const rows = methodRows(DOC)
    expect(differences(rows)).toEqual([])
    expect(rows).toHaveLength(TABLE.length)
    expect(rows.length).toBeGreaterThan(70)
  })

  test.each([
    ['a missing row', /^\| `contact\.block` .*\n/m, '', 'contact.block: 0 rows'],
    ['a second row', /^(\| `contact\.block` .*\n)/m, '$1$1', 'contact.block: 2 rows'],
    ['a wrong permission', '| `lookup` | read |', '| `lookup` | admin |', 'lookup: permission admin'],
    ['a wrong noun', '\n### passphrase\n', '\n### password\n', 'passphrase.set: under password'],
    ['a missing param', '`query`', '`text`', 'lookup: no param `query`'],
    ['a required param marked as optional', '`query`', '`query?`', 'lookup: no param `query`'],
    ['an unknown param', '`why?`', '`why?`, `because?`', 'app.request: unknown param because'],
    ['an unknown method', '| `link.get` |', '| `link.put` |', 'link.put: not a method'],
  ])('fail this test with %s', (_title, from, to, expected) => {
    const rows = DOC.indexOf('\n## 3. ')
    const changed = DOC.slice(0, rows) + DOC.slice(rows).replace(from, to)
    expect(changed).not.toBe(DOC)
    expect(differences(methodRows(changed))).toContain(expected)
  })
})

describe('an example', () => {
  interface ExampleFrame {
    from: string
    type: string
    data: Record<string, unknown>
  }

  /** The frames of one example: `->` from the client, `<-` from the daemon. Line breaks and their indentation are not part of a frame. */
  function framesOf(block: string): ExampleFrame[] {
    return block.split(/\n(?=<-|->)/).map((text) => {
      const frame = JSON.parse(text.slice(3).replaceAll(/\n +/g, '')) as Omit<ExampleFrame, 'from'>
      return { from: text.slice(0, 2), ...frame }
    })
  }

  const examples = new Map(
    [...DOC.matchAll(/<!-- example: (\w+) -->\n\n```\n([^]*?)\n```/g)].map(([, name, block]) => {
      return [name!, framesOf(block!)]
    }),
  )

  test('comes first under every noun, with a method of this noun', () => {
    const section = DOC.slice(DOC.indexOf('\n## 3. '), DOC.indexOf('\n## 4. '))
    const parts = section.split('\n### ').slice(1)
    for (const part of parts) {
      const [, heading, name] = /^(.+)\n\n<!-- example: (\w+) -->/.exec(part) ?? []
      const method = examples.get(name!)?.[0]?.data['method'] as string | undefined
      expect(heading?.split(', '), part.split('\n')[0]).toContain(method?.split('.')[0])
    }
    expect([parts.length, examples.size]).toEqual([25, 28])
  })

  test('sends a call that the method table takes, and shows a result that it gives', () => {
    let results = 0
    for (const [name, [call, answer]] of examples) {
      const { method, params, id } = call!.data as { method: keyof typeof METHODS; params: unknown; id: number }
      expect([call!.from, call!.type, answer!.from, answer!.type], name).toEqual(['->', 'rpc', '<-', 'rpc'])
      expect(METHODS[method].params.parse(params), name).toEqual(params)
      expect(answer!.data['id'], name).toBe(id)
      if (!('result' in answer!.data)) continue
      expect(METHODS[method].result.parse(answer!.data['result']), name).toEqual(answer!.data['result'])
      results++
    }
    expect(results).toBe(examples.size - 1)
  })

  test('shows the error of a call without permission', () => {
    const [call, answer] = examples.get('error')!
    expect(METHODS[call!.data['method'] as 'contact.block'].permission).toBe('admin')
    expect(answer!.data['error']).toMatchObject({ data: { code: 'PERMISSION_DENIED', permission: 'admin' } })
  })

  test('shows an event that was subscribed to', () => {
    const [call, , event] = examples.get('event')!
    expect(event).toMatchObject({ from: '<-', type: 'event' })
    expect((call!.data['params'] as { events: string[] }).events).toEqual([event!.data['event']])
    expect(Object.keys(event!.data)).toEqual(['event', 'data', 'id', 'atSec'])
  })
})

test('every link inside the page leads to a heading', () => {
  const seen = new Map<string, number>()
  const anchors = [...DOC.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const anchor = heading!
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
  const links = [...DOC.matchAll(/\]\(#([\w-]+)\)/g)].map(([, anchor]) => anchor!)
  expect(links.length).toBeGreaterThan(40)
  expect(links.filter((link) => !anchors.includes(link))).toEqual([])
})

/** Each value with a heading of its own, and its schema. */
const VALUES: readonly (readonly [heading: string, schema: z.ZodType])[] = [
  ['LookupResult', lookupResult],
  ['VerifyResult', verifyResult],
  ['ObserveResult', observeResult],
  ['Contact', contact],
  ['ContactDevices', contactDevices],
  ['SafetyNumbers', safetyNumbers],
  ['ContactCard', contactCard],
  ['OwnLink', ownLink],
  ['PendingUpdate', pendingUpdate],
  ['Alarm', alarm],
  ['EvidenceFile', evidenceFile],
  ['DaemonStatus', METHODS.status.result],
  ['NetStatus', netStatus],
  ['Relay', relayView],
  ['RelayAbout', relayAbout],
  ['Finding', finding],
  ['StatusMessage', statusMessage],
  ['ShownByDevice', shownByDevice],
  ['OwnTable', ownTable],
  ['EditResult', editResult],
  ['RotationPlan', rotationPlan],
  ['SuccessionPlan', successionPlan],
  ['SyncResult', syncResult],
  ['PairingStep', pairingStep],
  ['App', METHODS['app.hello'].result],
  ['Proposal', proposalView],
  ['AppLink', appLink],
  ['LinksStatus', linksStatus],
  ['WatchedProfile', watchedProfile],
  ['DueProfile', dueProfile],
  ['LostProfile', lostProfile],
  ['OwnProfile', ownProfile],
  ['KeptProfile', keptProfile],
  ['ToxStatus', toxStatus],
  ['ToxPeer', toxPeer],
  ['AnnounceStatus', announceStatus],
  ['Card', METHODS['card.rejoin'].result],
  ['Channel', channelView],
  ['ChannelsStatus', channelsStatus],
  ['Mailbox', mailbox],
  ['ReadMessage', readMessage],
  ['SentMessage', sentMessage],
  ['MessagesStatus', messagesStatus],
  ['ChatLine', chatLine],
  ['ChatView', chatView],
]

test.each(VALUES)('the page names every member of %s', (heading, schema) => {
  const passage = DOC.split(`\n#### ${heading}\n`)[1]?.split(/\n#{2,4} /)[0]
  const members = Object.keys(schema.toJSONSchema().properties ?? {})
  expect(members.length).toBeGreaterThan(1)
  expect(members.filter((member) => passage?.includes(`\`${member}\``) !== true)).toEqual([])
})

test('every value on the page has its schema in this test', () => {
  const headings = [...DOC.matchAll(/^#### ([A-Z]\w+)$/gm)].map(([, heading]) => heading!)
  expect(headings.toSorted()).toEqual(VALUES.map(([heading]) => heading).toSorted())
})

test('the table of events has every event once, and no other', () => {
  const rows = [...between('\n### Events\n', '\n### History\n').matchAll(/^\| `([a-z.-]+)` \|/gm)]
  expect(rows.map(([, name]) => name!).toSorted()).toEqual(EVENT_NAMES.toSorted())
})

test('the page names the calls with a large result, and no others', () => {
  const large = TABLE.filter(([, { isLarge }]) => isLarge === true).map(([name]) => name)
  expect(large.length).toBeGreaterThan(4)
  expect(quotedIn(between('beside one of these: ', '.\n\n')).toSorted()).toEqual(large.toSorted())
})

test('the page names the events that the history does not keep, and no others', () => {
  const named = quotedIn(between('The history keeps every event except ', ', which only'))
  expect(named.toSorted()).toEqual([...UNKEPT_EVENTS].toSorted())
})

test('the page names every cause of own.changed', () => {
  expect(quotedIn(between('| `own.changed` | `table`, `cause` (', '), `unapproved`'))).toEqual([...OWN_CAUSES])
})

test.each([
  ['KeeperErrorCode', 'daemon/state/errors.ts'],
  ['CustodyErrorCode', 'daemon/custody/errors.ts'],
  ['OwnPersonaErrorCode', 'daemon/own/errors.ts'],
  ['RotationErrorCode', 'daemon/rotation/errors.ts'],
  ['ContactErrorCode', 'daemon/contacts/errors.ts'],
  ['SnapshotErrorCode', 'daemon/snapshot/errors.ts'],
  ['PairingStateErrorCode', 'daemon/pairing/errors.ts'],
  ['AppErrorCode', 'daemon/apps/errors.ts'],
  ['CompanionErrorCode', 'daemon/companion/errors.ts'],
  ['ChannelsErrorCode', 'daemon/channels/errors.ts'],
  ['MessagesErrorCode', 'daemon/messages/records/errors.ts'],
  ['LinksErrorCode', 'daemon/links/errors.ts'],
  ['RelaysErrorCode', 'daemon/relays/errors.ts'],
  ['RpcErrorCode', 'ipc/wire/rpc.ts'],
  ['FrameErrorCode', 'ipc/wire/errors.ts'],
  ['PairingErrorCode', 'pairing/errors.ts'],
  ['TableErrorCode', 'core/errors.ts'],
  ['NicknameErrorCode', 'core/errors.ts'],
  ['LinkErrorCode', 'core/errors.ts'],
  ['CardsErrorCode', 'daemon/cards/errors.ts'],
])('the page explains every code of %s', (union, file) => {
  const codes = codesOf(union, file)
  expect(codes.length).toBeGreaterThan(3)
  expect(codes.filter((code) => !DOC.includes(`\`${code}\``))).toEqual([])
})

test.each([
  ['| a frame | N bytes |', MAX_FRAME_BYTES],
  ['| nesting of a frame | N levels |', MAX_FRAME_DEPTH],
  ["| time from a frame's first byte to its form feed | N s |", DEFAULT_LIMITS.frameTimeoutMs / 1000],
  ['| calls of one connection that run at a time | N |', DEFAULT_LIMITS.maxInFlight],
  ['| time for the calls of all connections in one turn of the event loop | N ms |', SLICE_MS],
  ['| text that the daemon wrote and the client has not read | N UTF-16 units |', DEFAULT_LIMITS.maxPending],
  ['| `limit` of a page | 1..N;', MAX_PAGE],
  ['`contacts` of one `contact.import` | 1..N |', MAX_BATCH],
  ['| `copies` of one call | N |', MAX_COPIES],
  ['| history | the newest N events |', MAX_HISTORY],
  ['| passphrases that wait to be tried | N |', MAX_WAITING_GUESSES],
  ['| friends of the companion | N |', MAX_PEERS],
])('the limit in "%s" is the one of the code', (sentence, value) => {
  const number = String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
  const texts = [sentence.replace('N', number), sentence.replace('N', String(value))]
  expect(texts.some((text) => between('\n### Limits\n', '\n## 2.').includes(text))).toBe(true)
})
