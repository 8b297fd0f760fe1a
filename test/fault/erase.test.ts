import { existsSync, mkdirSync, promises, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { beginErasing, finishErasing, type EraseFs } from '../../src/store/erase.ts'
import { lockStateDir } from '../../src/store/lock.ts'
import { statePaths, type StatePaths } from '../../src/store/state-dir.ts'
import { faultyFs, type FaultKind } from '../support/faulty-fs.ts'
import { tempDir } from '../support/temp-dir.ts'

const LEFTOVER = `.personad-${'0'.repeat(32)}.tmp`

/** A state directory with every file that a daemon ever writes, and one file of somebody else. */
function fullDirectory(): StatePaths {
  const stateDir = join(tempDir(), 'state')
  const paths = statePaths(stateDir)
  for (const directory of [paths.store, paths.profiles, paths.witness, paths.reserve, paths.lock])
    mkdirSync(directory, { recursive: true })
  for (const [name, path] of Object.entries(paths)) {
    if (!['store', 'profiles', 'witness', 'reserve', 'lock', 'erasing'].includes(name)) writeFileSync(path, name)
  }
  writeFileSync(join(paths.witness, 'a'.repeat(32)), '')
  for (const name of ['CURRENT', '000005.log']) writeFileSync(join(paths.store, name), 'x')
  writeFileSync(join(paths.reserve, '00'), 'x')
  writeFileSync(join(paths.profiles, 'a copy of a profile'), 'x')
  writeFileSync(join(stateDir, LEFTOVER), 'a copy of a secret')
  writeFileSync(join(stateDir, 'bob.tox'), 'mine')
  return paths
}

/** Fails at the call with this number. */
function eraseFs(failAt: number, kind: FaultKind): EraseFs & { readonly calls: readonly string[] } {
  const faulty = faultyFs(failAt, kind)
  // Removing a directory means many removals. Here it fails after all files in it are gone, or before the first.
  const rm = async (path: string): Promise<void> => {
    if (!existsSync(path)) return
    for (const name of readdirSync(path)) await faulty.unlink(join(path, name))
    await promises.rmdir(path)
  }
  return { ...faulty, calls: faulty.calls, rm, access: (path) => promises.access(path) }
}

const namesIn = (paths: StatePaths): string[] => readdirSync(join(paths.erasing, '..')).toSorted()
const AFTERWARDS = ['bob.tox', 'lock', 'pid']

describe('erasing a state directory', () => {
  it('leaves the held lock and the files of others', async () => {
    const paths = fullDirectory()
    await beginErasing(paths)
    expect(await finishErasing(paths)).toBe(true)
    expect(namesIn(paths)).toEqual(AFTERWARDS)
    expect(await finishErasing(paths)).toBe(false)
  })

  it('removes nothing before it has begun', async () => {
    const paths = fullDirectory()
    const before = namesIn(paths)
    expect(await finishErasing(paths)).toBe(false)
    expect(namesIn(paths)).toEqual(before)
  })

  it.each(['not-persisted', 'persisted', 'dead'] as const)(
    'leaves everything, or a mark from which the next start continues, when cut off at any call (%s)',
    async (kind) => {
      const whole = eraseFs(Infinity, kind)
      const probe = fullDirectory()
      await beginErasing(probe, whole)
      await finishErasing(probe, whole)
      const full = namesIn(fullDirectory())
      let [untouched, halfway] = [0, 0]
      for (let failAt = 0; failAt < whole.calls.length; failAt++) {
        const paths = fullDirectory()
        const fs = eraseFs(failAt, kind)
        // A failed close, or a failed sync of a directory as on some file systems, changes nothing.
        const isDone = await beginErasing(paths, fs)
          .then(() => finishErasing(paths, fs))
          .catch(() => false)
        if (!existsSync(paths.erasing)) {
          const left = namesIn(paths).filter((name) => !name.startsWith('.personad-'))
          if (isDone || !existsSync(paths.secrets)) expect(left, `${failAt}`).toEqual(AFTERWARDS)
          else expect(left, `${failAt}`).toEqual(full.filter((name) => name !== LEFTOVER))
          untouched++
          continue
        }
        halfway++
        expect(await finishErasing(paths), `${failAt}`).toBe(true)
        expect(namesIn(paths), `${failAt}`).toEqual(AFTERWARDS)
      }
      expect(untouched).toBeGreaterThan(2)
      expect(halfway).toBeGreaterThan(15)
    },
  )

  it('removes all secrets before it touches the store', async () => {
    const paths = fullDirectory()
    await beginErasing(paths)
    const { promise, resolve } = Promise.withResolvers<string[]>()
    const rm: EraseFs['rm'] = async (path, options) => {
      resolve(namesIn(paths))
      await promises.rm(path, options)
    }
    await finishErasing(paths, { ...promises, rm })
    const left = await promise
    for (const name of ['secrets', 'seed', 'seed.next', LEFTOVER]) expect(left).not.toContain(name)
    expect(left).toContain('store')
  })

  it('removes the lock last, and the next process takes its own lock', async () => {
    const stateDir = tempDir()
    const lock = await lockStateDir(stateDir)
    await expect(lockStateDir(stateDir)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await lock.remove()
    expect(readdirSync(stateDir)).toEqual([])
    await (await lockStateDir(stateDir)).release()
  })
})
