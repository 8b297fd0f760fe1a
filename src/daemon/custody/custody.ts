/** The custody of this device's secrets: who may use the signing keys and, until its words were confirmed, the seed (docs/format.md, section 4). */
import { noPersona } from '../state/errors.ts'
import { CustodyError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
import { copySecret, type SealMode } from '../../crypto/seal.ts'
import { DEFAULT_SEAL_COST, passphraseSealing } from '../../crypto/sealing.ts'
import { deriveSigningSeed, formatWords, SEED_BYTES } from '../../crypto/seed.ts'
import { CustodyLock, type CustodyWatcher, type LockOptions } from './lock.ts'
import { wipeSecrets, type OpenSecrets } from './open-secrets.ts'
import type { OpenLimits } from './auto-lock.ts'
import type { SecretPaths } from './files.ts'
import { SIGNING_SEED_BYTES } from './content.ts'
import { chainOfSeed } from './seed-chain.ts'
import { secretsExist, Vault } from './vault.ts'

/** A signing key as it moves between devices and files. */
export interface SigningSeed {
  readonly epoch: number
  /** 32 bytes, in secret memory */
  readonly seed: Uint8Array
}

export interface CustodyOptions extends LockOptions {
  /** 32 bytes, which seal whatever no passphrase seals; copied, the caller wipes it. */
  readonly credential?: Uint8Array | null
}

export class Custody {
  readonly #vault: Vault
  readonly #engine: CryptoEngine
  readonly #lock: CustodyLock

  private constructor(vault: Vault, engine: CryptoEngine, options: CustodyOptions) {
    this.#vault = vault
    this.#engine = engine
    this.#lock = new CustodyLock(vault, options)
  }

  /**
   * Opens what needs no passphrase; the rest stays locked.
   * @throws {CryptoError} SEAL_* @throws {StoreError} SECRETS_* | STORE_* @throws {CustodyError} CREDENTIAL_MISSING | SECRETS_MISSING
   */
  static async open(paths: SecretPaths, engine: CryptoEngine, options: CustodyOptions): Promise<Custody> {
    return new Custody(await Vault.open(paths, engine, options.credential ?? null), engine, options)
  }

  /** @param watcher told from now on; there is one */
  watch(watcher: CustodyWatcher): void {
    this.#lock.watch(watcher)
  }

  /** @param onOpened called whenever {@link expiresInMs} has begun anew */
  whenOpened(onOpened: () => void): void {
    this.#lock.whenOpened(onOpened)
  }

  get hasSecrets(): boolean {
    return this.#vault.mode !== null
  }

  /** How the files are sealed; null without any. */
  get mode(): SealMode | null {
    return this.#vault.mode
  }

  get isLocked(): boolean {
    return this.#lock.isLocked
  }

  /** Whether the seed is in memory: it is on disk as long as it was not forgotten. */
  get hasSeed(): boolean {
    return this.#vault.opened !== null && this.#vault.opened.seed !== null
  }

  /** The epochs whose keys are held, ascending; none while locked. */
  epochs(): number[] {
    return [...(this.#vault.opened?.keys.keys() ?? [])].sort((a, b) => a - b)
  }

  /**
   * Draws the seed of a new persona and writes it and K_0, sealed by the passphrase if there is one.
   * Crash here: files without a persona in the store, which the next start discards.
   * @returns the position of epoch 0 in the chain of all keys
   * @throws {CustodyError} PERSONA_EXISTS @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE @throws {StoreError} STORE_*
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
   * Takes the signing keys of a persona that comes from elsewhere, sealed by the passphrase if there is one. On disk when it returns; a
   * crash leaves what {@link create} leaves.
   * @param keys epochs 0..16; neither kept nor wiped
   * @throws {CustodyError} PERSONA_EXISTS when there are secrets already: {@link addKey} is for that
   * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE @throws {StoreError} STORE_*
   */
  async importKeys(keys: readonly SigningSeed[], passphrase: string | null): Promise<void> {
    await this.#begin(keys, null, passphrase)
  }

  /**
   * Adds the key of an epoch. On disk beside the keys held when it returns; of an epoch that is held already it is the one from now on.
   * @param epoch 0..16 @param signingSeed 32 bytes; neither kept nor wiped
   * @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED @throws {StoreError} STORE_DISK_FULL: nothing has changed | STORE_IO: the daemon stops
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
   * Erases the key of every other epoch, in memory and on disk; on disk when it returns. Where the key of this epoch is not held either,
   * as after a rotation by a sibling, none is left, and nothing can be signed until {@link addKey}.
   * @throws as {@link addKey}
   */
  async keepOnly(epoch: number): Promise<void> {
    this.#lock.use()
    await this.#vault.rewrite((keys) => new Map([...keys].filter(([held]) => held === epoch)))
  }

  /** The keys that are held, as copies in secret memory: the caller wipes them. @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED */
  signingSeeds(): SigningSeed[] {
    return [...this.#lock.use().keys].map(([epoch, { secretKey }]) => {
      return { epoch, seed: copySecret(secretKey.subarray(0, SIGNING_SEED_BYTES), this.#engine) }
    })
  }

  /** Removes what a creation left that never came to a persona. */
  async discard(): Promise<void> {
    await this.#vault.discard()
  }

  /**
   * Opens the secrets files. Guesses come one after the other, and each wrong one makes the next wait longer.
   * @throws {KeeperError} NO_PERSONA {CustodyError} NO_PASSPHRASE | TOO_MANY_GUESSES | LOCKED when it was locked meanwhile
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE
   */
  async unlock(passphrase: string): Promise<void> {
    await this.#lock.unlock(passphrase)
  }

  /**
   * Wipes what a passphrase can open again.
   * @throws {KeeperError} NO_PERSONA {CustodyError} NO_PASSPHRASE
   */
  lock(cause: 'request' | 'signal'): void {
    this.#lock.lock(cause)
  }

  /** How long they may stay open; counts for those that are open, too. */
  limitOpenTime(limits: OpenLimits): void {
    this.#lock.limitOpenTime(limits)
  }

  /** Milliseconds until {@link expire} locks; null when nothing is open, or nothing could open it again. */
  expiresInMs(): number | null {
    return this.#lock.expiresInMs()
  }

  /** Locks when they were open for long enough. To be called before a change, since no timer runs while the machine sleeps. */
  expire(): void {
    this.#lock.expire()
  }

  /**
   * Seals both files anew: by `next`, or without it by the credential of the service, or not at all. A crash leaves files of which one
   * of the two passphrases opens both. The secrets are open afterwards.
   * @param present the passphrase that seals them now, asked for also while they are open: who sits down at an open machine must not
   *   change it; null when none seals them
   * @throws {KeeperError} NO_PERSONA {CustodyError} NO_PASSPHRASE | PASSPHRASE_SET | TOO_MANY_GUESSES | LOCKED when it was locked meanwhile
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE | SEAL_PASSPHRASE_UNUSABLE @throws {StoreError} as {@link addKey}
   */
  async changePassphrase(present: string | null, next: string | null): Promise<void> {
    if (present === null) this.#requireNoPassphrase()
    else await this.#lock.checkPassphrase(present)
    const sealing =
      next === null ? this.#vault.defaultSealing() : await passphraseSealing(next, DEFAULT_SEAL_COST, this.#engine)
    await this.#vault.reseal(sealing, () => {
      // One that another connection has set meanwhile was not proved.
      if (present === null) this.#requireNoPassphrase()
    })
    this.#lock.noteOpened()
  }

  /**
   * Signs by the key of an epoch.
   * @throws {CustodyError} LOCKED | KEY_SUPERSEDED
   */
  signer(epoch: number): (message: Uint8Array) => Uint8Array {
    this.#key(epoch)
    this.#lock.noteUse()
    // Looked up again: a key that was wiped meanwhile would sign as zeros.
    return (message) => this.#engine.sign(message, this.#key(epoch).secretKey)
  }

  /** The public half of the key of an epoch; null while it is locked, or not held. */
  publicKey(epoch: number): Uint8Array | null {
    return this.#vault.opened?.keys.get(epoch)?.publicKey ?? null
  }

  /**
   * The secrets file may have been put back from the backup of another persona: nothing that it signs would be believed.
   * @param signingKey of the store, 64 hex digits
   * @throws {KeeperError} SECRETS_FOREIGN, and is closed then
   */
  checkKey(epoch: number, signingKey: string): void {
    const held = this.publicKey(epoch)
    if (held === null || formatHex(held) === signingKey) return
    this.close()
    const hint = 'put back the file "secrets" that belongs to this store'
    throw new CustodyError('SECRETS_FOREIGN', 'the secrets file holds the key of another persona than the store', hint)
  }

  /** The recovery words, as long as the seed is here. @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED | RECOVERY_CONFIRMED */
  words(): string[] {
    const { seed } = this.#lock.use()
    if (seed !== null) return formatWords(seed)
    const message = 'the recovery words were confirmed, and the seed was erased from this device'
    throw new CustodyError('RECOVERY_CONFIRMED', message, 'the words are where you wrote them down')
  }

  /** The seed, as a copy in secret memory which the caller wipes; null once it was erased. @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED */
  copySeed(): Uint8Array | null {
    const { seed } = this.#lock.use()
    return seed === null ? null : copySecret(seed, this.#engine)
  }

  /** Erases the seed, in memory and on disk. */
  async eraseSeed(): Promise<void> {
    await this.#vault.eraseSeed()
  }

  /** Wipes what is in memory. */
  close(): void {
    this.#vault.shut()
  }

  #key(epoch: number): KeyPair {
    const key = this.#vault.require().keys.get(epoch)
    if (key !== undefined) return key
    const hint = 'get it from the device that rotated, by pairing, or by the recovery words: persona rotate --follow'
    throw new CustodyError('KEY_SUPERSEDED', `this device does not have the signing key of epoch ${epoch}`, hint)
  }

  async #begin(seeds: readonly SigningSeed[], seed: Uint8Array | null, passphrase: string | null): Promise<void> {
    const engine = this.#engine
    if (this.hasSecrets) throw secretsExist()
    const keys = new Map(seeds.map((key) => [key.epoch, engine.signKeyPair(key.seed)]))
    const opened: OpenSecrets = { sealing: this.#vault.defaultSealing(), keys, seed }
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
    const hint = 'change it with: persona passphrase change'
    throw new CustodyError('PASSPHRASE_SET', 'a passphrase seals the secrets of this persona already', hint)
  }
}
