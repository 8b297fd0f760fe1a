/** The section `watch` of the configuration: which Tox profiles are watched, and what is done about them. */
import * as z from '../../schema/zod.ts'
import type { ConfigSection } from '../../process/config-file.ts'
import { absolutePath } from '../../process/config-values.ts'
import type { WatchedPlaces } from './places.ts'

export interface WatchConfig {
  readonly profiles: WatchedPlaces
  /** Whether the table is written back into own profiles that no longer show it. */
  readonly repair: boolean
  /** A file that holds the passphrase of encrypted profiles; null for none. */
  readonly passphraseFile: string | null
}

export const MAX_WATCH_PLACES = 64 // sanity: all are looked at when one of them changes

export const WATCH_SECTION: ConfigSection<WatchConfig> = {
  name: 'watch',
  keys: {
    profiles: { key: 'profiles', value: watchedPlaces().default('off'), reloadable: true },
    repair: { key: 'repair', value: z.boolean({ error: 'true or false' }).default(false), reloadable: true },
    passphraseFile: { key: 'passphrase_file', value: absolutePath().nullable().default(null), reloadable: true },
  },
}

function watchedPlaces(): z.ZodType<WatchedPlaces> {
  const error = `off, auto, or a list of 1 to ${MAX_WATCH_PLACES} paths that begin with / or ~/`
  const places = z.array(absolutePath(), { error }).min(1, { error }).max(MAX_WATCH_PLACES, { error })
  return z.union([z.literal('off'), z.literal('auto'), places], { error })
}
