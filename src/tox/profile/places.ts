/** Where Tox clients keep their profiles, unless they were told otherwise. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * Directories of profiles, which need not exist: qTox keeps NAME.tox there, toxic toxic_profile.tox, uTox tox_save.tox; the second one is
 * that of qTox from Flathub.
 */
export function defaultPlaces(env: Readonly<Record<string, string | undefined>>): string[] {
  const home = env['HOME'] !== undefined && isAbsolute(env['HOME']) ? env['HOME'] : homedir()
  const configHome = env['XDG_CONFIG_HOME']
  // The specification has relative values ignored.
  const config = configHome !== undefined && isAbsolute(configHome) ? configHome : join(home, '.config')
  return [join(config, 'tox'), join(home, '.var/app/io.github.qtox.qTox/config/tox')]
}
