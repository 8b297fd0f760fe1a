import {
  existsSync,
  mkdirSync,
  promises,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  DurableError,
  isLeftoverName,
  makeDirectoryDurably,
  removeDurably,
  removeLeftovers,
  writeFileDurably,
  type DurableFs,
} from '../../../src/durable/file.ts'
import { faultyFs, type FaultKind } from '../../support/faulty-fs.ts'
import { tempDir } from '../../support/temp-dir.ts'

const OLD = 'the old content'
const NEW = 'the new content, which is longer'
const bytes = new TextEncoder().encode(NEW)

function fileInNewDir(): { directory: string; path: string } {
  const directory = tempDir()
  const path = join(directory, 'file')
  writeFileSync(path, OLD)
  return { directory, path }
}

async function failureOf(work: Promise<unknown>): Promise<DurableError> {
  const outcome = await work.then(
    () => 'no failure',
    (error: unknown) => error,
  )
  expect(outcome).toBeInstanceOf(DurableError)
  return outcome as DurableError
}

/** The calls of a successful write. */
async function callsOfWrite(): Promise<readonly string[]> {
  const fs = faultyFs()
  await writeFileDurably(fileInNewDir().path, bytes, { mode: 0o600, fs })
  return fs.calls
}

describe('writing', () => {
  test('syncs the new content before the rename, and the directory after it', async () => {
    expect(await callsOfWrite()).toEqual(['open', 'chmod', 'write', 'sync', 'close', 'rename', 'open', 'sync', 'close'])
  })

  test('sets the given mode, whatever the umask', async () => {
    const { path } = fileInNewDir()
    const before = process.umask(0o077)
    try {
      await writeFileDurably(path, bytes, { mode: 0o644 })
    } finally {
      process.umask(before)
    }
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readFileSync(path, 'utf8')).toBe(NEW)
  })

  const MODES = [
    ['EPERM', true],
    ['ENOTSUP', true],
    ['EIO', false],
  ] as const
  test.each(MODES)('on a file system without permissions: %s from chmod is ignored: %s', async (errno, isIgnored) => {
    const { path } = fileInNewDir()
    const options = { mode: 0o644, mayLackModes: true }
    const write = writeFileDurably(path, bytes, { ...options, fs: faultyFs(1, 'not-persisted', errno) })
    const make = makeDirectoryDurably(`${path}-directory`, options, {
      ...faultyFs(1, 'not-persisted', errno),
      mkdir: promises.mkdir,
    })
    if (!isIgnored) {
      const failures = await Promise.all([failureOf(write), failureOf(make)])
      expect(failures.map(({ code }) => code)).toEqual(['DURABLE_FAILED', 'DURABLE_FAILED'])
      return
    }
    await Promise.all([write, make])
    expect(readFileSync(path, 'utf8')).toBe(NEW)
    expect(statSync(`${path}-directory`).isDirectory()).toBe(true)
    const strict = writeFileDurably(path, bytes, { mode: 0o644, fs: faultyFs(1, 'not-persisted', errno) })
    expect((await failureOf(strict)).code).not.toBe('DURABLE_UNCERTAIN')
  })

  test('replaces a symbolic link and leaves its target alone', async () => {
    const { directory, path } = fileInNewDir()
    const link = join(directory, 'link')
    symlinkSync(path, link)
    await writeFileDurably(link, bytes, { mode: 0o600 })
    expect([readFileSync(link, 'utf8'), readFileSync(path, 'utf8')]).toEqual([NEW, OLD])
  })

  test('continues after short writes', async () => {
    const { path } = fileInNewDir()
    const fs = faultyFs()
    const oneByteAtATime: DurableFs = {
      ...fs,
      open: async (name, flags, mode) => {
        const handle = await fs.open(name, flags, mode)
        return { ...handle, write: (all, offset) => handle.write(all, offset, 1) }
      },
    }
    await writeFileDurably(path, bytes, { mode: 0o600, fs: oneByteAtATime })
    expect(readFileSync(path, 'utf8')).toBe(NEW)
    expect(fs.calls.filter((call) => call === 'write')).toHaveLength(bytes.length)
  })

  test('fails on a file system that writes no bytes, instead of looping forever', async () => {
    const { directory, path } = fileInNewDir()
    const fs = faultyFs()
    const full: DurableFs = {
      ...fs,
      open: async (name, flags, mode) => ({
        ...(await fs.open(name, flags, mode)),
        write: async () => ({ bytesWritten: 0 }),
      }),
    }
    expect((await failureOf(writeFileDurably(path, bytes, { mode: 0o600, fs: full }))).code).toBe('DURABLE_FAILED')
    expect(readdirSync(directory)).toEqual(['file'])
  })

  test('stops at an error of beforeRename, and the caller gets the same error', async () => {
    const { directory, path } = fileInNewDir()
    const veto = new Error('veto')
    const seen: string[] = []
    const beforeRename = async (temp: string): Promise<void> => {
      seen.push(readFileSync(temp, 'utf8'))
      throw veto
    }
    await expect(writeFileDurably(path, bytes, { mode: 0o600, beforeRename })).rejects.toBe(veto)
    expect(seen).toEqual([NEW])
    expect(readFileSync(path, 'utf8')).toBe(OLD)
    expect(readdirSync(directory)).toEqual(['file'])
  })

  const REASONS = [
    ['ENOSPC', 'DURABLE_DISK_FULL'],
    ['EDQUOT', 'DURABLE_DISK_FULL'],
    ['EROFS', 'DURABLE_READ_ONLY'],
    ['EACCES', 'DURABLE_DENIED'],
    ['EPERM', 'DURABLE_DENIED'],
    ['ENOENT', 'DURABLE_NO_DIRECTORY'],
    ['EIO', 'DURABLE_FAILED'],
  ] as const
  test.each(REASONS)('turns %s from open into %s', async (errno, code) => {
    const error = await failureOf(
      writeFileDurably(fileInNewDir().path, bytes, { mode: 0o600, fs: faultyFs(0, 'not-persisted', errno) }),
    )
    expect(error.code).toBe(code)
    expect(error.cause).toMatchObject({ code: errno })
  })

  test('refuses to replace a directory, which stays', async () => {
    const directory = tempDir()
    mkdirSync(join(directory, 'file'))
    expect((await failureOf(writeFileDurably(join(directory, 'file'), bytes, { mode: 0o600 }))).code).toBe(
      'DURABLE_NOT_A_FILE',
    )
    expect(readdirSync(directory)).toEqual(['file'])
  })

  test('accepts a file system that cannot sync directories', async () => {
    const { path } = fileInNewDir()
    await writeFileDurably(path, bytes, { mode: 0o600, fs: faultyFs(7, 'not-persisted', 'EINVAL') })
    expect(readFileSync(path, 'utf8')).toBe(NEW)
  })
})

