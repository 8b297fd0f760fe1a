import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import { encodeUtf8 } from '../../src/core/encoding/bytes.ts'
import { createAnchor } from '../../src/store/anchor.ts'
import { StoreError } from '../../src/store/errors.ts'
import { openState } from '../support/state-dir.ts'
import { tempDir } from '../support/temp-dir.ts'

const COMMITS = 12

/** A closed state directory with COMMITS commits of one record each, all in LevelDB's log. */
async function makeState(): Promise<string> {
  const stateDir = join(tempDir(), 'state')
  const { store, close } = await openState(stateDir)
  for (let n = 1; n <= COMMITS; n++) await store.commit([{ key: `a/${n}`, value: encodeUtf8(`value ${n}`) }])
  await close()
  return stateDir
}

/** The same directory, opened once more so that the records are in a table. */
async function makeStateInTable(): Promise<string> {
  const stateDir = await makeState()
  await (await openState(stateDir)).close()
  return stateDir
}

function only(stateDir: string, pattern: RegExp): string {
  const names = readdirSync(join(stateDir, 'store')).filter((name) => pattern.test(name))
  expect(names).toHaveLength(1)
  return join(stateDir, 'store', names[0]!)
}

/** Opens the store. Returns "whole" if it has every acknowledged record, "lost" if one is missing, or the code of the refusal. */
async function tryOpen(stateDir: string): Promise<string> {
  try {
    const { store, close } = await openState(stateDir)
    try {
      for (let n = 1; n <= COMMITS; n++) if (store.get(`a/${n}`) === undefined) return 'lost'
      return 'whole'
    } finally {
      await close()
    }
  } catch (error) {
    if (error instanceof StoreError) return error.code
    throw error
  }
}

/** Changes one byte at a time in a copy of the state, opens it, and counts the outcomes. */
async function flipEach(stateDir: string, file: string, step: number): Promise<Record<string, number>> {
  const copy = join(tempDir(), 'state')
  const bytes = readFileSync(file)
  const outcomes: Record<string, number> = {}
  for (let at = 0; at < bytes.length; at += step) {
    rmSync(copy, { recursive: true, force: true })
    cpSync(stateDir, copy, { recursive: true, filter: (source) => !source.endsWith('/lock') })
    const changed = Uint8Array.from(bytes)
    changed[at]! ^= 1 << (at % 8)
    writeFileSync(join(copy, file.slice(stateDir.length)), changed)
    const outcome = await tryOpen(copy)
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  }
  return outcomes
}

describe('a flipped byte', () => {
  it('in the log lets LevelDB alone open without an error and without synced records', async () => {
    const stateDir = await makeState()
    const log = only(stateDir, /\.log$/)
    const bytes = readFileSync(log)
    bytes[100]! ^= 1
    writeFileSync(log, bytes)
    const level = new Level(join(stateDir, 'store'))
    await level.open()
    const keys = await level.keys({ gte: 'a/', lt: 'a0' }).all()
    await level.close()
    expect(keys.length).toBeLessThan(COMMITS)
  })

  it('anywhere in the log is refused before anything is changed', async () => {
    const stateDir = await makeState()
    const log = only(stateDir, /\.log$/)
    const tried = Math.ceil(readFileSync(log).length / 3)
    const { STORE_CORRUPT = 0, STORE_LOST_WRITES = 0, ...others } = await flipEach(stateDir, log, 3)
    expect(others).toStrictEqual({})
    expect(STORE_CORRUPT + STORE_LOST_WRITES).toBe(tried)
    expect(tried).toBeGreaterThan(200)
    // Only damage in the last record looks like a torn write, and needs the anchor.
    expect(STORE_CORRUPT).toBeGreaterThan(STORE_LOST_WRITES * 5)
    expect(STORE_LOST_WRITES).toBeGreaterThan(0)
  }, 60_000)

  it('anywhere in a table is refused, where LevelDB would report a key as missing', async () => {
    const stateDir = await makeStateInTable()
    const table = only(stateDir, /\.ldb$/)
    const tried = Math.ceil(readFileSync(table).length / 2)
    // The padding of the footer has no meaning.
    const { STORE_CORRUPT = 0, whole = 0, ...others } = await flipEach(stateDir, table, 2)
    expect(others).toStrictEqual({})
    expect(STORE_CORRUPT + whole).toBe(tried)
    expect(tried).toBeGreaterThan(200)
    expect(whole).toBeLessThanOrEqual(18)
  }, 60_000)

  it.each([
    ['MANIFEST', /^MANIFEST-/, 1],
    ['CURRENT', /^CURRENT$/, 1],
  ] as const)(
    'anywhere in %s is refused',
    async (_, pattern, step) => {
      const stateDir = await makeStateInTable()
      const file = only(stateDir, pattern)
      const { STORE_CORRUPT = 0, STORE_MISSING = 0, ...others } = await flipEach(stateDir, file, step)
      expect(others).toStrictEqual({})
      expect(STORE_CORRUPT + STORE_MISSING).toBe(readFileSync(file).length)
    },
    60_000,
  )

  it('in one entry of the anchor leaves the other in use, and in both is refused', async () => {
    const stateDir = await makeState()
    const anchor = join(stateDir, 'anchor')
    const bytes = readFileSync(anchor)
    expect(bytes.length).toBe(8192)
    bytes[20]! ^= 1
    writeFileSync(anchor, bytes)
    expect(await tryOpen(stateDir)).toBe('whole')
    bytes[4096 + 31]! ^= 1
    writeFileSync(anchor, bytes)
    expect(await tryOpen(stateDir)).toBe('STORE_CORRUPT')
  })
})

