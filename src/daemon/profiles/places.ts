/** Resolves the places of Tox profiles in the configuration. */
import { expandHome } from '../../process/config-values.ts'
import { defaultPlaces } from '../../tox/profile/places.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Absolute paths; empty for `off`. */
export function watchedPlaces(wanted: WatchedPlaces, env: Environment): string[] {
  if (wanted === 'off') return []
  return wanted === 'auto' ? defaultPlaces(env) : wanted.map((path) => expandHome(path, env))
}

/** The watched Tox profiles: none (`off`), those in the usual places (`auto`), or these files and directories. */
export type WatchedPlaces = 'off' | 'auto' | readonly string[]
