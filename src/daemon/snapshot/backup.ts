/**
 * Backups (docs/backup.md): the signing keys, secrets of apps, and a snapshot. The daemon seals them, so that no secret crosses the socket in the clear, and
 * the command line only writes and reads the file. A backup never contains the seed. restore.ts reads one.
 */
import { newBackupKey, BackupSealer } from '../../crypto/sealed-stream.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { DEFAULT_SEAL_COST } from '../../crypto/sealing.ts'
import { CHUNK_BYTES } from '../../core/stream/box-stream.ts'
import { u32be } from '../../core/encoding/bytes.ts'
import type { SigningSeed } from '../custody/content.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { SIGNING_SEED_BYTES } from '../custody/content.ts'
import { MAX_MORE_BYTES, NO_MORE_SECRETS, type MoreSecrets } from './more-secrets.ts'
import { exportSnapshot } from './stream.ts'

export const ENTRY_BYTES: number = 1 + SIGNING_SEED_BYTES // format: an epoch and its seed, after a byte that counts them

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
  readonly #more: Uint8Array
  /** The chunk to seal next, in secret memory. */
  #chunk: Uint8Array
  /** Bytes of it that are filled. */
  #length = 0
  #left: Uint8Array = new Uint8Array(0)
  #isEnded = false
  /** The box with the signing keys, until {@link next} returns it. */
  #first: Box | null = null

  private constructor(
    header: Uint8Array,
    key: Uint8Array,
    keeper: BackedUp,
    seeds: readonly SigningSeed[],
    more: Uint8Array,
  ) {
    const { engine } = keeper
    this.header = header
    this.#engine = engine
    this.#sealer = new BackupSealer(key, engine)
    this.#chunk = engine.secret(CHUNK_BYTES)
    this.#chunk[0] = seeds.length
    this.#length = 1
    for (const { epoch, seed } of seeds) {
      this.#chunk[this.#length] = epoch
      this.#chunk.set(seed, this.#length + 1)
      this.#length += ENTRY_BYTES
    }
    this.#more = more
    this.#chunks = afterSecrets(more, exportSnapshot(keeper, 'backup'))
  }

  /** @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED @throws {CryptoError} SEAL_PASSPHRASE_UNUSABLE | ARGON2_FAILED */
  static async begin(
    keeper: BackedUp,
    passphrase: string,
    more: Pick<MoreSecrets, 'collect'> = NO_MORE_SECRETS,
  ): Promise<BackupWriter> {
    const { engine, custody } = keeper
    keeper.table()
    let moreBytes: Uint8Array = new Uint8Array(0)
    let key: Uint8Array | null = null
    let seeds: SigningSeed[] = []
    let writer: BackupWriter | null = null
    try {
      moreBytes = await more.collect()
      if (moreBytes.length > MAX_MORE_BYTES) throw new Error(`${moreBytes.length} bytes of secrets of apps`)
      // An earlier version reads a backup without them.
      const made = await newBackupKey(passphrase, DEFAULT_SEAL_COST, engine, moreBytes.length === 0 ? 1 : 2)
      key = made.key
      // On disk before the key leaves.
      await keeper.change(() => keeper.own.keyLeaves())
      seeds = custody.signingSeeds()
      writer = new BackupWriter(made.header, key, keeper, seeds, moreBytes)
      // Seal it at once: the client may never fetch it, and no signing key may stay in memory after a lock.
      writer.#first = await writer.#seal()
      return writer
    } catch (error) {
      await writer?.close()
      if (key !== null) engine.wipe(key)
      moreBytes.fill(0)
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
    while (this.#length < CHUNK_BYTES || this.#left.length === 0) {
      if (this.#left.length === 0) {
        const next = await this.#chunks.next()
        if (next.done === true) {
          this.#isEnded = true
          return
        }
        this.#left = next.value
      }
      const room = CHUNK_BYTES - this.#length
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
    this.#more.fill(0)
    await this.#chunks.return()
  }
}

/** The secrets of apps after their length, if there are any, then the snapshot. */
async function* afterSecrets(
  more: Uint8Array,
  snapshot: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (more.length > 0) {
    yield u32be(more.length)
    yield more
  }
  yield* snapshot
}