describe('a loss', () => {
  it('of the last records of the log, cut anywhere, is refused before LevelDB drops more', async () => {
    const stateDir = await makeState()
    const log = only(stateDir, /\.log$/)
    const bytes = readFileSync(log)
    let ran = 0
    for (let length = bytes.length - 1; length > 60; length -= 37) {
      truncateSync(log, length)
      expect(await tryOpen(stateDir)).toBe('STORE_LOST_WRITES')
      expect(readFileSync(log)).toStrictEqual(bytes.subarray(0, length))
      ran++
    }
    expect(ran).toBeGreaterThan(15)
    writeFileSync(log, bytes)
    expect(await tryOpen(stateDir)).toBe('whole')
  })

  it('of the whole content of the log is refused, even at the second try', async () => {
    const stateDir = await makeState()
    truncateSync(only(stateDir, /\.log$/), 0)
    expect(await tryOpen(stateDir)).toBe('STORE_LOST_WRITES')
    expect(await tryOpen(stateDir)).toBe('STORE_LOST_WRITES')
  })

  it('of the log is refused', async () => {
    const stateDir = await makeState()
    rmSync(only(stateDir, /\.log$/))
    expect(await tryOpen(stateDir)).toBe('STORE_LOST_WRITES')
  })

  it.each([
    ['a table', /\.ldb$/],
    ['the MANIFEST', /^MANIFEST/],
    ['CURRENT', /^CURRENT$/],
  ] as const)('of %s is refused', async (_, pattern) => {
    const stateDir = await makeStateInTable()
    rmSync(only(stateDir, pattern))
    expect(await tryOpen(stateDir)).toBe('STORE_MISSING')
  })

  it.each(['anchor', 'store'])('of %s is refused, and no new one is made', async (name) => {
    const stateDir = await makeState()
    rmSync(join(stateDir, name), { recursive: true })
    expect(await tryOpen(stateDir)).toBe('STORE_MISSING')
    expect(existsSync(join(stateDir, name))).toBe(false)
    expect(await tryOpen(stateDir)).toBe('STORE_MISSING')
  })

  it.each(['secrets', 'seed'])('of store and anchor beside a %s file is refused', async (name) => {
    const stateDir = join(tempDir(), 'state')
    mkdirSync(stateDir, { mode: 0o700 })
    writeFileSync(join(stateDir, name), 'sealed')
    expect(await tryOpen(stateDir)).toBe('STORE_MISSING')
  })

  it.each([
    ['log', makeState],
    ['table', makeStateInTable],
  ])('of anchor and CURRENT together is refused if there is a %s', async (_, make) => {
    const stateDir = await make()
    rmSync(join(stateDir, 'anchor'))
    rmSync(join(stateDir, 'store', 'CURRENT'))
    expect(await tryOpen(stateDir)).toBe('STORE_MISSING')
    expect(existsSync(join(stateDir, 'store', 'CURRENT'))).toBe(false)
  })

  it('of the end of a table is refused', async () => {
    const stateDir = await makeStateInTable()
    const table = only(stateDir, /\.ldb$/)
    truncateSync(table, readFileSync(table).length - 1)
    const what = { code: 'STORE_CORRUPT', message: expect.stringContaining('it should have') }
    await expect(openState(stateDir)).rejects.toMatchObject(what)
  })

  it('through an older copy of the store is refused', async () => {
    const stateDir = await makeState()
    cpSync(join(stateDir, 'store'), join(stateDir, 'older'), { recursive: true })
    const { store, close } = await openState(stateDir)
    await store.commit([{ key: 'a/new', value: encodeUtf8('x') }])
    await close()
    rmSync(join(stateDir, 'store'), { recursive: true })
    renameSync(join(stateDir, 'older'), join(stateDir, 'store'))
    expect(await tryOpen(stateDir)).toBe('STORE_LOST_WRITES')
  })

  it('of the last edit of the MANIFEST, with its table, is refused because of the gap between write numbers', async () => {
    const stateDir = join(tempDir(), 'state')
    const { store, close } = await openState(stateDir)
    // At 4 MiB LevelDB begins a new log, and notes the table made from the old one.
    const value = new Uint8Array(500_000)
    for (let n = 0; n < 11; n++) await store.commit([{ key: `big/${n}`, value }])
    const logs = (): string[] => readdirSync(join(stateDir, 'store')).filter((name) => name.endsWith('.log'))
    // It does so in the background, and then removes the log.
    for (let n = 0; n < 1000 && logs().length > 1; n++)
      await store.commit([{ key: 'small/1', value: new Uint8Array(1) }])
    expect(logs()).toHaveLength(1)
    await close()
    const manifest = only(stateDir, /^MANIFEST/)
    const bytes = readFileSync(manifest)
    truncateSync(manifest, bytes.length - 1)
    await expect(openState(stateDir)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('between them are lost'),
    })
    writeFileSync(manifest, bytes)
    await (await openState(stateDir)).close()
  })
})

