import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'
import {
  circlesOfFiles,
  circlesOfFolders,
  importsBelow,
  importsOf,
  RULES,
  violations,
  type Import,
} from '../support/imports.ts'
import { tempDir } from '../support/temp-dir.ts'

const SRC = resolve(import.meta.dirname, '../../src')

const MAX_FILES = 25 // sanity: a folder that a reader takes in at one look (docs/architecture.md)

/** Names of files by their folder below src. */
function filesByFolder(): Map<string, string[]> {
  const files = readdirSync(SRC, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const named = files.map(({ parentPath, name }) => [relative(SRC, parentPath), name] as const)
  return new Map(
    [...Map.groupBy(named, ([folder]) => folder)].map(([folder, all]) => [folder, all.map(([, name]) => name)]),
  )
}

test('every folder imports only what its rule allows', () => {
  const imports = importsBelow(SRC)
  expect(imports.length).toBeGreaterThan(200)
  expect(violations(SRC, imports)).toEqual([])
})

test('every folder of src has a rule, and every rule a folder', () => {
  const folders = [...filesByFolder().keys()]
  expect(folders.toSorted()).toEqual(Object.keys(RULES).toSorted())
})

test('no files import each other in a circle, types counted', () => {
  expect(circlesOfFiles(SRC, importsBelow(SRC))).toEqual([])
})

test('no folders import each other in a circle, types counted', () => {
  expect(circlesOfFolders(SRC, importsBelow(SRC))).toEqual([])
})

test('native code of the Tox node is loaded by its own process only', () => {
  const native = new Set(
    importsBelow(join(SRC, 'toxnode')).flatMap(({ file, from }) => (from === 'koffi' ? [file] : [])),
  )
  expect([...native].toSorted()).toEqual(['child.ts', 'libtoxcore.ts', 'loopback.ts'])
  const taken = importsBelow(SRC).filter(({ file, from }) => !file.startsWith('toxnode/') && from.includes('/toxnode/'))
  expect(taken.length).toBeGreaterThan(0)
  expect(taken.filter(({ from }) => native.has(from.split('/').at(-1)!) || from.endsWith('/main.ts'))).toEqual([])
})

/** The imports of sources that exist for this test only. */
function importsOfSources(sources: Readonly<Record<string, string>>): { root: string; imports: Import[] } {
  const root = tempDir()
  for (const [file, source] of Object.entries(sources)) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), source)
  }
  return { root, imports: importsBelow(root) }
}

