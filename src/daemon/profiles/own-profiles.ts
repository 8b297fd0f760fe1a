/** Where the profile of each own device is: a watched one, or the one that a command of the owner named last. */
import type { OwnProfile } from '../../ipc/shapes/profiles.ts'
import { kind, type Kind } from '../state/kind.ts'
import { deviceOf, type KnownProfile, type ProfileKeeper } from './known.ts'

/** The id is the ToxPk of an own device. A path means something on this computer only. */
export const PLACE: Kind<{ readonly path: string }> = kind('profileplace', { travels: 'never' })

/**
 * Remembers durably where the profile of an own device is.
 * @param path absolute
 * @returns nickname of the device; null if it is not an own device, and then nothing is remembered
 */
export async function rememberPlace(key: string, path: string, keeper: ProfileKeeper): Promise<string | null> {
  const device = deviceOf(key, keeper)
  if (device === null || placeOf(key, keeper) === path) return device
  const { state } = keeper
  await keeper.change(() => state.stage(state.of(PLACE).put(key, { path })))
  return device
}

/** One for each own device that can chat, in the order of the table. */
export function ownProfiles(all: Iterable<KnownProfile>, keeper: ProfileKeeper): OwnProfile[] {
  const watched = [...all].flatMap(({ view: { key, path, problem } }) => (problem === null ? [{ key, path }] : []))
  const devices = keeper.ownTable?.devices.filter(({ companion }) => companion !== true) ?? []
  return devices.map(({ key, name: device }) => {
    const paths = watched.filter((profile) => profile.key === key).map(({ path }) => path)
    const named = placeOf(key, keeper)
    // A profile may have moved since a command named it. A watched one was read where it is now.
    const path = named !== null && paths.includes(named) ? named : (paths.toSorted()[0] ?? named)
    return { device, key, path, isWatched: paths.length > 0 }
  })
}

/** Own devices whose profile a command of the owner named, with its place. */
export function rememberedPlaces(keeper: Pick<ProfileKeeper, 'ownTable' | 'onDisk'>): { key: string; path: string }[] {
  const devices = keeper.ownTable?.devices ?? []
  return devices.flatMap(({ key }) => {
    const path = placeOf(key, keeper)
    return path === null ? [] : [{ key, path }]
  })
}

function placeOf(key: string, keeper: Pick<ProfileKeeper, 'onDisk'>): string | null {
  return keeper.onDisk.of(PLACE).get(key)?.path ?? null
}
