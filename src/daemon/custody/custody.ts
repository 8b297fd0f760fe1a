/**
 * Custody of this device's secrets: controls the use of the signing keys and, until the recovery words are confirmed,
 * of the seed (docs/format.md, section 4).
 */
import { noPersona } from '../state/errors.ts'
import { CustodyError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
import { copySecret, type SealMode } from '../../crypto/seal.ts'
import { DEFAULT_SEAL_COST, passphraseSealing } from '../../crypto/sealing.ts'
import { deriveSigningSeed, SEED_BYTES } from '../../crypto/seed.ts'
import { AppsSecret } from './apps-secret.ts'
import { HeldSeed } from './held-seed.ts'
import { CustodyLock, type CustodyWatcher, type LockOptions } from './lock.ts'
import { wipeSecrets, type OpenSecrets } from './open-secrets.ts'
import type { OpenLimits } from './auto-lock.ts'
import type { SecretPaths } from './files.ts'
import { SIGNING_SEED_BYTES, type SigningSeed } from './content.ts'
import { chainOfSeed } from './seed-chain.ts'
import { SuccessorSecrets } from './successor-secrets.ts'
import { secretsExist, Vault } from './vault.ts'

export interface CustodyOptions extends LockOptions {
  /** 32 bytes that seal the files when no passphrase does. Copied; the caller wipes them. */
  readonly credential?: Uint8Array | null
}

export class Custody {
  readonly #vault: Vault
  readonly #engine: CryptoEngine
  readonly #lock: CustodyLock
  readonly seed: HeldSeed
  readonly successor: SuccessorSecrets
  readonly apps: AppsSecret

  private constructor(vault: Vault, engine: CryptoEngine, options: CustodyOptions) {
    this.#vault = vault
    this.#engine = engine
    this.#lock = new CustodyLock(vault, options)
    this.seed = new HeldSeed(vault, engine, this.#lock)
    this.successor = new SuccessorSecrets(vault, engine, this.#lock)
    this.apps = new AppsSecret(vault, engine)
  }

  /**
   * Opens what needs no passphrase. The rest stays locked.
   * @throws {CryptoError} SEAL_* {StoreError} SECRETS_* | STORE_* {CustodyError} CREDENTIAL_MISSING | SECRETS_MISSING
   */
  static async open(paths: SecretPaths, engine: CryptoEngine, options: CustodyOptions): Promise<Custody> {
    return new Custody(await Vault.open(paths, engine, options.credential ?? null), engine, options)
  }

  /** @param watcher gets all events from now on; there is only one */
  watch(watcher: CustodyWatcher): void {
    this.#lock.watch(watcher)
  }

  /** @param onOpened called whenever {@link expiresInMs} starts anew */
  whenOpened(onOpened: () => void): void {
    this.#lock.whenOpened(onOpened)
  }

  get hasSecrets(): boolean {
    return this.#vault.mode !== null
  }

  /** How the files are sealed; null if there are none. */
  get mode(): SealMode | null {
    return this.#vault.mode
  }

  get isLocked(): boolean {
    return this.#lock.isLocked
  }

  /** Whether the seed is in memory. It is on disk until it is erased. */
  get hasSeed(): boolean {
    return this.#vault.opened !== null && this.#vault.opened.seed !== null
  }

  /** The epochs of the keys held, ascending; empty while locked. */
  epochs(): number[] {
    return [...(this.#vault.opened?.keys.keys() ?? [])].sort((a, b) => a - b)
  }

  /**
   * Creates the seed of a new persona and writes it and K_0, sealed by the passphrase if there is one. Crash here:
   * files without a persona in the store, which the next start discards.
   * @returns the position of epoch 0 in the chain of all keys
   * @throws {CustodyError} PERSONA_EXISTS
   * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE
   * @throws {StoreError} STORE_*
   */
  async create(passphrase: string | null): Promise<ChainPosition> {
    const engine = this.#engine
    const drawn = engine.randomBytes(SEED_BYTES)
    const seed = copySecret(drawn, engine)
    engine.wipe(drawn)
    const first = deriveSigningSeed(seed, 0, engine)
    const position = chainOfSeed(seed, engine)[0]!
    try {
      await this.#begin([{ epoch: 0, seed: first }], seed, passphrase)
    } finally {
      engine.wipe(first)
    }
    return position
  }

  /**
   * Imports the signing keys of an existing persona, sealed by the passphrase if there is one. On return they are on
   * disk. A crash leaves what a crash in {@link create} leaves.
   * @param keys epochs 0..16; neither kept nor wiped
   * @throws {CustodyError} PERSONA_EXISTS if secrets exist already: use {@link addKey} then
   * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE
   * @throws {StoreError} STORE_*
   */
  async importKeys(keys: readonly SigningSeed[], passphrase: string | null): Promise<void> {
    await this.#begin(keys, null, passphrase)
  }

  /**
   * Adds the key of an epoch beside the keys held, and replaces an earlier key of the same epoch. On return it is on
   * disk.
   * @param epoch 0..16
   * @param signingSeed 32 bytes; neither kept nor wiped
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   * @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO, and the daemon stops
   */
  async addKey(epoch: number, signingSeed: Uint8Array): Promise<void> {
    this.#lock.use()
    const pair = this.#engine.signKeyPair(signingSeed)
    try {
      await this.#vault.rewrite((keys) => new Map([...keys, [epoch, pair]]))
    } catch (error) {
      this.#engine.wipe(pair.secretKey)
      throw error
    }
  }

  /**
   * Erases the keys of all other epochs in memory and on disk. On return the change is on disk. If this epoch's key
   * is not held either, as after a rotation by another of the owner's devices, no key is left and nothing can be
   * signed until {@link addKey}.
   * @throws as {@link addKey}
   */
  async keepOnly(epoch: number): Promise<void> {
    this.#lock.use()
    await this.#vault.rewrite((keys) => new Map([...keys].filter(([held]) => held === epoch)))
  }

  /**
   * Copies of the keys held, in secret memory; the caller wipes them.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   */
  signingSeeds(): SigningSeed[] {
    return [...this.#lock.use().keys].map(([epoch, { secretKey }]) => {
      return { epoch, seed: copySecret(secretKey.subarray(0, SIGNING_SEED_BYTES), this.#engine) }
    })
  }

  /** Removes what an interrupted creation left. */
  async discard(): Promise<void> {
    await this.#vault.discard()
  }

  /**
   * Opens the secrets files. Passphrases are tried one at a time, and each wrong one delays the next.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} NO_PASSPHRASE | TOO_MANY_GUESSES | LOCKED if it was locked meanwhile
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE
   */
  async unlock(passphrase: string): Promise<void> {
    await this.#lock.unlock(passphrase)
  }

  /**
   * Wipes the secrets from memory; the passphrase can open them again.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} NO_PASSPHRASE
   */
  lock(cause: 'request' | 'signal'): void {
    this.#lock.lock(cause)
  }

  /** Limits how long the secrets may stay open, including secrets that are open now. */
  limitOpenTime(limits: OpenLimits): void {
    this.#lock.limitOpenTime(limits)
  }

  /** Milliseconds until {@link expire} locks; null if nothing is open or nothing could open it again. */
  expiresInMs(): number | null {
    return this.#lock.expiresInMs()
  }

  /**
   * Locks if the secrets were open for too long. Call it before each change, because no timer runs while the machine
   * sleeps.
   */
  expire(): void {
    this.#lock.expire()
  }

  /**
   * Checks the passphrase, as a guess like any other, also while the secrets are open. They are open afterwards.
   * @throws as {@link unlock}
   */
  async checkPassphrase(present: string): Promise<void> {
    await this.#lock.checkPassphrase(present)
  }

  /**
   * Reseals both files: with `next`, or if null with the credential of the service, or not at all. After a crash one
   * of the two passphrases opens both files. The secrets are open afterwards.
   * @param present the passphrase that seals them now; null if there is none. Required even while the secrets are
   *   open: somebody who sits down at an unlocked machine must not be able to change it.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} NO_PASSPHRASE | PASSPHRASE_SET | TOO_MANY_GUESSES | LOCKED if it was locked meanwhile
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE | SEAL_PASSPHRASE_UNUSABLE
   * @throws {StoreError} as {@link addKey}
   */
  async changePassphrase(present: string | null, next: string | null): Promise<void> {
    if (present === null) this.#requireNoPassphrase()
    else await this.#lock.checkPassphrase(present)
    const sealing =
      next === null ? this.#vault.defaultSealing() : await passphraseSealing(next, DEFAULT_SEAL_COST, this.#engine)
    await this.#vault.reseal(sealing, () => {
      // Another connection may have set a passphrase meanwhile, and this caller did not prove they know it.
      if (present === null) this.#requireNoPassphrase()
    })
    this.#lock.noteOpened()
  }

  /**
   * Returns a function that signs with the key of an epoch.
   * @throws {CustodyError} LOCKED | KEY_SUPERSEDED
   */
  signer(epoch: number): (message: Uint8Array) => Uint8Array {
    this.#key(epoch)
    this.#lock.noteUse()
    // Look the key up again: one wiped meanwhile would sign with zeros.
    return (message) => this.#engine.sign(message, this.#key(epoch).secretKey)
  }

  /** The public key of an epoch; null while locked, or if the key is not held. */
  publicKey(epoch: number): Uint8Array | null {
    return this.#vault.opened?.keys.get(epoch)?.publicKey ?? null
  }

  /**
   * Checks that the secrets belong to the store. The file may come from another persona's backup, and nobody would
   * accept its signatures.
   * @param signingKey of the store, 64 hex digits
   * @throws {CustodyError} SECRETS_FOREIGN, and closes custody
   */
  checkKey(epoch: number, signingKey: string): void {
    const held = this.publicKey(epoch)
    if (held === null || formatHex(held) === signingKey) return
    this.close()
    const hint = 'put back the file "secrets" that belongs to this store'
    throw new CustodyError('SECRETS_FOREIGN', 'the secrets file and the store belong to different personas', hint)
  }

  /** Wipes the secrets in memory. */
  close(): void {
    this.#vault.shut()
  }

  #key(epoch: number): KeyPair {
    const key = this.#vault.require().keys.get(epoch)
    if (key !== undefined) return key
    const hint = 'get it from the device that rotated, by pairing, or from the recovery words'
    throw new CustodyError('KEY_SUPERSEDED', 'this device does not hold the newest signing key', hint)
  }

  async #begin(seeds: readonly SigningSeed[], seed: Uint8Array | null, passphrase: string | null): Promise<void> {
    const engine = this.#engine
    if (this.hasSecrets) throw secretsExist()
    const keys = new Map(seeds.map((key) => [key.epoch, engine.signKeyPair(key.seed)]))
    const sealing = this.#vault.defaultSealing()
    const opened: OpenSecrets = { sealing, keys, seed, successor: null, appsSecret: null }
    try {
      if (passphrase !== null) opened.sealing = await passphraseSealing(passphrase, DEFAULT_SEAL_COST, engine)
      await this.#vault.begin(opened)
    } catch (error) {
      wipeSecrets(opened, engine)
      throw error
    }
    this.#lock.noteOpened()
  }

  #requireNoPassphrase(): void {
    if (this.mode === null) throw noPersona()
    if (this.mode !== 'passphrase') return
    const hint = 'change the passphrase instead'
    throw new CustodyError('PASSPHRASE_SET', 'a passphrase already seals the secrets of this persona', hint)
  }
}