const FORBIDDEN: readonly (readonly [file: string, source: string])[] = [
  ['errors/a.ts', "import { x } from '../core/errors.ts'"],
  ['core/encoding/a.ts', "import { BlobError } from '../errors.ts'"],
  ['core/curve/a.ts', "import { decodeBlob } from '../blob.ts'"],
  ['core/unicode/a.ts', "import { x } from '../encoding/bytes.ts'"],
  ['core/succession/a.ts', "import { zlib } from 'node:zlib'"],
  ['core/stream/a.ts', "import { x } from '../../crypto/engine.ts'"],
  ['core/a.ts', "import { readFile } from 'node:fs'"],
  ['core/b.ts', "import type { Store } from '../store/store.ts'"],
  ['core/announce/a.ts', "import { createHash } from 'node:crypto'"],
  ['dht/a.ts', "import { createSocket } from 'node:dgram'"],
  ['channel/carriers/records/a.ts', "import { x } from '../../exchange/channel.ts'"],
  ['record/dht/a.ts', "import { createSocket } from 'node:dgram'"],
  ['record/veilid/a.ts', "import { DhtClient } from '../../dht/client.ts'"],
  ['record/a.ts', "import type { GetReport } from '../dht/order.ts'"],
  ['seal/a.ts', "import { createHmac } from 'node:crypto'"],
  ['durable/a.ts', "import { x } from '../core/bytes.ts'"],
  ['process/a.ts', "import { x } from '../ipc/paths.ts'"],
  ['crypto/a.ts', "export { x } from '../store/store.ts'"],
  ['store/a.ts', "const tox = await import('../tox/save/savefile.ts')"],
  ['toxnode/a.ts', "import { x } from '../crypto/seal.ts'"],
  ['netnode/a.ts', "import { x } from '../store/store.ts'"],
  ['rtcnode/a.ts', "import { x } from '../store/record-store.ts'"],
  ['card/a.ts', "import { x } from '../crypto/seed.ts'"],
  ['relay/paths/a.ts', "import { x } from '../wire.ts'"],
  ['message/a.ts', "import { x } from '../crypto/seed.ts'"],
  ['link/a.ts', "import { x } from '../channel/exchange/send.ts'"],
  ['relay/a.ts', "import { x } from 'node:http'"],
  ['relayd/a.ts', "import { x } from '../daemon/config.ts'"],
  ['relayd/store/a.ts', "import { x } from '../http/relay-server.ts'"],
  ['relayd/kept/a.ts', "import { x } from '../records/records.ts'"],
  ['relayd/records/a.ts', "import { x } from '../http/relay-server.ts'"],
  ['relayd/postgres/a.ts', "import { readFile } from 'node:fs/promises'"],
  ['relayd/move/a.ts', "import { x } from '../boxes/boxes.ts'"],
  ['relayd/inbox/a.ts', "import { x } from '../http/relay-server.ts'"],
  ['relayd/objects/a.ts', "import { x } from '../http/relay-server.ts'"],
  ['relayd/personas/a.ts', "import { unlink } from 'node:fs/promises'"],
  ['relayd/boxes/a.ts', "import { x } from '../../store/store.ts'"],
  ['relayd/cards/a.ts', "import { x } from '../http/relay-server.ts'"],
  ['relayd/http/a.ts', "import { x } from '../store/relay-store.ts'"],
  ['relayd/program/a.ts', "import { x } from '../../daemon/config.ts'"],
  ['channel/a.ts', "import { x } from './exchange/channel.ts'"],
  ['channel/rtc/a.ts', "import { x } from '../direct/direct-end.ts'"],
  ['channel/invite/a.ts', "import { x } from '../exchange/channel.ts'"],
  ['channel/ratchet/a.ts', "import { x } from 'node:crypto'"],
  ['channel/exchange/a.ts', "import { x } from '../handshake/guest.ts'"],
  ['channel/handshake/a.ts', "import { sealTo } from '../../seal/seal.ts'"],
  ['channel/direct/a.ts', "import { x } from '../handshake/guest.ts'"],
  ['channel/hpke/a.ts', "import { x } from '../exchange/send.ts'"],
  ['channel/carriers/a.ts', "import { x } from '../exchange/channel.ts'"],
  ['connectoid/a.ts', "import { x } from '../daemon/keeper/keeper.ts'"],
  ['pairing/a.ts', "import { connect } from 'node:net'"],
  ['tox/save/a.ts', "import { readFile } from 'node:fs/promises'"],
  ['tox/profile/a.ts', "import { x } from 'level'"],
  ['ipc/shapes/a.ts', "import type { Method } from '../methods/method.ts'"],
  ['ipc/wire/a.ts', "import * as z from '../../schema/zod.ts'"],
  ['ipc/shapes/b.ts', "import * as z from 'zod'"],
  ['schema/a.ts', "import { x } from '../core/bytes.ts'"],
  ['ipc/methods/a.ts', "import { x } from '../client.ts'"],
  ['ipc/a.ts', "import { x } from './server/server.ts'"],
  ['ipc/server/a.ts', "import { x } from '../../daemon/keeper/keeper.ts'"],
  ['daemon/state/a.ts', "import type { X } from '../contacts/pending.ts'"],
  ['daemon/custody/a.ts', "import { x } from '../own/own-records.ts'"],
  ['daemon/personas/a.ts', "import { x } from '../own/sign-table.ts'"],
  ['daemon/contacts/a.ts', "import { x } from '../custody/custody.ts'"],
  ['daemon/own/a.ts', "import type { Keeper } from '../keeper/keeper.ts'"],
  ['daemon/keeper/a.ts', "import { x } from '../methods/contacts.ts'"],
  ['daemon/net/a.ts', "import { x } from '../keeper/keeper.ts'"],
  ['daemon/cards/kept/a.ts', "import { x } from '../own-cards.ts'"],
  ['daemon/cards/a.ts', "import { x } from '../announce/announcer.ts'"],
  ['daemon/relays/a.ts', "import { x } from '../../channel/invite/invite.ts'"],
  ['daemon/sealed/a.ts', "import { x } from '../wing/wing.ts'"],
  ['daemon/wing/a.ts', "import { x } from '../profiles/profiles.ts'"],
  ['daemon/profiles/a.ts', "import { x } from '../companion/companion.ts'"],
  ['daemon/channels/carriers/a.ts', "import { x } from '../../keeper/keeper.ts'"],
  ['daemon/apps/a.ts', "import { x } from '../snapshot/stream.ts'"],
  ['daemon/companion/a.ts', "import { x } from '../profiles/profiles.ts'"],
  ['store/salvage/a.ts', "import { x } from '../../daemon/state/records.ts'"],
  ['daemon/channels/records/a.ts', "import { x } from '../ends/end.ts'"],
  ['daemon/channels/ends/a.ts', "import { x } from '../../announce/announcer.ts'"],
  ['daemon/channels/meet/a.ts', "import { x } from '../../wing/wing.ts'"],
  ['daemon/messages/records/a.ts', "import { x } from '../tasks/queue.ts'"],
  ['daemon/messages/tasks/a.ts', "import { x } from '../sending/sender.ts'"],
  ['daemon/messages/sending/a.ts', "import { x } from '../receiving/read.ts'"],
  ['daemon/messages/receiving/a.ts', "import { x } from '../../wing/call-apps.ts'"],
  ['daemon/links/proposals/a.ts', "import { x } from '../../channels/runner.ts'"],
  ['daemon/links/a.ts', "import { x } from '../channels/runner.ts'"],
  ['daemon/chat/a.ts', "import { x } from '../messages/messages.ts'"],
  ['daemon/messages/a.ts', "import { x } from '../channels/runner.ts'"],
  ['daemon/channels/a.ts', "import { x } from '../announce/announcer.ts'"],
  ['daemon/announce/a.ts', "import { x } from '../companion/companion.ts'"],
  ['daemon/notify/a.ts', "import { x } from '../companion/companion.ts'"],
  ['daemon/snapshot/a.ts', "import { x } from '../rotation/rotate.ts'"],
  ['daemon/health/a.ts', "import { x } from '../companion/companion.ts'"],
  ['daemon/health/b.ts', "import type { X } from '../profiles/profiles.ts'"],
  ['daemon/rotation/a.ts', "import { x } from '../methods/rotation.ts'"],
  ['daemon/pairing/a.ts', "import { x } from '../rotation/rotate.ts'"],
  ['daemon/methods/a.ts', "import { x } from '../daemon.ts'"],
  ['daemon/a.ts', "import '../cli/main.ts'"],
  ['cli/io/a.ts', "import { x } from '../own/device.ts'"],
  ['cli/tox/a.ts', "import { x } from '../contacts/contacts.ts'"],
  ['cli/events/a.ts', "import { x } from '../contacts/contacts.ts'"],
  ['cli/own/a.ts', "import { x } from '../../store/store.ts'"],
  ['cli/contacts/a.ts', "import { x } from '../../store/store.ts'"],
  ['cli/daemon/a.ts', "import { startDaemon } from '../../daemon/daemon.ts'"],
  ['cli/channels/a.ts', "import { x } from '../../channel/handshake/host.ts'"],
  ['cli/chat/a.ts', "import { x } from '../../daemon/chat/history.ts'"],
  ['cli/messages/a.ts', "import { x } from '../../message/entry.ts'"],
  ['cli/contents/a.ts', "import { x } from '../channels/find.ts'"],
  ['cli/pairing/a.ts', "import { x } from '../../crypto/seal.ts'"],
  ['cli/program/a.ts', "import { x } from '../../core/blob.ts'"],
  ['cli/a.ts', "import { x } from '../store/store.ts'"],
  ['launch/a.js', "import '../cli/main.ts'"],
  ['elsewhere/a.ts', "import { x } from '../core/bytes.ts'"],
]

