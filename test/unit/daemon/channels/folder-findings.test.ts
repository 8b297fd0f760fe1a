/** Doctor looks at the folders of the configuration. */
import { execFileSync } from 'node:child_process'
import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { folderFindings } from '../../../../src/daemon/channels/folder-findings.ts'
import { mountSmallDisk, NO_SMALL_DISK } from '../../../support/small-disk.ts'
import { tempDir } from '../../../support/temp-dir.ts'

async function codes(...folders: readonly string[]): Promise<unknown[]> {
  return (await folderFindings(folders)).map(({ code, severity, message }, i) => [
    code,
    severity,
    message.includes(folders[i]!),
  ])
}

describe('a folder of the configuration', () => {
  it('is well if the daemon may write there, and nothing is left in it', async () => {
    const folder = tempDir()
    expect(await codes(folder)).toEqual([['FOLDER', 'ok', true]])
    expect(readdirSync(folder)).toEqual([])
  })

  it('that is not there, or is a file, is named, and the others are looked at', async () => {
    const home = tempDir()
    const [away, file] = [join(home, 'away'), join(home, 'file')]
    writeFileSync(file, '')
    expect(await codes(away, file, home)).toEqual([
      ['FOLDER_AWAY', 'notice', true],
      ['FOLDER_AWAY', 'notice', true],
      ['FOLDER', 'ok', true],
    ])
  })

  // No permission keeps root from writing.
  it.skipIf(process.getuid?.() === 0)('that its permissions close is a problem', async () => {
    const folder = tempDir()
    chmodSync(folder, 0o555)
    expect(await codes(folder)).toEqual([['FOLDER_READ_ONLY', 'problem', true]])
  })

  it.skipIf(NO_SMALL_DISK !== '')('that can only be read is a problem', async () => {
    const home = tempDir()
    const disk = mountSmallDisk(home, 'bytes', 1)
    onTestFinished(() => disk.unmount())
    const folder = join(home, 'state')
    execFileSync('mount', ['-o', 'remount,ro', folder])
    expect(await codes(folder)).toEqual([['FOLDER_READ_ONLY', 'problem', true]])
  })
})
