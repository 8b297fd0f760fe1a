/** The places of Tox profiles that the configuration means. */
import { expandHome } from '../../process/config-values.ts'
import { defaultPlaces } from '../../tox/profile/places.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Absolute paths, none for `off`. */
export function watchedPlaces(wanted: WatchedPlaces, env: Environment): string[] {
  if (wanted === 'off') return []
  return wanted === 'auto' ? defaultPlaces(env) : wanted.map((path) => expandHome(path, env))
}

/** Which Tox profiles are watched: none, those where the clients keep them, or these files and directories. */
export type WatchedPlaces = 'off' | 'auto' | readonly string[]
