/**
 * Backups (docs/backup.md): the signing keys and a snapshot. The daemon seals them, so that no secret crosses the socket in the clear, and
 * the command line only writes and reads the file. A backup never contains the seed.
 */
import { personaExists } from '../state/errors.ts'
import { SnapshotError } from './errors.ts'
import {
  newBackupKey,
  backupKeyOf,
  BACKUP_CHUNK_BYTES,
  BackupOpener,
  BackupSealer,
} from '../../crypto/sealed-stream.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { DEFAULT_SEAL_COST } from '../../crypto/sealing.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { SigningSeed } from '../custody/content.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { SIGNING_SEED_BYTES } from '../custody/content.ts'
import { arrivedOwner } from './arrivals.ts'
import { SnapshotImport, type ImportResult } from './import.ts'
import { exportSnapshot } from './stream.ts'

const ENTRY_BYTES: number = 1 + SIGNING_SEED_BYTES // format: an epoch and its seed, after a byte that counts them

/** The part of the keeper that a backup uses. */
type BackedUp = Pick<Keeper, 'engine' | 'custody' | 'store' | 'onDisk' | 'nowSec' | 'table' | 'change' | 'own'>

interface Box {
  readonly box: Uint8Array
  readonly isLast: boolean
}

/** Makes a backup: the header first, then one box at a time. */
export class BackupWriter {
  readonly header: Uint8Array
  readonly #sealer: BackupSealer
  readonly #chunks: AsyncGenerator<Uint8Array, void, undefined>
  readonly #engine: CryptoEngine
  /** The chunk to seal next, in secret memory. */
  #chunk: Uint8Array
  /** Bytes of it that are filled. */
  #length = 0
  #left: Uint8Array = new Uint8Array(0)
  #isEnded = false
  /** The box with the signing keys, until {@link next} returns it. */
  #first: Box | null = null

  private constructor(header: Uint8Array, key: Uint8Array, keeper: BackedUp, seeds: readonly SigningSeed[]) {
    const { engine } = keeper
    this.header = header
    this.#engine = engine
    this.#sealer = new BackupSealer(key, engine)
    this.#chunk = engine.secret(BACKUP_CHUNK_BYTES)
    this.#chunk[0] = seeds.length
    this.#length = 1
    for (const { epoch, seed } of seeds) {
      this.#chunk[this.#length] = epoch
      this.#chunk.set(seed, this.#length + 1)
      this.#length += ENTRY_BYTES
    }
    this.#chunks = exportSnapshot(keeper, 'backup')
  }

  /** @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | ARGON2_FAILED */
  static async begin(keeper: BackedUp, passphrase: string): Promise<BackupWriter> {
    const { engine, custody } = keeper
    keeper.table()
    const { header, key } = await newBackupKey(passphrase, DEFAULT_SEAL_COST, engine)
    let seeds: SigningSeed[] = []
    let writer: BackupWriter | null = null
    try {
      // On disk before the key leaves.
      await keeper.change(() => keeper.own.keyLeaves())
      seeds = custody.signingSeeds()
      writer = new BackupWriter(header, key, keeper, seeds)
      // Seal it at once: the client may never fetch it, and no signing key may stay in memory after a lock.
      writer.#first = await writer.#seal()
      return writer
    } catch (error) {
      await writer?.close()
      engine.wipe(key)
      throw error
    } finally {
      for (const { seed } of seeds) engine.wipe(seed)
    }
  }

  /** The next box; null after the last one. @throws {StoreError} */
  async next(): Promise<Box | null> {
    const first = this.#first
    this.#first = null
    if (first !== null) return first
    return this.#isEnded ? null : await this.#seal()
  }

  async #seal(): Promise<Box> {
    await this.#fill()
    // No copy: it would be in plain memory, and stay there.
    const box = this.#sealer.seal(this.#chunk.subarray(0, this.#length), this.#isEnded)
    this.#engine.wipe(this.#chunk)
    this.#length = 0
    if (this.#isEnded) await this.close()
    return { box, isLast: this.#isEnded }
  }

  async #fill(): Promise<void> {
    // Reads one byte more than fits: only then do we know whether this chunk is the last.
    while (this.#length < BACKUP_CHUNK_BYTES || this.#left.length === 0) {
      if (this.#left.length === 0) {
        const next = await this.#chunks.next()
        if (next.done === true) {
          this.#isEnded = true
          return
        }
        this.#left = next.value
      }
      const room = BACKUP_CHUNK_BYTES - this.#length
      if (room === 0) return
      this.#chunk.set(this.#left.subarray(0, room), this.#length)
      this.#length += Math.min(room, this.#left.length)
      this.#left = this.#left.subarray(room)
    }
  }

