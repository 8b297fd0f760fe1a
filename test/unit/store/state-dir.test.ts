import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockStateDir } from '../../../src/store/lock.ts'
import { checkStateDir, createStateDir, statePaths } from '../../../src/store/state-dir.ts'
import { checkStateFiles } from '../../../src/store/state-files.ts'
import { openState } from '../../support/state-dir.ts'
import { tempDir } from '../../support/temp-dir.ts'

const uid = process.getuid?.() ?? 0
const CHILD = join(import.meta.dirname, '../../support/committing-child.ts')

describe('the state directory', () => {
  it('is made private, with its parents, even under an open umask', async () => {
    const path = join(tempDir(), 'a', 'b')
    const umask = process.umask(0)
    try {
      await createStateDir(path)
    } finally {
      process.umask(umask)
    }
    expect(statSync(path).mode & 0o777).toBe(0o700)
    await createStateDir(path)
  })

  it.skipIf(process.platform !== 'linux')('is refused below a directory that takes none', async () => {
    const what = { code: 'STORE_IO', message: expect.stringContaining('cannot make /proc/x') }
    await expect(createStateDir('/proc/x')).rejects.toMatchObject(what)
    await expect(createStateDir('/proc/x/y')).rejects.toMatchObject(what)
  })

  it.each(['701', '710', '702', '740', '755', '777'])('with the mode %s is refused and not changed', async (digits) => {
    const mode = parseInt(digits, 8)
    const path = join(tempDir(), 'state')
    mkdirSync(path)
    chmodSync(path, mode)
    const what = { code: 'STATE_DIR_OPEN_TO_OTHERS', message: expect.stringContaining(`chmod 700 ${path}`) }
    await expect(createStateDir(path)).rejects.toMatchObject(what)
    expect(statSync(path).mode & 0o777).toBe(mode)
  })

  it('is refused if it is a link, a file, missing or owned by another user', async () => {
    const base = tempDir()
    const path = join(base, 'state')
    await createStateDir(path)
    symlinkSync(path, join(base, 'link'))
    symlinkSync(join(base, 'nothing'), join(base, 'dangling'))
    writeFileSync(join(base, 'file'), '')
    await expect(createStateDir(join(base, 'link'))).rejects.toMatchObject({ code: 'STATE_DIR_SYMLINK' })
    await expect(createStateDir(join(base, 'dangling'))).rejects.toMatchObject({ code: 'STATE_DIR_SYMLINK' })
    await expect(createStateDir(join(base, 'file'))).rejects.toMatchObject({ code: 'STATE_DIR_NOT_DIRECTORY' })
    await expect(checkStateDir(join(base, 'none'))).rejects.toMatchObject({ code: 'STATE_DIR_MISSING' })
    await expect(createStateDir(join(base, 'file', 'below'))).rejects.toMatchObject({ code: 'STORE_IO' })
    await expect(checkStateDir(path, uid + 1)).rejects.toMatchObject({ code: 'STATE_DIR_FOREIGN_OWNER' })
    await checkStateDir(path, uid)
  })
})

