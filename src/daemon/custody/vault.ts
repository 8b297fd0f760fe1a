/** The secrets on disk and, while they are open, in memory. Every step leaves both the same, or shuts the vault. */
import { CustodyError } from './errors.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
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
  /** Seals the files when no passphrase does: the credential, or nothing. */
  readonly #default: Sealing
  #opened: OpenSecrets | null = null
  #mode: SealMode | null = null
  /** Counts how often it was shut, so that an opening in progress notices. */
  #shuts = 0
  /** Serializes all access to the files. */
  readonly #serial = new Serial()
  #onFailure: (error: unknown) => void = () => {}
  #onChange: () => Promise<void> = () => Promise.resolve()

  private constructor(paths: SecretPaths, engine: CryptoEngine, sealing: Sealing) {
    this.#paths = paths
    this.#engine = engine
    this.#default = sealing
  }

  /**
   * Opens what needs no passphrase. If there is a credential, reseals unsealed files with it.
   * @param credential 32 bytes; copied, the caller wipes it
   * @throws {CryptoError} SEAL_*
   * @throws {StoreError} SECRETS_* | STORE_*
   * @throws {CustodyError} CREDENTIAL_MISSING | SECRETS_MISSING
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

  /** @param onFailure called after a write with an unknown outcome, once the vault is shut */
  whenFailed(onFailure: (error: unknown) => void): void {
    this.#onFailure = onFailure
  }

  /** @param onChange called whenever the secrets were opened or shut, or are sealed in another way. The opening waits for it. */
  whenChanged(onChange: () => Promise<void>): void {
    this.#onChange = onChange
  }

  /** How the files are sealed; null if there are none. */
  get mode(): SealMode | null {
    return this.#mode
  }

  /** null while it is shut. */
  get opened(): OpenSecrets | null {
    return this.#opened
  }

  /**
   * Returns the open secrets.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   */
  require(): OpenSecrets {
    if (this.#opened !== null) return this.#opened
    if (this.#mode === null) throw noPersona()
    throw new CustodyError('LOCKED', 'the signing key is locked', 'unlock it first')
  }

  get hasCredential(): boolean {
    return this.#default.mode === 'key'
  }

  /** A copy of what seals the files when no passphrase does: the credential, or nothing. It may be wiped. */
  defaultSealing(): Sealing {
    return this.#default.mode === 'key' ? keySealing(this.#default.secret, this.#engine) : UNSEALED
  }

  /**
   * Writes the first secrets. On return they are on disk.
   * @param opened kept; the caller wipes it when this throws
   * @throws {CustodyError} PERSONA_EXISTS
   * @throws {StoreError} STORE_*
   */
  async begin(opened: OpenSecrets): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#mode !== null) throw secretsExist()
      try {
        // A seed that a crash left belongs to another persona.
        await removeSeed(this.#paths)
        await saveSecrets(this.#paths, opened, this.#engine)
      } catch (error) {
        await removeSecretFiles(this.#paths).catch(() => {})
        throw error
      }
      this.#mode = opened.sealing.mode
      this.#opened = opened
    })
    await this.#onChange()
  }

  /**
   * Opens the files with a passphrase.
   * @throws {CryptoError} SEAL_*
   * @throws {CustodyError} LOCKED if it was shut meanwhile
   */
  async unseal(passphrase: string): Promise<void> {
    await this.#serial.run(async () => {
      const shuts = this.#shuts
      const opened = await this.#read(passphrase)
      if (shuts === this.#shuts) this.#opened = opened
      else wipeSecrets(opened, this.#engine)
      this.require()
    })
    await this.#onChange()
  }

  /** Checks that a passphrase opens the files. @throws as {@link unseal} */
  async checkPassphrase(passphrase: string): Promise<void> {
    await this.#serial.run(async () => wipeSecrets(await this.#read(passphrase), this.#engine))
  }

  /**
   * Replaces the keys held by what `next` returns, on disk and then in memory.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   * @throws {StoreError} STORE_DISK_FULL | STORE_IO
   */
  async rewrite(next: (keys: SigningKeys) => SigningKeys): Promise<void> {
    await this.#serial.run(async () => {
      const opened = this.require()
      const keys = next(opened.keys)
      await this.#written(saveKeys(this.#paths, { ...opened, keys }, this.#engine))
      // If it was shut meanwhile, the next opening reads the new keys from disk.
      const isOpen = this.#opened === opened
      const stays = new Set(isOpen ? keys.values() : [])
      const spent = [...opened.keys.values(), ...keys.values()].filter((pair) => !stays.has(pair))
      wipeKeys(spent, this.#engine)
      if (isOpen) opened.keys = keys
    })
  }

  /**
   * Writes the seed of the persona that is about to follow beside the keys held, or removes it.
   * @param seed 32 bytes in secret memory; kept, or wiped when this throws
   * @throws as {@link rewrite}
   */
  async holdSuccessor(seed: Uint8Array | null): Promise<void> {
    let spent = seed
    try {
      await this.#serial.run(async () => {
        const opened = this.require()
        await this.#written(saveKeys(this.#paths, { ...opened, successor: seed }, this.#engine))
        if (this.#opened !== opened) return
        spent = opened.successor
        opened.successor = seed
      })
    } finally {
      if (spent !== null) this.#engine.wipe(spent)
    }
  }

  /**
   * Writes the secret that seals the file of the apps key beside the keys held.
   * @param secret APPS_SECRET_BYTES in secret memory; kept, or wiped when it is not used
   * @throws as {@link rewrite}
   */
  async holdAppsSecret(secret: Uint8Array): Promise<void> {
    let spent: Uint8Array | null = secret
    try {
      await this.#serial.run(async () => {
        const opened = this.require()
        // Another call was first.
        if (opened.appsSecret !== null) return
        await this.#written(saveKeys(this.#paths, { ...opened, appsSecret: secret }, this.#engine))
        if (this.#opened !== opened) return
        spent = null
        opened.appsSecret = secret
      })
    } finally {
      if (spent !== null) this.#engine.wipe(spent)
    }
  }

  /**
   * The persona that follows has taken the place of the old one: its seed and its first key replace everything held.
   * @param key of epoch 0; kept, or wiped when this throws
   * @throws as {@link rewrite}
   */
  async succeed(key: KeyPair): Promise<void> {
    let spent: KeyPair[] = [key]
    try {
      await this.#serial.run(async () => {
        const opened = this.require()
        const keys = new Map([[0, key]])
        const { sealing, appsSecret } = opened
        const next = { sealing, keys, seed: opened.successor, successor: null, appsSecret }
        await this.#written(saveSecrets(this.#paths, next, this.#engine))
        if (this.#opened !== opened) return
        spent = [...opened.keys.values()]
        if (opened.seed !== null) this.#engine.wipe(opened.seed)
        Object.assign(opened, next)
      })
    } finally {
      wipeKeys(spent, this.#engine)
    }
  }

  /**
   * Writes both files with another sealing.
   * @param sealing kept, or wiped if it is not used
   * @param check runs when its turn comes; throws to cancel
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
    await this.#onChange()
  }

  /** Erases the seed in memory and on disk. @throws {StoreError} STORE_IO */
  async eraseSeed(): Promise<void> {
    const opened = this.#opened
    if (opened !== null && opened.seed !== null) this.#engine.wipe(opened.seed)
    if (opened !== null) opened.seed = null
    await this.#serial.run(() => removeSeed(this.#paths))
  }

  /** Wipes the secrets and removes their files. @throws {StoreError} STORE_IO */
  async discard(): Promise<void> {
    this.shut()
    this.#mode = null
    await this.#serial.run(() => removeSecretFiles(this.#paths))
  }

  /** Wipes the secrets in memory, including any being opened. */
  shut(): void {
    if (this.#opened !== null) wipeSecrets(this.#opened, this.#engine)
    this.#opened = null
    this.#shuts++
    void this.#onChange()
  }

  async #read(passphrase: string): Promise<OpenSecrets> {
    const files = await readSecretFiles(this.#paths, this.#engine)
    if (files === null) throw new Error(`${this.#paths.secrets} is gone`)
    const sealing = await sealingOf(files.secrets, passphrase, this.#engine)
    return await openSecrets(files, sealing, passphrase, this.#engine)
  }

  /** After a write with an unknown outcome, never continue from what is in memory: shut the vault. */
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
  const hint = 'one daemon keeps one persona'
  return new CustodyError('PERSONA_EXISTS', 'this daemon already keeps the secrets of a persona', hint)
}

function credentialMissing(): CustodyError {
  const message = `the service did not get its credential ${CREDENTIAL_NAME}, which seals the secrets`
  const hint = `start it as the service whose unit loads ${CREDENTIAL_NAME}`
  return new CustodyError('CREDENTIAL_MISSING', message, hint)
}
