/** The secrets of this device: the signing keys and, until its words were confirmed, the seed (docs/format.md, section 4). */
import { formatHex } from '../core/bytes.ts'
import { chainPositions, type ChainPosition } from '../core/chain.ts'
import { MAX_EPOCH } from '../core/limits.ts'
import type { CryptoEngine, KeyPair } from '../crypto/engine.ts'
import { copySecret, isSealedBy, readSealMode, unseal, type SealMode, type Sealing } from '../crypto/seal.ts'
import {
  DEFAULT_SEAL_COST,
  openWithPassphrase,
  passphraseSealing,
  sealingOf,
  UNSEALED,
  wipeSealing,
} from '../crypto/sealing.ts'
import { deriveSigningSeed, formatWords, SEED_BYTES } from '../crypto/seed.ts'
import { KeeperError, noPersona } from './errors.ts'
import {
  isUnchangedAfter,
  readSecretFiles,
  removeSecretFiles,
  removeSeed,
  writeBoth,
  writeKeys,
} from './secret-files.ts'
import type { SealedFiles, SecretPaths } from './secret-files.ts'
import { decodeSecrets, encodeSecrets, SIGNING_SEED_BYTES, wipeKeys, type SigningKeys } from './secrets-content.ts'

const GUESS_DELAY_SEC = 0.1 // sanity: each wrong passphrase makes the next one wait so much longer
const MAX_GUESS_DELAY_SEC = 10 // sanity: an owner who mistypes is not shut out

/** A signing key as it moves between devices and files. */
export interface SigningSeed {
  readonly epoch: number
  /** 32 bytes, in secret memory */
  readonly seed: Uint8Array
}

/** What is in memory while the secrets are open, all of it in secret memory. */
interface Opened {
  /** By what the files are written again, without asking for a passphrase. */
  sealing: Sealing
  keys: SigningKeys
  seed: Uint8Array | null
}

export class Custody {
  readonly #paths: SecretPaths
  readonly #engine: CryptoEngine
  readonly #delay: (seconds: number) => Promise<void>
  #opened: Opened | null = null
  /** How the secrets file is sealed; null without one. */
  #mode: SealMode | null = null
  #wrongGuesses = 0
  #guesses: Promise<void> = Promise.resolve()
  /** What touches the files does so one after the other. */
  #files: Promise<void> = Promise.resolve()
  #onFailure: (error: unknown) => void = () => {}

