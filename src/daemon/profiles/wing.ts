/** The watched Tox profiles as a wing (docs/tox.md). */
import * as schema from '../../ipc/methods/profiles.ts'
import { expandHome } from '../../process/config-values.ts'
import type { Host, OpenWing, Wing } from '../wing/wing.ts'
import { checkProfiles } from './check.ts'
import { WATCH_SECTION, type WatchConfig } from './config.ts'
import { readToxPassphrase } from './passphrase.ts'
import { watchedPlaces } from './places.ts'
import { PLACE } from './own-profiles.ts'
import { LEFT_OUT } from './words.ts'
import { Profiles, type ProfilesConfig } from './profiles.ts'

export const PROFILES: Wing<schema.ProfileMethods, WatchConfig> = {
  schema: schema.PROFILES,
  section: WATCH_SECTION,
  kinds: [LEFT_OUT, PLACE],
  open: openProfiles,
}

function openProfiles(
  { keeper, paths, env, log }: Host,
  config: WatchConfig,
): OpenWing<schema.ProfileMethods, WatchConfig> {
  const profiles = new Profiles({
    keeper,
    engine: keeper.engine,
    nowSec: () => keeper.nowSec,
    log,
    copies: paths.profiles,
  })
  return {
    handlers: profiles.handlers(),
    start: () => profiles.configure(placesOf(config, env)),
    onEvent: ({ event }) => {
      if (event === 'own.changed') profiles.ownChanged()
    },
    reload: (changed) => profiles.configure(placesOf(changed, env)),
    status: () => {
      const { profiles: counts, findings } = profiles.summary()
      return { part: { profiles: counts }, findings }
    },
    findings: async () => checkProfiles(await profiles.list(), keeper.ownTable),
    sees: (key) => profiles.sees(key),
    close: () => profiles.stop(),
  }
}

function placesOf(config: WatchConfig, env: Host['env']): ProfilesConfig {
  const passphraseFile = config.passphraseFile === null ? null : expandHome(config.passphraseFile, env)
  return {
    places: watchedPlaces(config.profiles, env),
    repair: config.repair,
    passphraseFile,
    passphrase: () => readToxPassphrase(passphraseFile, env),
  }
}
