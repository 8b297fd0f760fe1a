/** One look at a folder of the configuration. It writes nothing. */
import { access, constants, stat } from 'node:fs/promises'

/** @param folder absolute path */
export async function lookAtFolder(folder: string): Promise<'writable' | 'read-only' | 'away'> {
  const found = await stat(folder).catch(() => null)
  if (found?.isDirectory() !== true) return 'away'
  return await access(folder, constants.W_OK | constants.X_OK).then(
    () => 'writable',
    () => 'read-only',
  )
}
