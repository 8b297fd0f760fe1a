/** A move between a data directory and a database: its contents, and when it is refused. */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { ObjectFiles } from '../../../src/relayd/objects/object-files.ts'
import type { ObjectBytes } from '../../../src/relayd/objects/object-bytes.ts'
import { openPostgres } from '../../../src/relayd/postgres/postgres.ts'
import { relayDir } from '../../../src/relayd/program/relay-dir.ts'
import { runMove } from '../../../src/relayd/program/run-move.ts'
import { openLevelRelayStore } from '../../../src/relayd/records/level-relay-store.ts'
import type { OfferedCard, RelayStore } from '../../../src/relayd/store/relay-store.ts'
import { openLevelStore } from '../../../src/store/level-store.ts'
import { lockStateDir } from '../../../src/store/lock.ts'
import { codeOf } from '../code-of.ts'
import { freshAnswer, LIMITS, MINUTE, SEC, START } from '../relay-stores.ts'
import { tempDir } from '../temp-dir.ts'
import type { TestPostgres } from './server.ts'

const ALICE = 'A1'.repeat(32)
const BOXES = 40
const OPTIONS = {
  limits: { ...LIMITS, maxPersonaBytes: 1 << 30, maxUncheckedBoxes: 100 },
  answerUs: MINUTE,
  nowUs: START - 2 * MINUTE,
}
const box = (n: number): string => String(n).padStart(43, '0')
const hashOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(bytes).digest())

function card(): OfferedCard {
  const rank = { chain: { epoch: 0 }, seq: 1, hash: hashOf(Buffer.from('card')), root: hashOf(Buffer.from('root')) }
  return {
    persona: ALICE,
    app: 'notes',
    at: ALICE.slice(0, 22),
    rank,
    text: 'card',
    expiresUs: START + 1e12,
    guest: null,
    isPublic: true,
  }
}

/** Boxes, a card, an entry, and objects of these bytes. */
async function fill(store: RelayStore, files: ObjectBytes, contents: readonly Uint8Array[]): Promise<void> {
  for (let n = 0; n < BOXES; n++) await store.send(box(n), `message ${n}`, 'bob', START)
  await store.putCard(card(), START)
  const entry = { from: 'B0'.repeat(32), kid: 'kid', at: 'at', bodyHash: 'hash', encId: 'enc' }
  await store.inboxes.post(`${ALICE}/notes`, entry, ['laptop'], START)
  for (const [n, bytes] of contents.entries()) {
    const place = { persona: ALICE, name: `${n}`.repeat(64) }
    await store.objects.begin({ ...place, bytes: bytes.length, hash: hashOf(bytes) }, START)
    await files.write(place, Readable.from([bytes]))
    await store.objects.finish(place, bytes.length, START)
  }
}

/** The keys of all records in a directory on which no relay runs, but for the sums and the store's own count of commits. */
async function keysIn(path: string): Promise<string[]> {
  const lock = await lockStateDir(path)
  const store = await openLevelStore(lock)
  const keys: string[] = []
  for await (const { key } of store.iterate({ prefix: '' }))
    if (key !== 'commit' && !key.startsWith('total/')) keys.push(key)
  await store.close()
  await lock.release()
  return keys.toSorted()
}

async function expectAll(store: RelayStore, files: ObjectBytes, contents: readonly Uint8Array[]): Promise<void> {
  expect(await store.stats()).toMatchObject({
    boxes: BOXES,
    messages: BOXES,
    cards: 1,
    entries: 1,
    objects: contents.length,
  })
  for (const n of [0, BOXES - 1])
    expect(await store.receive(box(n), freshAnswer(START), 0, 9, START + SEC)).toEqual([
      { atUs: START, data: `message ${n}` },
    ])
  expect(await store.getCard({ persona: ALICE, app: 'notes' }, START)).toBe('card')
  for (const [n, bytes] of contents.entries()) {
    const read = await files.read({ persona: ALICE, name: `${n}`.repeat(64) }, bytes.length, {
      first: 0,
      last: bytes.length - 1,
    })
    expect(Buffer.concat(await read.toArray()).equals(bytes)).toBe(true)
  }
}

