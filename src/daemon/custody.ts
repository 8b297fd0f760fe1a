/** The secrets of this device: the current signing key and, until its words were confirmed, the seed (docs/format.md, section 4). */
import { formatHex } from '../core/bytes.ts'
import { chainPositions, type ChainPosition } from '../core/chain.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import type { CryptoEngine, KeyPair } from '../crypto/engine.ts'
import * as seal from '../crypto/seal.ts'
import { deriveSigningSeed, formatWords, SEED_BYTES } from '../crypto/seed.ts'
import { readSecretsFile, removeSecretsFile, writeSecretsFile } from '../store/secrets-file.ts'
import type { StatePaths } from '../store/state-dir.ts'
import { KeeperError, noPersona } from './errors.ts'

/** What the secrets file holds: a version byte, then an epoch byte and a 32-byte signing seed for each key held. */
const SECRETS_VERSION = 1
const SIGNING_SEED_BYTES = 32

const GUESS_DELAY_SEC = 0.1 // sanity: each wrong passphrase makes the next one wait so much longer
const MAX_GUESS_DELAY_SEC = 10 // sanity: an owner who mistypes is not shut out

export class Custody {
  readonly #paths: StatePaths
  readonly #engine: CryptoEngine
  readonly #delay: (seconds: number) => Promise<void>
  /** Epoch -> secret key, when open. */
  readonly #keys = new Map<number, KeyPair>()
  /** How the secrets file is sealed; null without one. */
  #mode: seal.SealMode | null = null
  #seed: Uint8Array | null = null
  #wrongGuesses = 0
  #unlocking: Promise<void> = Promise.resolve()

  private constructor(paths: StatePaths, engine: CryptoEngine, delay: (seconds: number) => Promise<void>) {
    this.#paths = paths
    this.#engine = engine
    this.#delay = delay
  }

