/** Makes directories whose paths the user gives. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a directory, and its parents where they are missing. The option `recursive` of Node 24 tries again for ever below a directory that takes
 * no new ones, such as /proc.
 * @param mode of each new directory, less the umask
 * @returns the outermost new directory; undefined if the directory was there
 * @throws the error of the system
 */
export function makeDirectories(path: string, mode: number): string | undefined {
  const missing: string[] = []
  for (let at = resolve(path); !isDirectory(at); at = dirname(at)) missing.unshift(at)
  for (const directory of missing) {
    try {
      mkdirSync(directory, { mode })
    } catch (cause) {
      // Another process may have made it meanwhile.
      if (!isDirectory(directory)) throw cause
    }
  }
  return missing[0]
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