  /** Wipes the key, and ends the iteration over the store. */
  async close(): Promise<void> {
    this.#isEnded = true
    this.#sealer.close()
    this.#engine.wipe(this.#chunk)
    await this.#chunks.return()
  }
}

/** Restores a backup, box by box. */
export class BackupReader {
  readonly #keeper: Keeper
  readonly #opener: BackupOpener
  readonly #passphrase: string
  readonly #incoming: SnapshotImport
  #seeds: SigningSeed[] | null = null

  private constructor(keeper: Keeper, key: Uint8Array, passphrase: string, incoming: SnapshotImport) {
    this.#keeper = keeper
    this.#opener = new BackupOpener(key, keeper.engine)
    this.#passphrase = passphrase
    this.#incoming = incoming
  }

  /**
   * @param passphrase of the backup; it seals the signing keys here too
   * @throws {KeeperError} PERSONA_EXISTS @throws {CryptoError} BACKUP_NOT_ONE | BACKUP_UNKNOWN_VERSION | SEAL_COST_REFUSED | ARGON2_FAILED
   */
  static async begin(keeper: Keeper, header: Uint8Array, passphrase: string): Promise<BackupReader> {
    checkNoPersona(keeper)
    const key = await backupKeyOf(header, passphrase, keeper.engine)
    const incoming = await SnapshotImport.begin(keeper, { sibling: null, withKeys: true })
    return new BackupReader(keeper, key, passphrase, incoming)
  }

  /**
   * Imports the next box. On return after the last one, the persona is on disk.
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE | BACKUP_CUT | BACKUP_DAMAGED @throws {SnapshotError} SNAPSHOT_* @throws {KeeperError} PERSONA_EXISTS
   */
  async put(box: Uint8Array, isLast: boolean): Promise<ImportResult | null> {
    const chunk = this.#opener.open(box, isLast)
    try {
      await this.#incoming.push(this.#seeds === null ? this.#readSeeds(chunk) : chunk)
    } finally {
      this.#keeper.engine.wipe(chunk)
    }
    return isLast ? await this.#finish(this.#seeds ?? []) : null
  }

  /** Wipes the secrets, and discards records that were not imported. */
  async close(): Promise<void> {
    const { engine } = this.#keeper
    this.#opener.close()
    for (const { seed } of this.#seeds ?? []) engine.wipe(seed)
    this.#seeds = []
    await this.#incoming.abort()
  }

  /** Reads the signing keys from the first chunk. @returns the rest of the chunk, which is not secret */
  #readSeeds(chunk: Uint8Array): Uint8Array {
    const count = chunk[0]!
    const end = 1 + count * ENTRY_BYTES
    const epochs = new Set<number>()
    const seeds: SigningSeed[] = []
    this.#seeds = seeds
    for (let at = 1; at < Math.min(end, chunk.length); at += ENTRY_BYTES) {
      epochs.add(chunk[at]!)
      seeds.push({ epoch: chunk[at]!, seed: copySecret(chunk.subarray(at + 1, at + ENTRY_BYTES), this.#keeper.engine) })
    }
    const isWhole = end <= chunk.length && epochs.size === count && [...epochs].every((epoch) => epoch <= MAX_EPOCH)
    if (!isWhole) throw invalidBackup('its signing keys are incomplete')
    return chunk.slice(end)
  }

  async #finish(seeds: readonly SigningSeed[]): Promise<ImportResult> {
    const { custody } = this.#keeper
    return await this.#incoming.finish(async () => {
      checkNoPersona(this.#keeper)
      this.#checkKeys(seeds)
      await custody.importKeys(seeds, this.#passphrase)
    })
  }

  /** The keys must belong to the persona: nobody would accept what other keys sign. */
  #checkKeys(seeds: readonly SigningSeed[]): void {
    const { engine, state } = this.#keeper
    const { own } = arrivedOwner(state)
    if (own === undefined) throw invalidBackup('it has no persona')
    for (const { epoch, seed } of seeds) {
      if (epoch !== own.epoch) continue
      const { publicKey, secretKey } = engine.signKeyPair(seed)
      engine.wipe(secretKey)
      if (formatHex(publicKey) !== own.signingKey) throw invalidBackup('its signing key belongs to another persona')
    }
  }
}

function checkNoPersona({ state }: Keeper): void {
  const own = state.own()
  if (own !== undefined) throw personaExists(own.personaId)
}

function invalidBackup(reason: string): SnapshotError {
  return new SnapshotError('SNAPSHOT_INVALID', `this backup is not valid: ${reason}`, 'nothing was restored')
}
