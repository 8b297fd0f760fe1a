/** Where node-datachannel is, without loading it. */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const LIBRARY = 'node-datachannel'

/** The folders of node-datachannel, of its native code, and of the package that names the C library. @returns null if it is not installed */
export function libraryPaths(): string[] | null {
  let folder: string
  try {
    folder = dirname(fileURLToPath(import.meta.resolve(LIBRARY)))
  } catch {
    return null
  }
  while (!folder.endsWith(LIBRARY) && folder !== dirname(folder)) folder = dirname(folder)
  const packages = [folder, ...['@node-datachannel', 'detect-libc'].map((name) => join(folder, '..', name))]
  return packages.every((path) => existsSync(path)) ? packages.map((path) => realpathSync(path)) : null
}

export function isLibraryInstalled(): boolean {
  return libraryPaths() !== null
}