  /**
   * Opens what needs no passphrase; the rest stays locked.
   * @param delay waits so many seconds
   * @throws {CryptoError} SEAL_* @throws {StoreError} SECRETS_*
   */
  static async open(
    paths: StatePaths,
    engine: CryptoEngine,
    delay: (seconds: number) => Promise<void>,
  ): Promise<Custody> {
    const custody = new Custody(paths, engine, delay)
    const file = await readSecretsFile(paths.secrets)
    if (file === null) return custody
    custody.#mode = seal.readSealMode(file)
    if (custody.#mode !== 'unsealed') return custody
    custody.#takeKeys(seal.decodeUnsealed(file, engine))
    engine.wipe(file)
    const seedFile = await readSecretsFile(paths.seed)
    if (seedFile === null) return custody
    custody.#seed = seal.decodeUnsealed(seedFile, engine)
    engine.wipe(seedFile)
    return custody
  }

  get hasSecrets(): boolean {
    return this.#mode !== null
  }

  get isLocked(): boolean {
    return this.#keys.size === 0
  }

  /**
   * Draws the seed of a new persona and writes it and K_0, sealed by the passphrase if there is one.
   * Crash here: files without a persona in the store, which the next start discards.
   * @returns the position of epoch 0 in the chain of all keys
   */
  async create(passphrase: string | null): Promise<ChainPosition> {
    const engine = this.#engine
    const seed = engine.secret(SEED_BYTES)
    const drawn = engine.randomBytes(SEED_BYTES)
    seed.set(drawn)
    engine.wipe(drawn)
    const first = deriveSigningSeed(seed, 0, engine)
    const keys = engine.secret(2 + SIGNING_SEED_BYTES)
    keys.set([SECRETS_VERSION, 0])
    keys.set(first, 2)
    const position = this.#chain(seed)
    engine.wipe(first)
    try {
      // The seed first: a signing key without its seed could never be rotated.
      await this.#write(this.#paths.seed, seed, passphrase)
      await this.#write(this.#paths.secrets, keys, passphrase)
    } catch (error) {
      for (const secret of [seed, keys]) engine.wipe(secret)
      await this.discard().catch(() => {})
      throw error
    }
    this.#mode = passphrase === null ? 'unsealed' : 'passphrase'
    this.#takeKeys(keys)
    this.#seed = seed
    return position
  }

  /** Removes what a creation left that never came to a persona. */
  async discard(): Promise<void> {
    await removeSecretsFile(this.#paths.secrets)
    await removeSecretsFile(this.#paths.seed)
    this.#wipe()
    this.#mode = null
  }

  /**
   * Opens the secrets file. Guesses come one after the other, and each wrong one makes the next wait longer.
   * @throws {KeeperError} NO_PERSONA | NO_PASSPHRASE @throws {CryptoError} SEAL_WRONG_PASSPHRASE
   */
  async unlock(passphrase: string): Promise<void> {
    const turn = this.#unlocking.then(() => this.#guess(passphrase))
    this.#unlocking = turn.catch(() => {})
    await turn
  }

  async #guess(passphrase: string): Promise<void> {
    if (this.#mode === null) throw noPersona()
    if (this.#mode === 'unsealed') {
      throw new KeeperError(
        'NO_PASSPHRASE',
        'the secrets of this persona are not sealed by a passphrase',
        'nothing to do',
      )
    }
    if (!this.isLocked) return
    await this.#delay(Math.min(this.#wrongGuesses * GUESS_DELAY_SEC, MAX_GUESS_DELAY_SEC))
    this.#wrongGuesses++
    const keys = await this.#openFile(this.#paths.secrets, passphrase)
    if (keys === null) throw new Error(`${this.#paths.secrets} is gone`)
    const seed = await this.#openFile(this.#paths.seed, passphrase)
    this.#takeKeys(keys)
    this.#seed = seed
  }

  /**
   * Signs by the key of an epoch.
   * @throws {KeeperError} LOCKED | KEY_SUPERSEDED
   */
  signer(epoch: number): (message: Uint8Array) => Uint8Array {
    if (this.isLocked) {
      throw new KeeperError('LOCKED', 'the signing key is locked', 'open it with: persona unlock')
    }
    const key = this.#keys.get(epoch)
    if (key === undefined) {
      const hint = 'get the new key from the device that rotated'
      throw new KeeperError('KEY_SUPERSEDED', `this device does not have the signing key of epoch ${epoch}`, hint)
    }
    return (message) => this.#engine.sign(message, key.secretKey)
  }

  /** The public half of the key of an epoch; null while it is locked, or not held. */
  publicKey(epoch: number): Uint8Array | null {
    return this.#keys.get(epoch)?.publicKey ?? null
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
    throw new KeeperError('SECRETS_FOREIGN', 'the secrets file holds the key of another persona than the store', hint)
  }

  /** Whether the seed is still on this device, so that whoever takes the device can take the persona for good. */
  get hasSeed(): boolean {
    return this.#seed !== null
  }

  /** The recovery words, as long as the seed is here. @throws {KeeperError} LOCKED | RECOVERY_CONFIRMED */
  words(): string[] {
    if (this.isLocked) throw new KeeperError('LOCKED', 'the seed is locked', 'open it with: persona unlock')
    if (this.#seed !== null) return formatWords(this.#seed)
    const message = 'the recovery words were confirmed, and the seed was erased from this device'
    throw new KeeperError('RECOVERY_CONFIRMED', message, 'the words are where you wrote them down')
  }

  /** Erases the seed, in memory and on disk. */
  async forgetSeed(): Promise<void> {
    if (this.#seed !== null) this.#engine.wipe(this.#seed)
    this.#seed = null
    await removeSecretsFile(this.#paths.seed)
  }

  /** Wipes what is in memory. */
  close(): void {
    this.#wipe()
  }

  #chain(seed: Uint8Array): ChainPosition {
    const engine = this.#engine
    const pairs = Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) => {
      const signingSeed = deriveSigningSeed(seed, epoch, engine)
      const pair = engine.signKeyPair(signingSeed)
      engine.wipe(signingSeed)
      return pair
    })
    const keys = pairs.map((pair) => pair.publicKey)
    const positions = chainPositions(keys, engine, (message) => engine.sign(message, pairs[0]!.secretKey))
    for (const pair of pairs) engine.wipe(pair.secretKey)
    return positions[0]!
  }

  #takeKeys(content: Uint8Array): void {
    const [version] = content
    if (version !== SECRETS_VERSION || (content.length - 1) % (1 + SIGNING_SEED_BYTES) !== 0) {
      const hint = 'install the version that wrote it, or restore a backup'
      throw new KeeperError('SECRETS_MISSING', 'the secrets file has a content that this version does not know', hint)
    }
    for (let at = 1; at < content.length; at += 1 + SIGNING_SEED_BYTES) {
      const signingSeed = content.subarray(at + 1, at + 1 + SIGNING_SEED_BYTES)
      this.#keys.set(content[at]!, this.#engine.signKeyPair(signingSeed))
    }
    this.#engine.wipe(content)
  }

  async #write(path: string, content: Uint8Array, passphrase: string | null): Promise<void> {
    const file =
      passphrase === null
        ? seal.encodeUnsealed(content, this.#engine)
        : await seal.sealWithPassphrase(content, passphrase, seal.DEFAULT_SEAL_COST, this.#engine)
    try {
      await writeSecretsFile(path, file)
    } finally {
      // Unsealed it is the secret itself.
      this.#engine.wipe(file)
    }
  }

  async #openFile(path: string, passphrase: string): Promise<Uint8Array | null> {
    const file = await readSecretsFile(path)
    return file === null ? null : await seal.openWithPassphrase(file, passphrase, this.#engine)
  }

  #wipe(): void {
    for (const { secretKey } of this.#keys.values()) this.#engine.wipe(secretKey)
    this.#keys.clear()
    if (this.#seed !== null) this.#engine.wipe(this.#seed)
    this.#seed = null
  }
}
