import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { expect, it, vi } from 'vitest'
import { openState } from '../../support/state-dir.ts'
import { tempDir } from '../../support/temp-dir.ts'

// Without a power switch no test can notice a missing sync. So these tests check that a sync is requested.

const O_DSYNC = 0o10000 // Linux, as /proc shows it

it('every batch is written with a sync', async () => {
  const batch = vi.spyOn(Level.prototype, 'batch')
  try {
    const { store, close } = await openState(join(tempDir(), 'state'))
    await store.commit([{ key: 'a/1', value: new Uint8Array(1) }])
    await store.commit([{ key: 'a/1', value: null }])
    await close()
    expect(batch.mock.calls.map((call: readonly unknown[]) => call[1])).toStrictEqual([
      { sync: true },
      { sync: true },
      { sync: true },
    ])
  } finally {
    batch.mockRestore()
  }
})

it.runIf(process.platform === 'linux')('the anchor is open for synchronous writes', async () => {
  const stateDir = join(tempDir(), 'state')
  const { close } = await openState(stateDir)
  const anchors = readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === join(stateDir, 'anchor'))
  expect(anchors).toHaveLength(1)
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${anchors[0]!}`, 'latin1'))?.[1] ?? ''
  expect(parseInt(flags, 8) & O_DSYNC).toBe(O_DSYNC)
  await close()
})

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    // The descriptor that read the list.
    return ''
  }
}
