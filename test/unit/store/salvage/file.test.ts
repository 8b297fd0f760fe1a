/** Salvage on a disk that does not give every byte. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readDamaged, type OpenToRead } from '../../../../src/store/salvage/file.ts'
import { readSalvageable } from '../../../../src/store/salvage/read.ts'
import { salvage } from '../../../../src/store/salvage/salvage.ts'
import type { Damage } from '../../../../src/store/salvage/versions.ts'
import { statePaths } from '../../../../src/store/state-dir.ts'
import { openState } from '../../../support/state-dir.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const RECORDS = Array.from({ length: 40 }, (_, n) => `note/${String(n).padStart(2, '0')}`)

/** A state whose records, 1 kB each, are in one log. */
async function makeState(): Promise<string> {
  const state = join(tempDir(), 'state')
  const { store, close } = await openState(state)
  for (const key of RECORDS) await store.commit([{ key, value: new Uint8Array(1000).fill(7) }])
  await close()
  return state
}

/** A disk that fails every read of these bytes. */
function failing(suffix: string, from: number, to: number): OpenToRead {
  return async (path, flags) => {
    const handle = await open(path, flags)
    const read = async (buffer: Uint8Array, offset: number, length: number, position: number): Promise<unknown> => {
      if (path.endsWith(suffix) && position < to && position + length > from)
        throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
      return await handle.read(buffer, offset, length, position)
    }
    return { stat: () => handle.stat(), close: () => handle.close(), read } as Awaited<ReturnType<OpenToRead>>
  }
}

describe('a damaged disk', () => {
  it('costs the pieces that it does not give, and no other byte', async () => {
    const file = join(tempDir(), 'file')
    writeFileSync(file, Buffer.alloc(20_000, 1))
    const damage: Damage[] = []
    const bytes = await readDamaged(file, damage, failing('file', 9000, 9001))
    expect(damage).toStrictEqual([{ file, at: 8192, key: null }])
    const expected = readFileSync(file).fill(0, 8192, 12_288)
    expect(Buffer.from(bytes).equals(expected)).toBe(true)
  })

  it('costs the records of the piece, and the state may be older', async () => {
    const state = await makeState()
    const whole = await readSalvageable(statePaths(state))
    expect([whole.records.size, whole.mayBeOlder]).toStrictEqual([RECORDS.length, false])
    const found = await readSalvageable(statePaths(state), failing('.log', 9000, 9001))
    expect(found.records.size).toBeGreaterThan(RECORDS.length - 8)
    expect(found.records.size).toBeLessThan(RECORDS.length)
    expect(found.mayBeOlder).toBe(true)
  })
})

describe('what is no file', () => {
  it('does not stop the salvage of the files', async () => {
    const state = await makeState()
    mkdirSync(join(state, 'store', '999999.log'))
    expect((await readSalvageable(statePaths(state))).records.size).toBe(RECORDS.length)
  })

  it('is not followed out of the copies of profiles, which may lead into the new state', async () => {
    const state = await makeState()
    const to = join(tempDir(), 'new')
    symlinkSync(join(to, '..'), join(state, 'profiles'))
    const { records, damage } = await salvage({ from: state, to, neverOlder: [], needSecrets: [], needApps: [] })
    expect(records.size).toBe(RECORDS.length)
    expect(damage).toStrictEqual([{ file: join(state, 'profiles'), at: 0, key: null }])
  })
})

describe('the apps key', () => {
  const needs = { neverOlder: [], needSecrets: [], needApps: ['note'] }
  const file = { mode: 0o600 }

  it('is copied, and with it the records that need it', async () => {
    const [from, to] = [await makeState(), join(tempDir(), 'new')]
    writeFileSync(join(from, 'apps'), 'key', file)
    const { records, lostSecrets } = await salvage({ from, to, ...needs })
    expect([records.size, lostSecrets]).toStrictEqual([RECORDS.length, []])
    expect(readFileSync(join(to, 'apps'), 'utf8')).toBe('key')
  })

  it.each([
    ['cannot be read', 'apps', ['apps']],
    ['is sealed by secrets that cannot be read', 'secrets', ['secrets', 'apps']],
  ])('that %s is left out, and what it opens', async (_, unreadable, lost) => {
    const [from, to] = [await makeState(), join(tempDir(), 'new')]
    for (const name of ['apps', 'secrets'])
      if (name === unreadable) mkdirSync(join(from, name))
      else writeFileSync(join(from, name), 'key', file)
    const { records, lostSecrets } = await salvage({ from, to, ...needs })
    expect([records.size, lostSecrets]).toStrictEqual([0, lost])
    expect(existsSync(join(to, 'apps'))).toBe(false)
  })
})
