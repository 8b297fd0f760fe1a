/** Restores a backup, box by box (docs/backup.md, section 4). */
import { concatBytes, formatHex, readU32 } from '../../core/encoding/bytes.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import { copySecret } from '../../crypto/seal.ts'
import { backupKeyOf, BackupOpener, backupVersionOf } from '../../crypto/sealed-stream.ts'
import type { SigningSeed } from '../custody/content.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { personaExists } from '../state/errors.ts'
import { arrivedOwner } from './arrivals.ts'
import { ENTRY_BYTES } from './backup.ts'
import { SnapshotError } from './errors.ts'
import { SnapshotImport, type ImportResult } from './import.ts'
import { MAX_MORE_BYTES, NO_MORE_SECRETS, type ArrivedSecrets, type MoreSecrets } from './more-secrets.ts'

const LENGTH_BYTES = 4 // format: of the secrets of apps

export class BackupReader {
  readonly #keeper: Keeper
  readonly #opener: BackupOpener
  readonly #passphrase: string
  readonly #incoming: SnapshotImport
  readonly #more: MoreSecrets
  #seeds: SigningSeed[] | null = null
  /** The secrets of apps with their length, as far as they have arrived; null once they are whole, and in a backup without them. */
  #moreBytes: Uint8Array | null
  #arrived: ArrivedSecrets | null = null
  #whole: Uint8Array | null = null

  private constructor(
    keeper: Keeper,
    key: Uint8Array,
    passphrase: string,
    incoming: SnapshotImport,
    more: MoreSecrets,
    hasMore: boolean,
  ) {
    this.#more = more
    this.#moreBytes = hasMore ? new Uint8Array(0) : null
    this.#keeper = keeper
    this.#opener = new BackupOpener(key, keeper.engine)
    this.#passphrase = passphrase
    this.#incoming = incoming
  }

  /**
   * @param passphrase of the backup; it seals the signing keys here too
   * @throws {KeeperError} PERSONA_EXISTS @throws {CryptoError} BACKUP_NOT_ONE | BACKUP_UNKNOWN_VERSION | SEAL_COST_REFUSED | ARGON2_FAILED
   */
  static async begin(
    keeper: Keeper,
    header: Uint8Array,
    passphrase: string,
    more: MoreSecrets = NO_MORE_SECRETS,
  ): Promise<BackupReader> {
    checkNoPersona(keeper)
    const key = await backupKeyOf(header, passphrase, keeper.engine)
    const incoming = await SnapshotImport.begin(keeper, { sibling: null, withKeys: true })
    return new BackupReader(keeper, key, passphrase, incoming, more, backupVersionOf(header) === 2)
  }

  /**
   * Imports the next box. On return after the last one, the persona is on disk.
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE | BACKUP_CUT | BACKUP_DAMAGED @throws {SnapshotError} SNAPSHOT_* @throws {KeeperError} PERSONA_EXISTS
   */
  async put(box: Uint8Array, isLast: boolean): Promise<ImportResult | null> {
    const chunk = this.#opener.open(box, isLast)
    try {
      const rest = this.#seeds === null ? this.#readSeeds(chunk) : chunk
      await this.#incoming.push(this.#moreBytes === null ? rest : this.#readMore(this.#moreBytes, rest))
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
    for (const bytes of [this.#moreBytes, this.#whole]) bytes?.fill(0)
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

  /** Reads the secrets of apps. @returns the bytes after them */
  #readMore(before: Uint8Array, chunk: Uint8Array): Uint8Array {
    const bytes = concatBytes(before, chunk)
    before.fill(0)
    const length = bytes.length < LENGTH_BYTES ? 0 : readU32(bytes, 0)
    if (length > MAX_MORE_BYTES) throw invalidBackup('the secrets of its apps are too large')
    const end = LENGTH_BYTES + length
    if (bytes.length < end) {
      this.#moreBytes = bytes
      return new Uint8Array(0)
    }
    this.#moreBytes = null
    // Wiped at the end: what was read may refer to it.
    this.#whole = bytes
    const read = this.#more.read(bytes.subarray(LENGTH_BYTES, end))
    if (read === 'damaged') throw invalidBackup('the secrets of its apps are damaged')
    if (read === 'unknown') {
      const message = 'this backup has secrets of apps of a kind that this version does not know'
      throw new SnapshotError('SNAPSHOT_UNKNOWN_KIND', message, 'install the version that made it')
    }
    this.#arrived = read
    return bytes.slice(end)
  }

  async #finish(seeds: readonly SigningSeed[]): Promise<ImportResult> {
    const { custody } = this.#keeper
    const result = await this.#incoming.finish(async () => {
      checkNoPersona(this.#keeper)
      this.#checkKeys(seeds)
      // Crash after this: there is no persona, so they are discarded.
      await this.#arrived?.keep()
      await custody.importKeys(seeds, this.#passphrase)
    })
    await this.#more.take()
    return result
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