describe('faults at every write point', () => {
  const KINDS: readonly FaultKind[] = ['not-persisted', 'persisted', 'dead']
  test.each(KINDS)(
    '%s: the file is old or new, and it is old if the error says that nothing was changed',
    async (kind) => {
      const calls = await callsOfWrite()
      let ran = 0
      for (let failAt = 0; failAt < calls.length; failAt++) {
        const { directory, path } = fileInNewDir()
        const fs = faultyFs(failAt, kind)
        const work = writeFileDurably(path, bytes, { mode: 0o600, fs })
        // A failed close of the directory after its sync loses nothing.
        const isLastClose = failAt === calls.length - 1
        const code = isLastClose ? await work.then(() => null) : (await failureOf(work)).code
        const content = readFileSync(path, 'utf8')
        expect([OLD, NEW], `${kind} ${failAt} ${calls[failAt]}`).toContain(content)
        if (code !== null && code !== 'DURABLE_UNCERTAIN') expect(content).toBe(OLD)
        if (code === null) expect(content).toBe(NEW)
        if (kind !== 'dead') expect(readdirSync(directory)).toEqual(['file'])
        // Only a killed process leaves its temporary file; the next start removes it.
        await removeLeftovers(directory)
        expect(readdirSync(directory)).toEqual(['file'])
        expect(fs.openHandles()).toBe(0)
        ran++
      }
      expect(ran).toBe(9)
    },
  )
})

describe('removing', () => {
  test('syncs the removal, and a missing file is no error', async () => {
    const { path } = fileInNewDir()
    const fs = faultyFs()
    await removeDurably(path, fs)
    expect(existsSync(path)).toBe(false)
    expect(fs.calls).toEqual(['unlink', 'open', 'sync', 'close'])
    await removeDurably(path)
  })

  test('reports an uncertain removal as uncertain, and leaves the file after a refused one', async () => {
    const { path } = fileInNewDir()
    expect((await failureOf(removeDurably(path, faultyFs(0, 'not-persisted', 'EACCES')))).code).toBe('DURABLE_DENIED')
    expect(existsSync(path)).toBe(true)
    expect((await failureOf(removeDurably(path, faultyFs(0, 'persisted')))).code).toBe('DURABLE_UNCERTAIN')
    expect((await failureOf(removeDurably(path, faultyFs(2)))).code).toBe('DURABLE_UNCERTAIN')
  })

  test('removes the leftovers of killed writers, and no file with another name', async () => {
    const { directory } = fileInNewDir()
    const leftover = `.personad-${'0'.repeat(32)}.tmp`
    for (const name of [leftover, '.personad-x.tmp', `x${leftover}`]) writeFileSync(join(directory, name), '')
    expect(await removeLeftovers(directory)).toBe(1)
    expect(readdirSync(directory).toSorted()).toEqual(['.personad-x.tmp', 'file', `x${leftover}`].toSorted())
    expect((await failureOf(removeLeftovers(join(directory, 'nowhere')))).code).toBe('DURABLE_NO_DIRECTORY')
  })
})

describe('making a directory', () => {
  test('sets the mode whatever the umask, syncs the directory above, and leaves one that is there', async () => {
    const path = join(tempDir(), 'made')
    const fs = faultyFs()
    const before = process.umask(0o077)
    try {
      await makeDirectoryDurably(path, { mode: 0o755 }, { ...fs, mkdir: promises.mkdir })
    } finally {
      process.umask(before)
    }
    expect(statSync(path).mode & 0o777).toBe(0o755)
    expect(fs.calls).toEqual(['open', 'chmod', 'close', 'open', 'sync', 'close'])
    writeFileSync(join(path, 'file'), OLD)
    await makeDirectoryDurably(path, { mode: 0o700 })
    expect(statSync(path).mode & 0o777).toBe(0o755)
    expect(readdirSync(path)).toEqual(['file'])
  })

  test('says why there is none', async () => {
    const path = join(tempDir(), 'away', 'made')
    expect((await failureOf(makeDirectoryDurably(path, { mode: 0o755 }))).code).toBe('DURABLE_NO_DIRECTORY')
    const { path: file } = fileInNewDir()
    const below = makeDirectoryDurably(join(file, 'made'), { mode: 0o755 })
    expect((await failureOf(below)).code).toBe('DURABLE_NO_DIRECTORY')
  })
})

test('a temporary file is known by its name', () => {
  expect(isLeftoverName(`.personad-${'0'.repeat(32)}.tmp`)).toBe(true)
  for (const name of ['file', '.personad-.tmp', `.personad-${'0'.repeat(32)}.tmp.frame`])
    expect(isLeftoverName(name), name).toBe(false)
})