describe('after a crash', () => {
  it('a torn write is dropped, whatever its end contains', async () => {
    const ends: Record<string, (next: Uint8Array) => Uint8Array> = {
      cut: (next) => next.subarray(0, next.length - 5),
      header: (next) => next.subarray(0, 3),
      zeros: (next) => new Uint8Array(next.length),
      'zeros and more': () => new Uint8Array(5000),
      garbage: (next) => next.map((byte, i) => (i > 20 ? byte ^ 0x55 : byte)),
    }
    let ran = 0
    for (const [title, end] of Object.entries(ends)) {
      const stateDir = await makeState()
      const log = only(stateDir, /\.log$/)
      const next = encodeUtf8('\x00\x00\x00\x00\x20\x00\x01' + 'n'.repeat(32))
      writeFileSync(log, Buffer.concat([readFileSync(log), end(next)]))
      expect(await tryOpen(stateDir), title).toBe('whole')
      ran++
    }
    expect(ran).toBe(5)
  })

  it('a half-made store is made again', async () => {
    const stateDir = join(tempDir(), 'state')
    mkdirSync(join(stateDir, 'store'), { recursive: true, mode: 0o700 })
    writeFileSync(join(stateDir, 'store', 'MANIFEST-000001'), 'torn')
    await (await openState(stateDir)).close()
    // Between the first commit and its anchor.
    rmSync(join(stateDir, 'anchor'))
    await (await openState(stateDir)).close()
    expect(existsSync(join(stateDir, 'anchor'))).toBe(true)
  })

  it('an unfinished compaction is left to LevelDB', async () => {
    const stateDir = await makeStateInTable()
    writeFileSync(join(stateDir, 'store', '000099.ldb'), 'half a table')
    writeFileSync(join(stateDir, 'store', '000001.log'), 'an old log')
    expect(await tryOpen(stateDir)).toBe('whole')
  })
})

it('a store of a newer schema is refused and not changed', async () => {
  const stateDir = await makeState()
  const log = readFileSync(only(stateDir, /\.log$/))
  await createAnchor(join(stateDir, 'anchor'), { schema: 2, number: COMMITS + 2 })
  expect(await tryOpen(stateDir)).toBe('STORE_SCHEMA_NEWER')
  expect(readFileSync(only(stateDir, /\.log$/))).toStrictEqual(log)
})

it('reading notices a record that another program changed through LevelDB', async () => {
  const stateDir = await makeStateInTable()
  const level = new Level<string, Uint8Array>(join(stateDir, 'store'), { valueEncoding: 'view' })
  const record = Uint8Array.from(await level.get('a/1'))
  await level.put('a/2', record)
  record[record.length - 1]! ^= 1
  await level.put('a/1', record)
  await level.close()
  // The store did not write this log, so it would not even open it.
  await expect(openState(stateDir)).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  // LevelDB moves the log into a table, where only the records show the change.
  await new Level(join(stateDir, 'store'), { compression: false }).close()
  const reopened = new Level(join(stateDir, 'store'), { compression: false })
  await reopened.open()
  await reopened.close()
  const { store, close } = await openState(stateDir)
  for (const key of ['a/1', 'a/2'])
    expect(() => store.get(key), key).toThrowError(expect.objectContaining({ code: 'STORE_CORRUPT' }))
  expect(store.get('a/3')).toBeDefined()
  await expect(Array.fromAsync(store.iterate({ prefix: 'a/' }))).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  await close()
})

it('with two logs the older must be whole, and no log may be missing between them', async () => {
  const stateDir = await makeState()
  const older = only(stateDir, /\.log$/)
  const newer = join(stateDir, 'store', '000004.log')
  const bytes = readFileSync(older)
  // LevelDB leaves two logs while the table of the older one is not made yet. Records do not depend on their position in a block.
  const cut = recordEnds(bytes)[5]!
  writeFileSync(older, bytes.subarray(0, cut))
  writeFileSync(newer, bytes.subarray(cut))
  truncateSync(older, cut - 3)
  expect(await tryOpen(stateDir)).toBe('STORE_CORRUPT')
  truncateSync(older, recordEnds(bytes)[4])
  expect(await tryOpen(stateDir)).toBe('STORE_CORRUPT')
  rmSync(older)
  expect(await tryOpen(stateDir)).toBe('STORE_CORRUPT')
  writeFileSync(older, bytes.subarray(0, cut))
  expect(await tryOpen(stateDir)).toBe('whole')
})

function recordEnds(log: Uint8Array): number[] {
  const ends: number[] = []
  for (let at = 0; at < log.length; at = ends.at(-1)!) ends.push(at + 7 + (log[at + 4]! | (log[at + 5]! << 8)))
  return ends
}
