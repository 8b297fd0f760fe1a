/** Opens parts of the daemon by the configuration. */
import type { CryptoEngine } from '../crypto/engine.ts'
import { loadEngine } from '../crypto/load.ts'
import type { StatePaths } from '../store/state-dir.ts'
import type { Config } from './config.ts'
import { readCredential } from './custody/credential.ts'
import { Custody } from './custody/custody.ts'
import { describeError } from '../process/describe-error.ts'
import type { Log } from '../process/log.ts'

const delay = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000))

/** Opens the crypto engine: the portable one, with a warning, if libsodium does not load. */
export async function openEngine(config: Config, log: Log): Promise<CryptoEngine> {
  const prefer = config.engine === 'auto' ? undefined : config.engine
  return await loadEngine(prefer, (reason) => {
    log.warn('engine.portable', {
      ...describeError(reason),
      message: 'libsodium does not load; secrets are in plain memory',
    })
  })
}

/** Opens the custody of a state directory, with the credential of the service if it has one. */
export async function openCustody(paths: StatePaths, engine: CryptoEngine, config: Config): Promise<Custody> {
  const credential = await readCredential(process.env, engine)
  try {
    const custody = await Custody.open(paths, engine, { delay, credential })
    custody.limitOpenTime(config.custody)
    return custody
  } finally {
    if (credential !== null) engine.wipe(credential)
  }
}
