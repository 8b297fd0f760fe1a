/** The places of Tox profiles that the configuration means. */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { defaultPlaces } from '../../tox/profile/places.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Absolute paths, none for `off`. */
export function watchedPlaces(wanted: WatchedPlaces, env: Environment): string[] {
  if (wanted === 'off') return []
  return wanted === 'auto' ? defaultPlaces(env) : wanted.map((path) => expandHome(path, env))
}

/** An absolute path, of one that begins with / or ~/. */
export function expandHome(path: string, env: Environment): string {
  const home = env['HOME'] !== undefined && isAbsolute(env['HOME']) ? env['HOME'] : homedir()
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(path)
}

/** Which Tox profiles are watched: none, those where the clients keep them, or these files and directories. */
export type WatchedPlaces = 'off' | 'auto' | readonly string[]
