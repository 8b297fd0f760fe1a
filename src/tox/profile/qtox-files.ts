/** qTox keeps a history and settings beside a profile, under the passphrase of the profile. */
import { lstat } from 'node:fs/promises'
import { basename } from 'node:path'

/** Settings and history; qTox 1.17 encrypts both if the profile is encrypted. */
const ENDINGS = ['.ini', '.db'] as const

/**
 * The files of qTox beside a profile, by name. After a change of the passphrase elsewhere, qTox cannot read the history,
 * and replaces the settings with new ones.
 * @param path with symbolic links resolved
 */
export async function qtoxFiles(path: string): Promise<string[]> {
  const stem = path.replace(/\.tox$/, '')
  const found = await Promise.all(
    ENDINGS.map(async (ending) => {
      const stats = await lstat(`${stem}${ending}`).catch(() => null)
      return stats === null ? null : basename(`${stem}${ending}`)
    }),
  )
  return found.filter((name) => name !== null)
}
