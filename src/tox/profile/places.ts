/** Where Tox clients keep their profiles by default. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * Directories of profiles; they may not exist. The first holds qTox's NAME.tox, toxic's toxic_profile.tox and uTox's
 * tox_save.tox. The second belongs to qTox from Flathub.
 */
export function defaultPlaces(env: Readonly<Record<string, string | undefined>>): string[] {
  const home = env['HOME'] !== undefined && isAbsolute(env['HOME']) ? env['HOME'] : homedir()
  const configHome = env['XDG_CONFIG_HOME']
  // The XDG specification says to ignore relative values.
  const config = configHome !== undefined && isAbsolute(configHome) ? configHome : join(home, '.config')
  return [join(config, 'tox'), join(home, '.var/app/io.github.qtox.qTox/config/tox')]
}
