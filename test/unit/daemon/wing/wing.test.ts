import { beforeEach, describe, expect, test } from 'vitest'
import { configSections, parseConfig } from '../../../../src/daemon/config.ts'
import type { Kind } from '../../../../src/daemon/state/kind.ts'
import { recordsOf } from '../../../../src/daemon/state/records.ts'
import { WINGS } from '../../../../src/daemon/wings.ts'
import { WING_SCHEMAS } from '../../../../src/ipc/methods/wing-schemas.ts'
import { protocolOf } from '../../../../src/ipc/methods/all-methods.ts'
import { ConfigError } from '../../../../src/process/config-file.ts'
import { openMemoryStore } from '../../../../src/store/memory-store.ts'
import { InnerDaemon } from '../../../support/inner-daemon.ts'
import { OWN_PHONE, TestKeeper } from '../../../support/keeper.ts'
import { pair } from '../../../support/pairing.ts'
import { forged, linesOf, snapshotOf, importSnapshot } from '../../../support/snapshot.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { CURSORS, done, DRAFTS, NOTES, TEST_WING, type Note, type NoteMethods } from '../../../support/test-wing.ts'

interface NoteEvent {
  readonly event: 'note.added' | 'note.full'
  readonly id: number
  readonly data: unknown
}

const ALL = [...WINGS, TEST_WING]

const start = (home: string = tempDir(), config: string = ''): Promise<InnerDaemon> =>
  InnerDaemon.start(home, config, ALL)

beforeEach(() => void done.splice(0))

