/** A store that the daemon of commit ee701a3 wrote, before records were declared by their owners: the daemon of today opens it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { PEERS, type PeerRecord } from '../../../src/daemon/companion/peers.ts'
import type { LogVerdict } from '../../../src/ipc/shapes/log.ts'
import { openLevelStore } from '../../../src/store/level-store.ts'
import { lockStateDir } from '../../../src/store/lock.ts'
import type { Store } from '../../../src/store/store.ts'
import { InnerDaemon } from '../../support/inner-daemon.ts'
import { TestKeeper } from '../../support/keeper.ts'
import { tempDir } from '../../support/temp-dir.ts'

interface OldStore {
  /** Unix seconds of the last change. */
  readonly nowSec: number
  /** The answers of the old daemon. */
  readonly answers: Readonly<Record<'contact.list' | 'app.list' | 'alarm.list', object>> & {
    readonly 'log.verify': LogVerdict
  }
  /** The state directory, in base64. */
  readonly files: Readonly<Record<string, string>>
  /** Every record by its key, in base64. */
  readonly records: Readonly<Record<string, string>>
}

const OLD = JSON.parse(readFileSync(new URL('../../fixtures/store-ee701a3.json', import.meta.url), 'utf8')) as OldStore

/** A home with the state directory as the old daemon left it. */
function oldHome(): string {
  const home = tempDir()
  for (const [name, content] of Object.entries(OLD.files)) {
    const path = join(home, 'state', name)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, Buffer.from(content, 'base64'), { mode: 0o600 })
  }
  return home
}

/** The keeper of today at the time of the old one, when nothing is due. */
async function openThen(): Promise<{ keeper: TestKeeper; store: Store }> {
  const stateDir = join(oldHome(), 'state')
  const lock = await lockStateDir(stateDir)
  const store = await openLevelStore(lock)
  onTestFinished(async () => {
    await store.close()
    await lock.release()
  })
  return { keeper: await TestKeeper.open({ stateDir, store, nowSec: OLD.nowSec }), store }
}

test('gives the same answers as the old daemon', async () => {
  const { keeper } = await openThen()
  expect(await keeper.call('log.verify')).toEqual({ ...(OLD.answers['log.verify'] as object), kept: 0 })
  expect(await keeper.call('contact.list')).toEqual(OLD.answers['contact.list'])
  expect(await keeper.call('app.list')).toEqual({ ...OLD.answers['app.list'], names: [] })
  expect(await keeper.call('alarm.list')).toEqual(OLD.answers['alarm.list'])
})

test('has every record as it was, byte for byte, but for a field of the owner that the start adds', async () => {
  const { store } = await openThen()
  const found: Record<string, string> = {}
  for await (const { key, value } of store.iterate({ prefix: '' })) found[key] = Buffer.from(value).toString('base64')
  const kinds = new Set(Object.keys(found).map((key) => key.split('/')[0]))
  for (const kind of ['own', 'persona', 'device', 'name', 'intent', 'past', 'app', 'alarm', 'peer', 'history', 'tip'])
    expect(kinds).toContain(kind)
  const own = 'own/own'
  const rewritten = { [own]: '', commit: '' }
  expect({ ...found, ...rewritten }).toEqual({ ...OLD.records, ...rewritten })
  expect(asJson(Buffer.from(found[own]!, 'base64'))).toEqual(asJson(Buffer.from(OLD.records[own]!, 'base64')))
})

test('writes each record as the old daemon did', async () => {
  const { keeper } = await openThen()
  const { onDisk } = keeper.keeper
  for (const kind of onDisk.kinds) {
    for await (const [id, value] of onDisk.of(kind).iterate()) {
      const written = onDisk.of(kind).put(id, value)
      expect(asJson(written.value!)).toEqual(asJson(Buffer.from(OLD.records[written.key]!, 'base64')))
    }
  }
})

/** The version byte, and the value. The daemon of today notes in the owner's record, at the first start, that the seed was here. */
function asJson(record: Uint8Array): [number, unknown] {
  const value = JSON.parse(Buffer.from(record.subarray(1)).toString()) as object
  return [record[0]!, Object.fromEntries(Object.entries(value).filter(([field]) => field !== 'hadSeed'))]
}

test('is served by the daemon of today, with the history whole and the companion having its friends', async () => {
  const inner = await InnerDaemon.start(oldHome())
  const client = await inner.connect()
  const { newest, tip } = OLD.answers['log.verify']
  expect(await client.call('log.verify')).toMatchObject({ intact: true, oldest: 1 })
  const { entries } = await client.call('log.list', { before: newest + 1, limit: 1 })
  expect(entries).toMatchObject([{ number: newest, hash: tip }])
  const { contacts } = await client.call('contact.list')
  expect(contacts.map(({ name }) => name)).toEqual(['Bob', 'Carol', 'Dave'])
  expect(await client.call('app.list')).toMatchObject({ apps: [{ name: 'dino', can: ['read', 'observe'] }] })
  const peers: PeerRecord[] = []
  for await (const [, peer] of inner.daemon.keeper.onDisk.of(PEERS).iterate()) peers.push(peer)
  expect(peers).toEqual([{ how: 'named', personaId: null, toxId: null, addedAtSec: OLD.nowSec }])
})