describe('the lock', () => {
  it('has one holder, and is free again after release', async () => {
    const path = join(tempDir(), 'state')
    await createStateDir(path)
    const lock = await lockStateDir(path)
    const what = {
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid} already uses ${path}`),
    }
    await expect(lockStateDir(path)).rejects.toMatchObject(what)
    expect(readFileSync(lock.paths.pid, 'latin1')).toBe(`${process.pid}\n`)
    await lock.release()
    expect(existsSync(lock.paths.pid)).toBe(false)
    await (await lockStateDir(path)).release()
  })

  it('names no process that is unknown or has ended', async () => {
    const path = join(tempDir(), 'state')
    await createStateDir(path)
    const lock = await lockStateDir(path)
    const ended = spawn('true')
    await once(ended, 'close')
    let ran = 0
    for (const text of ['', '-1\n', '0\n', '12x\n', '99999999999\n', `${ended.pid}\n`]) {
      writeFileSync(lock.paths.pid, text)
      const what = { code: 'STORE_LOCKED', message: expect.stringContaining('another process already uses') }
      await expect(lockStateDir(path), text).rejects.toMatchObject(what)
      ran++
    }
    expect(ran).toBe(6)
    await lock.release()
  })

  it('keeps a second process out while the first lives, and ends with it in any case', async () => {
    const path = join(tempDir(), 'state')
    const child = spawn(process.execPath, [CHILD, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    const what = { code: 'STORE_LOCKED', message: expect.stringContaining(`process ${child.pid}`) }
    await expect(openState(path)).rejects.toMatchObject(what)
    child.kill('SIGKILL')
    child.stdout.resume()
    await once(child, 'close')
    await (await openState(path)).close()
  })

  it.each([
    ['CURRENT that names nothing', 'CURRENT', 'no newline'],
    ['CURRENT that names a manifest that is gone', 'CURRENT', 'MANIFEST-000099\n'],
    ['a damaged manifest', 'MANIFEST-000002', 'damaged'],
  ])('with %s is made anew, since it holds no data', async (_, name, text) => {
    const path = join(tempDir(), 'state')
    await createStateDir(path)
    await (await lockStateDir(path)).release()
    writeFileSync(join(path, 'lock', name), text)
    const lock = await lockStateDir(path)
    await expect(lockStateDir(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await lock.release()
    await (await lockStateDir(path)).release()
  })

  it('is not made anew under another process that holds it', async () => {
    const path = join(tempDir(), 'state')
    await createStateDir(path)
    const lock = await lockStateDir(path)
    writeFileSync(join(path, 'lock', 'CURRENT'), 'no newline')
    await expect(lockStateDir(path)).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    expect(readFileSync(join(path, 'lock', 'CURRENT'), 'latin1')).toBe('no newline')
    await lock.release()
  })
})

describe('the files of the state directory', () => {
  async function made(): Promise<string> {
    const path = join(tempDir(), 'state')
    const { store, close } = await openState(path)
    await store.commit([{ key: 'a/1', value: new Uint8Array(1) }])
    await close()
    return path
  }

  it.each(['store', 'lock', 'anchor'])('are refused if %s is a link', async (name) => {
    const path = await made()
    renameSync(join(path, name), join(path, 'elsewhere'))
    symlinkSync(join(path, 'elsewhere'), join(path, name))
    await expect(checkStateFiles(statePaths(path), uid)).rejects.toMatchObject({ code: 'STATE_DIR_SYMLINK' })
  })

  it.each([
    ['store', 0o777],
    ['anchor', 0o666],
    ['anchor', 0o620],
    ['store/CURRENT', 0o602],
    ['lock', 0o770],
  ])('are refused if others may write to %s (%o)', async (name, mode) => {
    const path = await made()
    await checkStateFiles(statePaths(path), uid)
    chmodSync(join(path, name), mode)
    const what = { code: 'STATE_DIR_OPEN_TO_OTHERS', message: expect.stringContaining(`chmod go= ${join(path, name)}`) }
    await expect(checkStateFiles(statePaths(path), uid)).rejects.toMatchObject(what)
  })

  it('are refused if they belong to another user', async () => {
    const path = await made()
    await expect(checkStateFiles(statePaths(path), uid + 1)).rejects.toMatchObject({ code: 'STATE_DIR_FOREIGN_OWNER' })
    await checkStateFiles(statePaths(path), undefined)
  })

  it('that an earlier version left readable are closed when the store opens', async () => {
    const path = await made()
    for (const name of readdirSync(join(path, 'store'))) chmodSync(join(path, 'store', name), 0o644)
    await checkStateFiles(statePaths(path), uid)
    const { close } = await openState(path)
    const modes = readdirSync(join(path, 'store')).map((name) => statSync(join(path, 'store', name)).mode & 0o777)
    expect(new Set(modes)).toEqual(new Set([0o600]))
    await close()
  })
})

describe('a store whose files are gone', () => {
  it.each([
    ['removed', (path: string) => rmSync(path, { recursive: true })],
    ['moved away', (path: string) => renameSync(path, `${path}.away`)],
    ['without its store', (path: string) => rmSync(join(path, 'store'), { recursive: true })],
    ['replaced by a copy', (path: string) => replaceByCopy(path)],
  ])('acknowledges nothing: %s', async (_, lose) => {
    const path = join(tempDir(), 'state')
    const { store, close } = await openState(path)
    await store.commit([{ key: 'a/1', value: new Uint8Array(1) }])
    lose(path)
    const commit = store.commit([{ key: 'a/2', value: new Uint8Array(1) }])
    await expect(commit).rejects.toMatchObject({ code: 'STORE_MISSING' })
    await close().catch(() => {})
  })
})

function replaceByCopy(path: string): void {
  renameSync(path, `${path}.away`)
  cpSync(`${path}.away`, path, { recursive: true, filter: (source) => !source.endsWith('LOCK') })
}