export function testMoves(server: () => TestPostgres): void {
  it('takes all from a directory into a database, and back, and nothing where a relay runs or where something is', async () => {
    await server().sql('CREATE SCHEMA moved')
    const [url, from, back] = [
      server().url('moved'),
      relayDir(join(tempDir(), 'from')),
      relayDir(join(tempDir(), 'back')),
    ]
    const contents = [randomBytes(1), randomBytes((512 << 10) + 7)]
    const level = await openLevelRelayStore(from.path, OPTIONS)
    await fill(level, await ObjectFiles.open(from.path), contents)
    expect(await codeOf(runMove({ url, isTo: true }, from))).toBe('STORE_LOCKED')
    await level.close()
    expect(await runMove({ url, isTo: true }, from)).toBe(0)
    expect(await codeOf(runMove({ url, isTo: true }, from))).toBe('MOVE_NOT_EMPTY')

    const moved = await server().sql('SELECT key FROM moved.record UNION ALL SELECT key FROM moved.message')
    expect(moved.map(([key]) => key as string).toSorted()).toEqual(await keysIn(from.path))

    const opened = await openPostgres(url, OPTIONS, randomBytes)
    await expectAll(opened.store, opened.files, contents)
    expect(await codeOf(runMove({ url, isTo: false }, back))).toBe('MOVE_IN_USE')
    await opened.store.close()
    expect(await runMove({ url, isTo: false }, back)).toBe(0)
    expect(await codeOf(runMove({ url, isTo: false }, back))).toBe('MOVE_NOT_EMPTY')
    const again = await openLevelRelayStore(back.path, { ...OPTIONS, nowUs: START - MINUTE })
    await expectAll(again, await ObjectFiles.open(back.path), contents)
    await again.close()
  })

  it('that did not end leaves a database that no relay opens, and a directory that is not there; the next one succeeds', async () => {
    await server().sql('CREATE SCHEMA broken')
    const [url, from, back] = [
      server().url('broken'),
      relayDir(join(tempDir(), 'from')),
      relayDir(join(tempDir(), 'back')),
    ]
    const level = await openLevelRelayStore(from.path, OPTIONS)
    const contents = [randomBytes(100)]
    await fill(level, await ObjectFiles.open(from.path), contents)
    await level.close()
    await (await openPostgres(url, OPTIONS, randomBytes)).store.close()
    await server().sql('ALTER TABLE broken.part ADD CONSTRAINT no CHECK (n < 0)')
    expect(await codeOf(runMove({ url, isTo: true }, from))).toBe('DATABASE_FAILED')
    expect(await codeOf(openPostgres(url, OPTIONS, randomBytes))).toBe('DATABASE_MOVING')
    await server().sql('ALTER TABLE broken.part DROP CONSTRAINT no')
    expect(await runMove({ url, isTo: true }, from)).toBe(0)
    await server().sql("UPDATE broken.part SET bytes = 'other'")
    expect(await codeOf(runMove({ url, isTo: false }, back))).toBe('OBJECT_DAMAGED')
    expect(existsSync(back.path)).toBe(false)
  })

  it('makes nothing in a database in which no relay was, and no directory from it', async () => {
    await server().sql('CREATE SCHEMA nothing')
    const back = relayDir(join(tempDir(), 'back'))
    expect(await codeOf(runMove({ url: server().url('nothing'), isTo: false }, back))).toBe('MOVE_EMPTY')
    expect(await server().sql("SELECT FROM pg_tables WHERE schemaname = 'nothing'")).toEqual([])
    expect(existsSync(back.path)).toBe(false)
  })

  it('that did not end is run again as it was: the other way it neither takes a part for all, nor empties what is whole', async () => {
    await server().sql('CREATE SCHEMA half')
    const url = server().url('half')
    const [from, back] = [relayDir(join(tempDir(), 'from')), relayDir(join(tempDir(), 'back'))]
    const level = await openLevelRelayStore(from.path, OPTIONS)
    await fill(level, await ObjectFiles.open(from.path), [])
    await level.close()
    expect(await runMove({ url, isTo: true }, from)).toBe(0)
    const records = await server().sql('SELECT key, value FROM half.record ORDER BY key')
    const left = (way: string): Promise<unknown> => server().sql(`INSERT INTO half.own_key VALUES ('moving', '${way}')`)
    await left('into')
    expect(await codeOf(runMove({ url, isTo: false }, back))).toBe('DATABASE_MOVING')
    expect(await codeOf(openPostgres(url, OPTIONS, randomBytes))).toBe('DATABASE_MOVING')
    await server().sql("DELETE FROM half.own_key WHERE name = 'moving'")
    await left('out')
    expect(await codeOf(runMove({ url, isTo: true }, from))).toBe('MOVE_NOT_EMPTY')
    expect(await server().sql('SELECT key, value FROM half.record ORDER BY key')).toEqual(records)
    await left('out')
    expect(await runMove({ url, isTo: false }, back)).toBe(0)
    await (await openPostgres(url, OPTIONS, randomBytes)).store.close()
  })

  it('neither a relay nor a move touches tables of a later version', async () => {
    await server().sql('CREATE SCHEMA later')
    const url = server().url('later')
    await (await openPostgres(url, OPTIONS, randomBytes)).store.close()
    await server().sql('UPDATE later.persona_relay SET version = version + 1')
    const before = await server().sql('SELECT version FROM later.persona_relay')
    expect(await codeOf(openPostgres(url, OPTIONS, randomBytes))).toBe('DATABASE_NEWER')
    const [from, back] = [relayDir(join(tempDir(), 'from')), relayDir(join(tempDir(), 'back'))]
    await (await openLevelRelayStore(from.path, OPTIONS)).close()
    for (const [isTo, dir] of [
      [true, from],
      [false, back],
    ] as const)
      expect(await codeOf(runMove({ url, isTo }, dir))).toBe('DATABASE_NEWER')
    expect(existsSync(back.path)).toBe(false)
    expect(await server().sql('SELECT version FROM later.persona_relay')).toEqual(before)
  })
}
