/** What the configuration says of each part of the daemon, and the parts that are opened by it. */
import { readFile } from 'node:fs/promises'
import type { CryptoEngine } from '../crypto/engine.ts'
import { loadEngine } from '../crypto/load.ts'
import type { StatePaths } from '../store/state-dir.ts'
import type { Config } from './config.ts'
import { readCredential } from './custody/credential.ts'
import { Custody } from './custody/custody.ts'
import { describeError } from '../process/describe-error.ts'
import type { Keeper } from './keeper/keeper.ts'
import type { Companion } from './companion/companion.ts'
import type { Log } from '../process/log.ts'
import type { OpenLimits } from './custody/auto-lock.ts'
import type { ProfilesConfig } from './profiles/profiles.ts'
import { readToxPassphrase } from './profiles/passphrase.ts'
import { expandHome, watchedPlaces } from './profiles/places.ts'

const delay = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000))

/** Where libsodium does not load, the portable engine, with a warning. */
export async function openEngine(config: Config, log: Log): Promise<CryptoEngine> {
  const prefer = config.engine === 'auto' ? undefined : config.engine
  return await loadEngine(prefer, (reason) => {
    log.warn('engine.portable', {
      ...describeError(reason),
      message: 'libsodium does not load; secrets are in plain memory',
    })
  })
}

/** The custody of the secrets of a state directory, with the credential of the service if it was given one. */
export async function openCustody(paths: StatePaths, engine: CryptoEngine, config: Config): Promise<Custody> {
  const credential = await readCredential(process.env, engine)
  try {
    const custody = await Custody.open(paths, engine, { delay, credential })
    custody.limitOpenTime(openLimits(config))
    return custody
  } finally {
    if (credential !== null) engine.wipe(credential)
  }
}

/** How long the signing key stays open. */
export function openLimits(config: Config): OpenLimits {
  return { idleSec: config.custodyIdleSec, atMostSec: config.custodyAtMostSec }
}

/** The code of the companion is not even loaded where there is none. */
export async function openCompanion(
  config: Config,
  keeper: Keeper,
  keyFile: string,
  log: Log,
): Promise<Companion | null> {
  if (!config.toxEnabled) return null
  const { Companion } = await import('./companion/companion.ts')
  const machineId = await readFile('/etc/machine-id', 'utf8').catch(() => null)
  const { env } = process
  const file = config.toxBootstrapFile === null ? null : expandHome(config.toxBootstrapFile, env)
  return await Companion.open({ keeper, config: { ...config, toxBootstrapFile: file }, keyFile, machineId, log })
}

/** Which profiles are watched, and what is done about them. */
export function profilesConfig(config: Config): ProfilesConfig {
  const { env } = process
  const file = config.watchPassphraseFile === null ? null : expandHome(config.watchPassphraseFile, env)
  return {
    places: watchedPlaces(config.watchProfiles, env),
    repair: config.watchRepair,
    passphraseFile: file,
    passphrase: () => readToxPassphrase(file, env),
  }
}
