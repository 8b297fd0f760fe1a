import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeDirectories } from '../../../src/durable/directories.ts'
import { tempDir } from '../../support/temp-dir.ts'

describe('a directory', () => {
  it('is made with its parents, each with the mode, and the outermost new one is named', () => {
    const base = tempDir()
    expect(makeDirectories(join(base, 'a', 'b', 'c'), 0o700)).toBe(join(base, 'a'))
    for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(base, path)).mode & 0o777).toBe(0o700)
    expect(makeDirectories(join(base, 'a', 'd'), 0o700)).toBe(join(base, 'a', 'd'))
  })

  it('that is there stays as it is, also below a link', () => {
    const base = tempDir()
    mkdirSync(join(base, 'real'), { mode: 0o750 })
    symlinkSync(join(base, 'real'), join(base, 'link'))
    expect(makeDirectories(join(base, 'link'), 0o700)).toBeUndefined()
    expect(makeDirectories(join(base, 'link', 'a'), 0o700)).toBe(join(base, 'link', 'a'))
    expect(statSync(join(base, 'real')).mode & 0o777).toBe(0o750)
  })

  it('is refused in place of a file or a link to nothing, and below them', () => {
    const base = tempDir()
    writeFileSync(join(base, 'file'), '')
    symlinkSync(join(base, 'nothing'), join(base, 'dangling'))
    for (const path of ['file', 'file/a', 'dangling', 'dangling/a'])
      expect(() => makeDirectories(join(base, path), 0o700), path).toThrow(/EEXIST/)
  })

  it.skipIf(process.platform !== 'linux')('is refused below a directory that takes none', () => {
    expect(() => makeDirectories('/proc/x', 0o700)).toThrow(/ENOENT/)
    expect(() => makeDirectories('/proc/x/y', 0o700)).toThrow(/ENOENT/)
  })
})
