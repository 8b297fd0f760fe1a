/** A temporary directory for one test, removed afterwards. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function tempDir(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'personad-test-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
