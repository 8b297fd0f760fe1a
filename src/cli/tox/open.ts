/** Opens the Tox profiles named on the command line. Passphrases come from a file or from the terminal. */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { loadEngine } from '../../crypto/load.ts'
import { ToxError } from '../../tox/save/errors.ts'
import { friendRecords } from '../../tox/save/friends.ts'
import { readProfile, type ProfileAccess, type ToxProfile } from '../../tox/profile/profile-file.ts'
import { readKeys } from '../../tox/save/savefile.ts'
import { hasCode } from '../io/connect.ts'
import { escapeText } from '../io/escape.ts'
import { readPassphraseFile } from '../io/input.ts'
import { tryPassphrase, type PassphraseSource } from '../io/passphrase.ts'
import { isInteractive } from '../io/prompt.ts'

export interface OpenProfile {
  /** The path as the user gave it */
  readonly file: string
  readonly profile: ToxProfile
  /** Engine and passphrase that opened it, for writing it again */
  readonly access: ProfileAccess
  /** ToxPk, 64 upper-case hex digits, checked against the secret key */
  readonly key: string
}

/**
 * Returns the file of the passphrase that systemd hands to a service, by `LoadCredential=tox-passphrase:FILE` or its encrypted form
 * (systemd.exec(5)), or null.
 */
function credentialFile(): string | null {
  const directory = process.env['CREDENTIALS_DIRECTORY'] ?? ''
  if (directory === '') return null
  const file = join(directory, 'tox-passphrase')
  return existsSync(file) ? file : null
}

interface Unsealed {
  readonly access: ProfileAccess
  readonly profile: ToxProfile
}

/** Opens profiles one after the other. It reads a passphrase file once for all, and asks the terminal for each profile. */
export type ProfileOpener = (file: string) => Promise<OpenProfile>

/** Loads the engine and looks for the passphrase only when a profile needs them. */
export function profileOpener(source: PassphraseSource): ProfileOpener {
  let fromFile: Promise<string> | null = null
  async function unseal(file: string, given: string | null, engine: CryptoEngine): Promise<Unsealed> {
    const read = async (passphrase: string): Promise<Unsealed> => {
      const access = { engine, passphrase }
      return { access, profile: await readProfile(file, access) }
    }
    if (given !== null) return await read(await (fromFile ??= readPassphraseFile(given)))
    return await tryPassphrase(source, `Passphrase of ${escapeText(basename(file))}: `, 'TOX_WRONG_PASSPHRASE', read)
  }
  async function open(file: string): Promise<OpenProfile> {
    const engine = await loadEngine()
    let access: ProfileAccess = { engine }
    let profile: ToxProfile
    try {
      profile = await readProfile(file, access)
    } catch (refusal) {
      if (!hasCode(refusal, 'TOX_ENCRYPTED')) throw refusal
      const given = source.file ?? credentialFile()
      // The passphrase is missing, not the terminal, so the error of the profile helps more.
      if (given === null && !isInteractive()) throw refusal
      ;({ access, profile } = await unseal(file, given, engine))
    }
    // Every command refuses a damaged friend list; only here does the error name the file.
    friendRecords(profile.save)
    return { file, profile, access, key: formatHex(readKeys(profile.save, engine).publicKey) }
  }
  return async (file) => {
    try {
      return await open(file)
    } catch (error) {
      throw naming(file, error)
    }
  }
}

/** Names the profile in the error: a command may read several. */
function naming(file: string, error: unknown): unknown {
  if (!(error instanceof ToxError) || error.message.includes(file)) return error
  return new ToxError(error.code, `${file}: ${error.message}`, { cause: error })
}
