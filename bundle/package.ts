/** The package as npm would install it, for tests and measurements of the programs that users start. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundlePrograms } from './programs.ts'

const ROOT = resolve(import.meta.dirname, '..')

export interface MadePackage {
  readonly directory: string
  readonly remove: () => void
}

/** Makes the programs with what they read, and no declarations. */
export async function makePackage(): Promise<MadePackage> {
  // Beside its dependencies, as npm has it: personad-rtc may follow no link to them.
  const directory = mkdtempSync(join(ROOT, 'node_modules/.personad-'))
  const remove = (): void => rmSync(directory, { recursive: true, force: true })
  try {
    await bundlePrograms(join(directory, 'dist'))
    for (const part of ['src/launch', 'package.json', 'config', 'systemd', 'examples/relay'])
      cpSync(join(ROOT, part), join(directory, part), { recursive: true })
    return { directory, remove }
  } catch (error) {
    remove()
    throw error
  }
}
