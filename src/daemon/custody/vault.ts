/** The secrets on disk and, while they are open, in memory: every step leaves the two alike, or the vault shut. */
import { CustodyError } from './errors.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { readSealMode, type SealMode, type Sealing } from '../../crypto/seal.ts'
import { keySealing, sealingOf, UNSEALED, wipeSealing } from '../../crypto/sealing.ts'
import { CREDENTIAL_NAME } from './credential.ts'
import { noPersona } from '../state/errors.ts'
import { openSecrets, saveKeys, saveSecrets, wipeSecrets, type OpenSecrets } from './open-secrets.ts'
import { isUnchangedAfter, readSecretFiles, removeSecretFiles, removeSeed, type SecretPaths } from './files.ts'
import { wipeKeys, type SigningKeys } from './content.ts'
import { Serial } from '../../process/serial.ts'

export class Vault {
  readonly #paths: SecretPaths
  readonly #engine: CryptoEngine
  /** What seals without a passphrase. */
  readonly #default: Sealing
  #opened: OpenSecrets | null = null
  #mode: SealMode | null = null
  /** How often it was shut, so that an opening under way notices. */
  #shuts = 0
  /** What touches the files does so one after the other. */
  readonly #serial = new Serial()
  #onFailure: (error: unknown) => void = () => {}

  private constructor(paths: SecretPaths, engine: CryptoEngine, sealing: Sealing) {
    this.#paths = paths
    this.#engine = engine
    this.#default = sealing
  }

