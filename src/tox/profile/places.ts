/** Where Tox clients keep their profiles by default. */
import { readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * Directories of profiles; they may not exist. Only files that end in .tox count.
 *
 * - $XDG_CONFIG_HOME/tox: the Tox Client Standard; qTox, toxic, uTox, Toxygen
 * - $XDG_DATA_HOME/tox: a later revision of the Tox Client Standard (5.0.4)
 * - ~/.weechat/tox and $XDG_DATA_HOME/weechat/tox: the README of Tox-WeeChat, and WeeChat's directories since 3.2
 * - ~/.var/app/APP/config/tox and data/tox: Flatpak sets XDG_CONFIG_HOME and XDG_DATA_HOME of each app so
 * - ~/snap/APP/current/.config/tox and .local/share/tox: snapd sets HOME of each snap so; ~/snap/APP/common is its
 *   SNAP_USER_COMMON
 *
 * Pidgin has no place here: tox-prpl keeps its save as base64 in ~/.purple/accounts.xml (toxprpl_save_account), not as a file.
 * Portable installations (`qtox` with its settings beside the program, `utox -p`) can be anywhere: name them.
 */
export function defaultPlaces(env: Readonly<Record<string, string | undefined>>): string[] {
  const home = absoluteOr(env['HOME'], homedir())
  // The XDG specification says to ignore relative values.
  const config = absoluteOr(env['XDG_CONFIG_HOME'], join(home, '.config'))
  const data = absoluteOr(env['XDG_DATA_HOME'], join(home, '.local/share'))
  const flatpaks = namesIn(join(home, '.var/app'), QTOX_FLATPAK).map((app) => join(home, '.var/app', app))
  const snaps = namesIn(join(home, 'snap')).map((app) => join(home, 'snap', app))
  return [
    join(config, 'tox'),
    join(data, 'tox'),
    join(home, '.weechat/tox'),
    join(data, 'weechat/tox'),
    ...flatpaks.flatMap((app) => [join(app, 'config/tox'), join(app, 'data/tox')]),
    ...snaps.flatMap((app) =>
      ['current/.config/tox', 'current/.local/share/tox', 'common/.config/tox'].map((at) => join(app, at)),
    ),
  ]
}

const QTOX_FLATPAK = 'io.github.qtox.qTox' // watched even before it is installed
const MAX_APPS = 64 // sanity: each is a directory to watch

function absoluteOr(path: string | undefined, otherwise: string): string {
  return path !== undefined && isAbsolute(path) ? path : otherwise
}

/** Only apps with `tox` in their name: an app of another kind has no profile, and each place costs a watch. */
function namesIn(directory: string, always?: string): string[] {
  let found: string[] = []
  try {
    found = readdirSync(directory)
  } catch {
    // None of them is installed.
  }
  const isTox = (name: string): boolean => /tox/i.test(name)
  const names = new Set([...(always === undefined ? [] : [always]), ...found.filter(isTox)])
  return [...names].toSorted().slice(0, MAX_APPS)
}
