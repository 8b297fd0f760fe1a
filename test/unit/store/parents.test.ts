import { chmodSync, chownSync, lchownSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkParents } from '../../../src/store/parents.ts'
import { createStateDir } from '../../../src/store/state-dir.ts'
import { tempDir } from '../../support/temp-dir.ts'

const uid = process.getuid?.() ?? 0
const isRoot = uid === 0
const OTHER = 12_345
const UNSAFE = { code: 'STATE_DIR_PARENT_UNSAFE' }

/** A directory two levels below one with this mode. */
function below(
  mode: number,
  owner: number = uid,
  group: number = process.getgid?.() ?? 0,
): { base: string; path: string } {
  const base = join(realpathSync(tempDir()), 'base')
  const path = join(base, 'inner', 'state')
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(base, mode)
  if (isRoot) chownSync(base, owner, group)
  return { base, path }
}

describe('the directories above the state directory', () => {
  it.each([0o700, 0o750, 0o755, 0o1777, 0o1775])('may have the mode %o', async (mode) => {
    await checkParents(below(mode).path, uid)
    await createStateDir(join(below(mode).path, 'more'))
  })

  it.each([0o707, 0o777, 0o757, 0o702])('are refused by name with the mode %o', async (mode) => {
    const { base, path } = below(mode)
    await expect(checkParents(path, uid)).rejects.toMatchObject({ ...UNSAFE, message: expect.stringContaining(base) })
    await expect(createStateDir(path)).rejects.toMatchObject(UNSAFE)
  })

  it.each([
    [undefined, '--home'],
    ['--dir', '--dir'],
  ] as const)('name the option of the program: %s', async (option, named) => {
    await expect(createStateDir(below(0o777).path, option)).rejects.toThrow(new RegExp(`or give another ${named}$`))
  })

  it.skipIf(!isRoot)(
    `may be written by the own group and by no other${isRoot ? '' : ' (skipped: not root)'}`,
    async () => {
      await checkParents(below(0o775).path, uid)
      await expect(checkParents(below(0o775, uid, OTHER).path, uid)).rejects.toMatchObject(UNSAFE)
      await checkParents(below(0o755, uid, OTHER).path, uid)
    },
  )

  it.skipIf(!isRoot)(`must belong to the user or to root${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    for (const mode of [0o755, 0o1777]) {
      const { path } = below(mode, OTHER)
      await expect(checkParents(path, uid)).rejects.toMatchObject(UNSAFE)
      await checkParents(path, OTHER)
    }
  })

  it('are checked after a symbolic link too, wherever it leads', async () => {
    const { base, path } = below(0o777)
    const safe = below(0o755)
    symlinkSync(path, join(safe.path, 'absolute'))
    symlinkSync('../../../base/inner', join(safe.base, 'inner', 'state', 'relative'))
    symlinkSync('absolute', join(safe.path, 'twice'))
    mkdirSync(join(path, 'state'))
    for (const link of ['absolute', 'twice']) {
      await expect(checkParents(join(safe.path, link, 'state'), uid), link).rejects.toMatchObject({
        message: expect.stringContaining(`${base} `),
      })
    }
    await checkParents(join(safe.path, 'relative', 'state'), uid)
  })

  it.skipIf(!isRoot)(`may only have links of the user or of root${isRoot ? '' : ' (skipped: not root)'}`, async () => {
    const [safe, sticky] = [below(0o755), below(0o1777)]
    const link = join(sticky.base, 'link')
    symlinkSync(safe.base, link)
    await checkParents(join(link, 'inner', 'state'), uid)
    lchownSync(link, OTHER, OTHER)
    await expect(checkParents(join(link, 'inner', 'state'), uid)).rejects.toMatchObject({
      message: expect.stringContaining(link),
    })
  })
})
