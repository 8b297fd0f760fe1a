/**
 * The package, built once for a run of tests: end-to-end tests start what users start, which takes half as long as from the sources
 * (docs/decisions/0044).
 */
import { makePackage } from '../../bundle/package.ts'

/** Runs once, before the first test file that starts programs. Returns the function that cleans up. */
export default async function setup(): Promise<() => void> {
  const { directory, remove } = await makePackage()
  process.env['BUILT_PACKAGE'] = directory
  return remove
}