  private constructor(paths: SecretPaths, engine: CryptoEngine, delay: (seconds: number) => Promise<void>) {
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
    paths: SecretPaths,
    engine: CryptoEngine,
    delay: (seconds: number) => Promise<void>,
  ): Promise<Custody> {
    const custody = new Custody(paths, engine, delay)
    const files = await readSecretFiles(paths, engine)
    if (files === null) return custody
    custody.#mode = readSealMode(files.secrets)
    if (custody.#mode === 'unsealed') await custody.#take(files, UNSEALED, null)
    return custody
  }

  /** @param onFailure told when a write failed and nobody knows what is on disk; the secrets are locked then, and the daemon must stop */
  whenFailed(onFailure: (error: unknown) => void): void {
    this.#onFailure = onFailure
  }

  get hasSecrets(): boolean {
    return this.#mode !== null
  }

  get isLocked(): boolean {
    return this.#opened === null
  }

  /** Whether the seed is in memory: it is on disk as long as it was not forgotten. */
  get hasSeed(): boolean {
    return this.#opened !== null && this.#opened.seed !== null
  }

  /** The epochs whose keys are held, ascending; none while locked. */
  epochs(): number[] {
    return [...(this.#opened?.keys.keys() ?? [])].sort((a, b) => a - b)
  }

  /**
   * Draws the seed of a new persona and writes it and K_0, sealed by the passphrase if there is one.
   * Crash here: files without a persona in the store, which the next start discards.
   * @returns the position of epoch 0 in the chain of all keys
   * @throws {KeeperError} PERSONA_EXISTS @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE @throws {StoreError} STORE_*
   */
  async create(passphrase: string | null): Promise<ChainPosition> {
    const engine = this.#engine
    const drawn = engine.randomBytes(SEED_BYTES)
    const seed = copySecret(drawn, engine)
    engine.wipe(drawn)
    const first = deriveSigningSeed(seed, 0, engine)
    const position = this.#chain(seed)
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
   * @throws {KeeperError} PERSONA_EXISTS when there are secrets already: {@link addKey} is for that
   * @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE @throws {StoreError} STORE_*
   */
  async adopt(keys: readonly SigningSeed[], passphrase: string | null): Promise<void> {
    await this.#begin(keys, null, passphrase)
  }

  /**
   * Adds the key of an epoch. On disk beside the keys held when it returns; of an epoch that is held already it is the one from now on.
   * @param epoch 0..16 @param signingSeed 32 bytes; neither kept nor wiped
   * @throws {KeeperError} NO_PERSONA | LOCKED @throws {StoreError} STORE_DISK_FULL: nothing has changed | STORE_IO: the daemon stops
   */
  async addKey(epoch: number, signingSeed: Uint8Array): Promise<void> {
    const pair = this.#engine.signKeyPair(signingSeed)
    try {
      await this.#rewrite((keys) => new Map([...keys, [epoch, pair]]))
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
    await this.#rewrite((keys) => new Map([...keys].filter(([held]) => held === epoch)))
  }

  /** The keys that are held, as copies in secret memory: the caller wipes them. @throws {KeeperError} NO_PERSONA | LOCKED */
  signingSeeds(): SigningSeed[] {
    return [...this.#require().keys].map(([epoch, { secretKey }]) => {
      return { epoch, seed: copySecret(secretKey.subarray(0, SIGNING_SEED_BYTES), this.#engine) }
    })
  }

  /** Removes what a creation left that never came to a persona. */
  async discard(): Promise<void> {
    this.#wipe()
    this.#mode = null
    await this.#turn(() => removeSecretFiles(this.#paths))
  }

  /**
   * Opens the secrets file. Guesses come one after the other, and each wrong one makes the next wait longer.
   * @throws {KeeperError} NO_PERSONA | NO_PASSPHRASE @throws {CryptoError} SEAL_WRONG_PASSPHRASE
   */
  async unlock(passphrase: string): Promise<void> {
    const turn = this.#guesses.then(() => this.#guess(passphrase))
    this.#guesses = turn.catch(() => {})
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
    await this.#turn(async () => {
      const files = await readSecretFiles(this.#paths, this.#engine)
      if (files === null) throw new Error(`${this.#paths.secrets} is gone`)
      await this.#take(files, await sealingOf(files.secrets, passphrase, this.#engine), passphrase)
    })
  }

  /**
   * Signs by the key of an epoch.
   * @throws {KeeperError} LOCKED | KEY_SUPERSEDED
   */
  signer(epoch: number): (message: Uint8Array) => Uint8Array {
    this.#key(epoch)
    // Looked up again: a key that was wiped meanwhile would sign as zeros.
    return (message) => this.#engine.sign(message, this.#key(epoch).secretKey)
  }

  /** The public half of the key of an epoch; null while it is locked, or not held. */
  publicKey(epoch: number): Uint8Array | null {
    return this.#opened?.keys.get(epoch)?.publicKey ?? null
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

  /** The recovery words, as long as the seed is here. @throws {KeeperError} NO_PERSONA | LOCKED | RECOVERY_CONFIRMED */
  words(): string[] {
    const { seed } = this.#require()
    if (seed !== null) return formatWords(seed)
    const message = 'the recovery words were confirmed, and the seed was erased from this device'
    throw new KeeperError('RECOVERY_CONFIRMED', message, 'the words are where you wrote them down')
  }

  /** Erases the seed, in memory and on disk. */
  async forgetSeed(): Promise<void> {
    const opened = this.#opened
    if (opened !== null && opened.seed !== null) this.#engine.wipe(opened.seed)
    if (opened !== null) opened.seed = null
    await this.#turn(() => removeSeed(this.#paths))
  }

  /** Wipes what is in memory. */
  close(): void {
    this.#wipe()
  }

  #require(): Opened {
    if (this.#opened !== null) return this.#opened
    if (this.#mode === null) throw noPersona()
    throw new KeeperError('LOCKED', 'the signing key is locked', 'open it with: persona unlock')
  }

  #key(epoch: number): KeyPair {
    const key = this.#require().keys.get(epoch)
    if (key !== undefined) return key
    const hint = 'get the new key from the device that rotated'
    throw new KeeperError('KEY_SUPERSEDED', `this device does not have the signing key of epoch ${epoch}`, hint)
  }

  async #turn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#files.then(work)
    this.#files = turn.then(
      () => {},
      () => {},
    )
    return await turn
  }

  async #begin(seeds: readonly SigningSeed[], seed: Uint8Array | null, passphrase: string | null): Promise<void> {
    const engine = this.#engine
    if (this.#mode !== null) throw secretsExist()
    const keys = new Map(seeds.map((key) => [key.epoch, engine.signKeyPair(key.seed)]))
    const opened: Opened = { sealing: UNSEALED, keys, seed }
    try {
      if (passphrase !== null) opened.sealing = await passphraseSealing(passphrase, DEFAULT_SEAL_COST, engine)
      await this.#turn(() => this.#writeFirst(opened))
    } catch (error) {
      this.#wipeOpened(opened)
      throw error
    }
    this.#mode = opened.sealing.mode
    this.#opened = opened
  }

  async #writeFirst({ keys, seed, sealing }: Opened): Promise<void> {
    // Another one may have been made while the passphrase was worked on.
    if (this.#mode !== null) throw secretsExist()
    const content = encodeSecrets(keys, this.#engine)
    try {
      // One that a crash left behind belongs to another persona.
      await removeSeed(this.#paths)
      // The seed is on disk before a key: a signing key without its seed could never be rotated.
      if (seed === null) await writeKeys(this.#paths, content, sealing, this.#engine)
      else await writeBoth(this.#paths, content, seed, sealing, this.#engine)
    } catch (error) {
      await removeSecretFiles(this.#paths).catch(() => {})
      throw error
    } finally {
      this.#engine.wipe(content)
    }
  }

  /** Writes the keys that `next` makes of those held, and then holds them. */
  async #rewrite(next: (keys: SigningKeys) => SigningKeys): Promise<void> {
    await this.#turn(async () => {
      const opened = this.#require()
      const keys = next(opened.keys)
      const content = encodeSecrets(keys, this.#engine)
      try {
        await this.#written(writeKeys(this.#paths, content, opened.sealing, this.#engine))
      } finally {
        this.#engine.wipe(content)
      }
      // Locked meanwhile: the next unlock takes up what is on disk.
      const isOpen = this.#opened === opened
      const stays = new Set(isOpen ? keys.values() : [])
      wipeKeys(
        [...opened.keys.values(), ...keys.values()].filter((pair) => !stays.has(pair)),
        this.#engine,
      )
      if (isOpen) opened.keys = keys
    })
  }

  /** A write of open secrets: after one of unknown outcome nothing goes on from what is in memory. */
  async #written(write: Promise<void>): Promise<void> {
    try {
      await write
    } catch (error) {
      if (!isUnchangedAfter(error)) {
        this.close()
        this.#onFailure(error)
      }
      throw error
    }
  }

  /**
   * Takes what the files hold.
   * @param sealing of the secrets file; kept, or wiped if it is the wrong one
   * @param passphrase for a seed that was sealed under a salt of its own, as the first release did
   */
  async #take(files: SealedFiles, sealing: Sealing, passphrase: string | null): Promise<void> {
    const engine = this.#engine
    const opened: Opened = { sealing, keys: new Map(), seed: null }
    let content: Uint8Array | null = null
    try {
      content = unseal(files.secrets, sealing, engine)
      opened.keys = decodeSecrets(content, engine)
      const alike = files.seed === null || passphrase === null || isSealedBy(files.seed, sealing)
      if (!alike) opened.seed = await openWithPassphrase(files.seed, passphrase, engine)
      else if (files.seed !== null) opened.seed = unseal(files.seed, sealing, engine)
    } catch (error) {
      this.#wipeOpened(opened)
      throw error
    } finally {
      for (const spent of [content, files.secrets, files.seed]) if (spent !== null) engine.wipe(spent)
    }
    this.#mode = sealing.mode
    this.#opened = opened
    this.#wrongGuesses = 0
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
    wipeKeys(pairs, engine)
    return positions[0]!
  }

  #wipe(): void {
    if (this.#opened !== null) this.#wipeOpened(this.#opened)
    this.#opened = null
  }

  #wipeOpened({ keys, seed, sealing }: Opened): void {
    wipeKeys(keys.values(), this.#engine)
    if (seed !== null) this.#engine.wipe(seed)
    wipeSealing(sealing, this.#engine)
  }
}

function secretsExist(): KeeperError {
  const hint = 'one daemon keeps one persona; see: persona status'
  return new KeeperError('PERSONA_EXISTS', 'the secrets of a persona are here already', hint)
}
