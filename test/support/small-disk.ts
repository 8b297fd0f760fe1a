/** A home whose state directory is a small file system of its own (tmpfs), to be filled. Needs root. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Empty without a reason to leave such tests out. */
export const NO_SMALL_DISK: string =
  spawnSync('unshare', ['--mount', 'true']).status === 0 ? '' : 'needs root, to mount a tmpfs'

/** The resource that runs out: bytes, or entries of the file system. */
export type Scarce = 'bytes' | 'inodes'

const MAX_INODES = 64 // sanity: the state directory of a small persona has some 20 files

export interface SmallDisk {
  readonly fill: () => void
  readonly free: () => void
  readonly unmount: () => void
}

export function mountSmallDisk(home: string, scarce: Scarce, sizeMiB = 24): SmallDisk {
  const state = join(home, 'state')
  mkdirSync(state, { mode: 0o700, recursive: true })
  const options = `size=${sizeMiB}m,mode=700${scarce === 'inodes' ? `,nr_inodes=${MAX_INODES}` : ''}`
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', state], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`no tmpfs: ${stderr}`)
  const ballast = join(state, 'ballast')
  return {
    fill: () => (scarce === 'bytes' ? fillBytes(state, ballast) : fillInodes(ballast)),
    free: () => rmSync(ballast, { recursive: true }),
    unmount: () => void spawnSync('umount', ['--lazy', state]),
  }
}

/** dd stops at the last byte, whatever the file system keeps for itself. */
function fillBytes(state: string, ballast: string): void {
  spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096'])
  checkFull(() => writeFileSync(join(state, 'more'), 'x'.repeat(8192)))
}

function fillInodes(ballast: string): void {
  mkdirSync(ballast)
  checkFull(() => {
    for (let n = readdirSync(ballast).length; n <= MAX_INODES; n++) writeFileSync(join(ballast, String(n)), '')
  })
}

function checkFull(write: () => void): void {
  try {
    write()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
    throw error
  }
  throw new Error('the disk is not full')
}
