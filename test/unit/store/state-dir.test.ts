import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockStateDir } from '../../../src/store/lock.ts'
import { checkStateDir, createStateDir } from '../../../src/store/state-dir.ts'
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

  it('reports, when damaged, that it has no data in it', async () => {
    const path = join(tempDir(), 'state')
    await createStateDir(path)
    await (await lockStateDir(path)).release()
    writeFileSync(join(path, 'lock', 'CURRENT'), 'no newline')
    await expect(lockStateDir(path)).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('it has no data in it'),
    })
  })
})