test.each(FORBIDDEN)('a forbidden import is found: %s with %s', (file, source) => {
  const { root, imports } = importsOfSources({ [file]: source })
  expect(violations(root, imports)).toHaveLength(1)
})

test('every rule has a forbidden import that it finds', () => {
  const shown = new Set(FORBIDDEN.map(([file]) => dirname(file)))
  expect(Object.keys(RULES).filter((folder) => !shown.has(folder))).toEqual([])
})

test('a circle of files is found, also one of types', () => {
  const { root, imports } = importsOfSources({
    'core/a.ts': "import { b } from './b.ts'",
    'core/b.ts': "import type { C } from './c.ts'",
    'core/c.ts': "export { a } from './a.ts'",
    'core/d.ts': "import { a } from './a.ts'",
  })
  expect(circlesOfFiles(root, imports)).toEqual([['core/a.ts', 'core/b.ts', 'core/c.ts']])
  expect(circlesOfFolders(root, imports)).toEqual([])
})

test('a circle of folders is found where no file is in one', () => {
  const { root, imports } = importsOfSources({
    'daemon/own/a.ts': "import { b } from '../state/b.ts'",
    'daemon/state/b.ts': '',
    'daemon/state/c.ts': "import type { D } from '../own/d.ts'",
    'daemon/own/d.ts': '',
  })
  expect(circlesOfFiles(root, imports)).toEqual([])
  expect(circlesOfFolders(root, imports)).toEqual([['daemon/own', 'daemon/state']])
})

test('all forms of an import are seen', () => {
  const source = `import a from 'a'\nimport type { B } from "b"\nexport * from 'c'\nawait import('d')\nimport 'e'`
  expect(importsOf(source)).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('no folder is a hall', () => {
  expect([...filesByFolder()].filter(([, files]) => files.length > MAX_FILES).map(([folder]) => folder)).toEqual([])
})
