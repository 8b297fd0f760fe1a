/** What docs/ipc.md says, against the code. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/ipc/server/connection.ts'
import { MAX_FRAME_BYTES, MAX_FRAME_DEPTH } from '../../src/ipc/wire/frame.ts'
import { MAX_BATCH, MAX_PAGE } from '../../src/ipc/shapes/limits.ts'
import { METHODS } from '../../src/ipc/methods/table.ts'
import { EVENT_NAMES, OWN_CAUSES, UNKEPT_EVENTS } from '../../src/ipc/shapes/events.ts'
import { OPENRPC_FILE, openrpcText } from '../generate/openrpc.ts'
import { codesOf } from '../support/error-codes.ts'

const DOC = readFileSync(new URL('../../docs/ipc.md', import.meta.url), 'utf8')

/** The rows of the table of methods: name and permission. */
function methodRows(): [string, string][] {
  const section = DOC.slice(DOC.indexOf('## 3. Methods'), DOC.indexOf('## 4. Values'))
  return [...section.matchAll(/^\| `([a-z.-]+)` \| (\w+) \|/gm)].map(([, name, permission]) => [name!, permission!])
}

test('docs/openrpc.json is what the method table makes (else: node test/generate/openrpc.ts)', () => {
  expect(readFileSync(OPENRPC_FILE, 'utf8')).toBe(openrpcText())
})

test('the table of methods has every method, with its permission, and no other', () => {
  const table = Object.entries(METHODS).map(([name, { permission }]) => [name, permission])
  expect(table.length).toBeGreaterThan(15)
  expect(methodRows()).toHaveLength(table.length)
  expect(Object.fromEntries(methodRows())).toEqual(Object.fromEntries(table))
})

test('every event stands in its table', () => {
  expect(EVENT_NAMES.filter((name) => !DOC.includes(`| \`${name}\` |`))).toEqual([])
})

/** What stands in backticks between two texts. */
function quotedBetween(from: string, to: string): string[] {
  expect([DOC.split(from).length, DOC.split(from)[1]?.includes(to)]).toEqual([2, true])
  const passage = DOC.split(from)[1]!.split(to)[0]!
  return [...passage.matchAll(/`([a-z.-]+)`/g)].map(([, name]) => name!)
}

test('the calls beside which no other one runs are named, and no others', () => {
  const large = Object.entries(METHODS).filter(([, { isLarge }]) => isLarge === true)
  expect(large.length).toBeGreaterThan(4)
  expect(quotedBetween('whose answer can be long: ', ' |').toSorted()).toEqual(large.map(([name]) => name).toSorted())
})

test('the events that the history does not keep are named, and no others', () => {
  expect(quotedBetween('Every event but ', ', is kept as an entry').toSorted()).toEqual([...UNKEPT_EVENTS].toSorted())
})

test('every cause of own.changed is named', () => {
  expect(quotedBetween('| `own.changed` | `table`, `cause` (', '), `unapproved`')).toEqual([...OWN_CAUSES])
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
  ['RpcErrorCode', 'ipc/wire/rpc.ts'],
  ['FrameErrorCode', 'ipc/wire/errors.ts'],
  ['PairingErrorCode', 'pairing/errors.ts'],
  ['TableErrorCode', 'core/errors.ts'],
  ['NicknameErrorCode', 'core/errors.ts'],
  ['LinkErrorCode', 'core/errors.ts'],
])('every code of %s is explained', (union, file) => {
  const codes = codesOf(union, file)
  expect(codes.length).toBeGreaterThan(3)
  expect(codes.filter((code) => !DOC.includes(`\`${code}\``))).toEqual([])
})

test.each([
  ['| a frame | N bytes |', MAX_FRAME_BYTES],
  ['| nesting | N levels |', MAX_FRAME_DEPTH],
  ['| calls of one connection that run at a time | N;', DEFAULT_LIMITS.maxInFlight],
  ['| written to a client and not taken by it | N UTF-16 units |', DEFAULT_LIMITS.maxPending],
  ["| time from a frame's first byte to its form feed | N s |", DEFAULT_LIMITS.frameTimeoutMs / 1000],
  ['`limit?` (1..N, else 100)', MAX_PAGE],
  ['`observations` (1..N)', MAX_BATCH],
])('the bound in "%s" is the code’s', (sentence, value) => {
  const number = String(value).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
  expect([sentence.replace('N', number), sentence.replace('N', String(value))].some((text) => DOC.includes(text))).toBe(
    true,
  )
})
