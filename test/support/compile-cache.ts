/**
 * One compile cache for all processes of a test run. Each test has a home of its own, so without it every command and every daemon would
 * strip types and compile again, which is most of what an end-to-end test waits for.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTree } from './remove-tree.ts'

/** Runs once, before the first test file. Returns the function that cleans up. */
export default function setup(): () => void {
  const directory = mkdtempSync(join(tmpdir(), 'personad-compile-cache-'))
  process.env.NODE_COMPILE_CACHE = directory
  return () => removeTree(directory)
}