  /**
   * Opens what needs no passphrase. What nothing sealed is sealed by the credential from now on, if there is one.
   * @param credential 32 bytes; copied, the caller wipes it
   * @throws {CryptoError} SEAL_* @throws {StoreError} SECRETS_* | STORE_* @throws {CustodyError} CREDENTIAL_MISSING | SECRETS_MISSING
   */
  static async open(paths: SecretPaths, engine: CryptoEngine, credential: Uint8Array | null): Promise<Vault> {
    const vault = new Vault(paths, engine, credential === null ? UNSEALED : keySealing(credential, engine))
    const files = await readSecretFiles(paths, engine)
    if (files === null) return vault
    const mode = readSealMode(files.secrets)
    vault.#mode = mode
    if (mode === 'passphrase') return vault
    if (mode === 'key' && credential === null) throw credentialMissing()
    vault.#opened = await openSecrets(files, mode === 'key' ? vault.defaultSealing() : UNSEALED, null, engine)
    if (mode !== vault.#default.mode) await vault.reseal(vault.defaultSealing())
    return vault
  }

  /** @param onFailure told when a write failed and nobody knows what is on disk; the vault is shut by then */
  whenFailed(onFailure: (error: unknown) => void): void {
    this.#onFailure = onFailure
  }

  /** How the files are sealed; null without any. */
  get mode(): SealMode | null {
    return this.#mode
  }

  /** null while it is shut. */
  get opened(): OpenSecrets | null {
    return this.#opened
  }

  /** @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED */
  require(): OpenSecrets {
    if (this.#opened !== null) return this.#opened
    if (this.#mode === null) throw noPersona()
    throw new CustodyError('LOCKED', 'the signing key is locked', 'open it with: persona unlock')
  }

  /** What seals without a passphrase: the credential, else nothing. A copy, which may be wiped. */
  defaultSealing(): Sealing {
    return this.#default.mode === 'key' ? keySealing(this.#default.secret, this.#engine) : UNSEALED
  }

  /**
   * The first secrets: on disk when it returns.
   * @param opened kept; the caller wipes it when this throws
   * @throws {CustodyError} PERSONA_EXISTS @throws {StoreError} STORE_*
   */
  async begin(opened: OpenSecrets): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#mode !== null) throw secretsExist()
      try {
        // One that a crash left behind belongs to another persona.
        await removeSeed(this.#paths)
        await saveSecrets(this.#paths, opened, this.#engine)
      } catch (error) {
        await removeSecretFiles(this.#paths).catch(() => {})
        throw error
      }
      this.#mode = opened.sealing.mode
      this.#opened = opened
    })
  }

  /** Opens the files by a passphrase. @throws {CryptoError} SEAL_* @throws {CustodyError} LOCKED when it was shut meanwhile */
  async unseal(passphrase: string): Promise<void> {
    await this.#serial.run(async () => {
      const shuts = this.#shuts
      const opened = await this.#read(passphrase)
      if (shuts === this.#shuts) this.#opened = opened
      else wipeSecrets(opened, this.#engine)
      this.require()
    })
  }

  /** Whether a passphrase would open the files; throws as {@link unseal} when not. */
  async checkPassphrase(passphrase: string): Promise<void> {
    await this.#serial.run(async () => wipeSecrets(await this.#read(passphrase), this.#engine))
  }

  /**
   * Writes the keys that `next` makes of those held, and then holds them.
   * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED @throws {StoreError} STORE_DISK_FULL | STORE_IO
   */
  async rewrite(next: (keys: SigningKeys) => SigningKeys): Promise<void> {
    await this.#serial.run(async () => {
      const opened = this.require()
      const keys = next(opened.keys)
      await this.#written(saveKeys(this.#paths, { ...opened, keys }, this.#engine))
      // Shut meanwhile: the next opening takes up what is on disk.
      const isOpen = this.#opened === opened
      const stays = new Set(isOpen ? keys.values() : [])
      const spent = [...opened.keys.values(), ...keys.values()].filter((pair) => !stays.has(pair))
      wipeKeys(spent, this.#engine)
      if (isOpen) opened.keys = keys
    })
  }

  /**
   * Writes both files under another sealing.
   * @param sealing kept, or wiped when it is not
   * @param check throws when, its turn having come, it is not to be done any more
   * @throws as {@link rewrite}
   */
  async reseal(sealing: Sealing, check: () => void = () => {}): Promise<void> {
    let spent = sealing
    try {
      await this.#serial.run(async () => {
        check()
        const opened = this.require()
        await this.#written(saveSecrets(this.#paths, { ...opened, sealing }, this.#engine))
        this.#mode = sealing.mode
        if (this.#opened !== opened) return
        spent = opened.sealing
        opened.sealing = sealing
      })
    } finally {
      wipeSealing(spent, this.#engine)
    }
  }

  /** Erases the seed, in memory and on disk. */
  async eraseSeed(): Promise<void> {
    const opened = this.#opened
    if (opened !== null && opened.seed !== null) this.#engine.wipe(opened.seed)
    if (opened !== null) opened.seed = null
    await this.#serial.run(() => removeSeed(this.#paths))
  }

  /** Removes everything. */
  async discard(): Promise<void> {
    this.shut()
    this.#mode = null
    await this.#serial.run(() => removeSecretFiles(this.#paths))
  }

  /** Wipes what is in memory, also what is being opened. */
  shut(): void {
    if (this.#opened !== null) wipeSecrets(this.#opened, this.#engine)
    this.#opened = null
    this.#shuts++
  }

  async #read(passphrase: string): Promise<OpenSecrets> {
    const files = await readSecretFiles(this.#paths, this.#engine)
    if (files === null) throw new Error(`${this.#paths.secrets} is gone`)
    const sealing = await sealingOf(files.secrets, passphrase, this.#engine)
    return await openSecrets(files, sealing, passphrase, this.#engine)
  }

  /** After a write of unknown outcome nothing goes on from what is in memory. */
  async #written(write: Promise<void>): Promise<void> {
    try {
      await write
    } catch (error) {
      if (!isUnchangedAfter(error)) {
        this.shut()
        this.#onFailure(error)
      }
      throw error
    }
  }
}

export function secretsExist(): CustodyError {
  const hint = 'one daemon keeps one persona; see: persona status'
  return new CustodyError('PERSONA_EXISTS', 'the secrets of a persona are here already', hint)
}

function credentialMissing(): CustodyError {
  const message = `the secrets are sealed by the credential ${CREDENTIAL_NAME} of the service, which it was not given`
  const hint = `start it as the service whose unit loads ${CREDENTIAL_NAME}`
  return new CustodyError('CREDENTIAL_MISSING', message, hint)
}
