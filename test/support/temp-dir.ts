/** A temporary directory for one test, removed afterwards. */
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { removeTree } from './remove-tree.ts'

const REMOVE_MS = 60_000 // sanity: thousands of files of a long property, on a busy machine

export function tempDir(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'personad-test-')))
  onTestFinished(() => removeTree(directory), REMOVE_MS)
  return directory
}