describe('a daemon with one more wing', () => {
  test('answers its methods, and keeps its records over a restart', async () => {
    const home = tempDir()
    const first = await start(home)
    const client = await first.connect<NoteMethods>()
    expect(await client.call('note.put', { id: 'milk', text: 'buy milk' })).toEqual({ count: 1 })
    await expect(client.call('note.put', { id: 'Not an id', text: '' })).rejects.toMatchObject({ code: 'BAD_PARAMS' })
    await first.stop()
    const second = await start(home)
    const again = await second.connect<NoteMethods>()
    expect(await again.call('note.list')).toEqual({ notes: { milk: 'buy milk' } })
  })

  test('starts it after the sockets answer, hands every event to it, and closes it', async () => {
    const daemon = await start()
    const client = await daemon.connect()
    await client.call('app.allow', { name: 'notes', can: ['read'] })
    await daemon.stop()
    expect(done).toEqual(['started with 3', 'app.changed', 'closed'])
  })

  test('grants its capability to apps, and refuses its methods without it', async () => {
    const daemon = await start()
    const [owner, app] = [await daemon.connect(), await daemon.connect<NoteMethods>('app')]
    const put = (): Promise<unknown> => app.call('note.put', { id: 'a', text: '' })
    await expect(put()).rejects.toMatchObject({ code: 'PERMISSION_DENIED', details: { permission: 'note' } })
    const readers = await owner.call('app.allow', { name: 'reader', can: ['read', 'publish'] })
    await app.call('app.hello', { token: readers.token })
    await expect(put()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    const writers = await owner.call('app.allow', { name: 'writer', can: ['note', 'read'] })
    expect(writers.app.can).toEqual(['read', 'note'])
    await app.call('app.hello', { token: writers.token })
    expect(await put()).toEqual({ count: 1 })
    await owner.call('app.revoke', { name: 'writer' })
    await expect(put()).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    await expect(owner.call('app.allow', { name: 'other', can: ['fly'] })).rejects.toMatchObject({ code: 'BAD_PARAMS' })
  })

  test('gives its capability to every app if the configuration says so', async () => {
    const daemon = await start(tempDir(), 'apps:\n  default_capabilities: [note]\n')
    const app = await daemon.connect<NoteMethods>('app')
    expect(await app.call('note.put', { id: 'a', text: '' })).toEqual({ count: 1 })
    await expect(app.call('note.list')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
  })

  test('shows its part of the status, and its checks of doctor', async () => {
    const daemon = await start(tempDir(), 'notes:\n  most: 1\n  greet_as: Alice\n')
    const client = await daemon.connect<NoteMethods>()
    const codes = async (): Promise<string[]> => (await client.call('doctor')).findings.map(({ code }) => code)
    expect(await client.call('status')).toMatchObject({ notes: 0, profiles: { watched: 0, older: 0 }, tox: null })
    expect(await codes()).toContain('NOTES')
    await client.call('note.put', { id: 'a', text: '' })
    const status = await client.call('status')
    expect(status).toMatchObject({ notes: 1 })
    expect(status.notices).toContain('there are 1 notes for Alice')
    expect(await codes()).toEqual(expect.arrayContaining(['WATCH_NOTHING', 'NOTES_FULL', 'HISTORY']))
  })

  test('sends its events to subscribers, and the history keeps those that are declared so', async () => {
    const daemon = await start(tempDir(), 'notes:\n  most: 2\n')
    const client = await daemon.connect<NoteMethods, NoteEvent>()
    const seen: unknown[] = []
    await client.subscribe(['note.added', 'note.full'], ({ event, ...rest }) => seen.push({ event, ...rest }))
    for (const id of ['a', 'b']) await client.call('note.put', { id, text: '' })
    await client.call('status')
    expect(seen).toMatchObject([
      { event: 'note.added', id: 1, data: { id: 'a' } },
      { event: 'note.added', id: 2, data: { id: 'b' } },
      { event: 'note.full', id: 0, data: { most: 2 } },
    ])
    const { entries } = await client.call('log.list')
    expect(entries.map(({ event, data }) => ({ event, data }))).toEqual([
      { event: 'note.added', data: { id: 'b' } },
      { event: 'note.added', data: { id: 'a' } },
    ])
    expect(await client.call('log.verify')).toMatchObject({ intact: true })
  })

  test('reads its section again: a reloadable key takes effect, another one waits for the next start', async () => {
    const home = tempDir()
    const daemon = await start(home, 'notes:\n  most: 9\n')
    const client = await daemon.connect<NoteMethods>()
    await client.call('note.put', { id: 'a', text: '' })
    await daemon.reload('notes:\n  most: 1\n  greet_as: Bob\n')
    const found = await client.call('doctor')
    expect(found.findings.map(({ code }) => code)).toContain('NOTES_FULL')
    expect((await client.call('status')).notices).toContain('there are 1 notes for me')
    expect(daemon.logged.find(({ event }) => event === 'config.reloaded')).toMatchObject({
      changed: 'notes.most',
      needRestart: 'notes.greet_as',
    })
  })
})

describe('the section of a wing', () => {
  test.each([
    ['notes:\n  most: 10\n', 'CONFIG_VALUE', 2, 9, '"notes.most" must be a whole number from 1 to 9'],
    ['log: {}\nnotes:\n  more: 1\n', 'CONFIG_UNKNOWN_KEY', 3, 3, 'known keys are notes.most, notes.greet_as'],
    ['notes: 5\n', 'CONFIG_VALUE', 1, 8, '"notes" must be a mapping'],
  ])('is refused with line and column: %j', (text, code, line, column, says) => {
    const parse = (): unknown => parseConfig(text, 'x', configSections(ALL))
    expect(parse).toThrow(ConfigError)
    expect(parse).toThrow(expect.objectContaining({ code, line, column, message: expect.stringContaining(says) }))
  })

  test('is unknown to a daemon without the wing', () => {
    expect(() => parseConfig('notes: {}\n', 'x', configSections(WINGS))).toThrow('unknown key "notes"')
  })
})

describe('the records of a wing', () => {
  const kindsOfWings = ALL.flatMap(({ kinds = [] }) => kinds)
  const texts = async (keeper: TestKeeper, kind: Kind<Note>): Promise<string[]> => {
    const found: string[] = []
    for await (const [, { text }] of keeper.keeper.onDisk.of(kind).iterate()) found.push(text)
    return found
  }
  const put = async (keeper: TestKeeper, id: string, text: string): Promise<void> => {
    const { state } = keeper.keeper
    await keeper.keeper.change(() => {
      for (const kind of [NOTES, DRAFTS, CURSORS]) state.stage(state.of(kind).put(id, { text: `${kind.name} ${text}` }))
    })
  }
  const wrote = async (): Promise<TestKeeper> => {
    const keeper = await TestKeeper.withPersona({ kindsOfWings })
    await put(keeper, 'a', 'from the laptop')
    return keeper
  }

  test('travel in a pairing as declared, and are merged', async () => {
    const [old, joining] = [await wrote(), await TestKeeper.open({ kindsOfWings })]
    await put(joining, 'a', 'from the phone')
    await put(old, 'b', 'from the laptop')
    await pair(old, joining, { join: { device: { name: 'phone', key: OWN_PHONE } } })
    expect(await texts(joining, NOTES)).toEqual(['note from the phone', 'note from the laptop'])
    expect(await texts(joining, DRAFTS)).toEqual(['draft from the phone'])
    expect(await texts(joining, CURSORS)).toEqual(['cursor from the phone'])
  })

  test('travel in a backup as declared', async () => {
    const [old, other] = [await wrote(), await TestKeeper.open({ kindsOfWings })]
    await importSnapshot(other, await snapshotOf(old, 'backup'), { sibling: null, withKeys: false })
    expect(await texts(other, NOTES)).toEqual(['note from the laptop'])
    expect(await texts(other, DRAFTS)).toEqual(['draft from the laptop'])
    expect(await texts(other, CURSORS)).toEqual([])
  })

  test.each([
    ['a kind that no pairing holds', { of: 'draft', id: 'a', value: { text: '' } }, 'SNAPSHOT_DAMAGED'],
    ['a kind that never travels', { of: 'cursor', id: 'a', value: { text: '' } }, 'SNAPSHOT_UNKNOWN_KIND'],
    ['a kind of no wing', { of: 'other', id: 'a', value: { text: '' } }, 'SNAPSHOT_UNKNOWN_KIND'],
    ['a wrong id', { of: 'note', id: 'A B', value: { text: '' } }, 'SNAPSHOT_DAMAGED'],
    ['a wrong value', { of: 'note', id: 'a', value: { text: '', more: 1 } }, 'SNAPSHOT_DAMAGED'],
  ])('are refused in a snapshot of a sibling with %s', async (_title, item, code) => {
    const [old, other] = [await wrote(), await TestKeeper.open({ kindsOfWings })]
    const [header, ...rest] = linesOf(await snapshotOf(old, 'sibling'))
    const items = [
      ...rest.slice(0, -1).filter((line) => !line.includes('"wing"')),
      JSON.stringify({ kind: 'wing', ...item }),
    ]
    const snapshot = forged([header!, ...items, ''])
    await expect(importSnapshot(other, snapshot, { sibling: 'phone', withKeys: false })).rejects.toMatchObject({ code })
    expect(await texts(other, NOTES)).toEqual([])
  })

  test('are not read without a wing that declares them, and two wings cannot share a name', () => {
    const records = recordsOf(openMemoryStore())
    expect(() => records.of(NOTES)).toThrow('no open wing declares records of the kind note')
    expect(() => recordsOf(openMemoryStore(), null, [NOTES, NOTES])).toThrow('two kinds')
  })
})

test('the list of schemas has exactly the wings of the daemon', () => {
  expect(new Set(WINGS.map(({ schema }) => schema))).toEqual(new Set(WING_SCHEMAS))
})

test('a row with an unknown permission is refused', () => {
  expect(() => protocolOf([{ ...TEST_WING.schema, capabilities: [] }])).toThrow('note.put needs "note"')
})
