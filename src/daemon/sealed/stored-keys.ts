/** Reads the apps keys from their file, and writes them. */
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Sealing } from '../../crypto/seal.ts'
import { wipeSealing } from '../../crypto/sealing.ts'
import { StoreError } from '../../store/errors.ts'
import { isErrno } from '../../store/state-dir.ts'
import type { Closed } from './closed.ts'
import type { FileSealing } from './file-sealing.ts'
import { openSlot, readSlots, sealSlot, SLOTS, writeSlot, writeSlots, type KeyFileFs, type Sealer } from './key-file.ts'
import type { RingKey } from './key-ring.ts'

export interface StoredKeysOptions {
  readonly path: string
  readonly engine: CryptoEngine
  readonly fs?: KeyFileFs
}

/** The keys that the file gives now. */
export type Found =
  | { readonly found: 'keys'; readonly keys: readonly RingKey[] }
  | { readonly found: 'nothing' }
  | { readonly found: 'closed'; readonly closed: Closed }

export class StoredKeys {
  readonly #path: string
  readonly #engine: CryptoEngine
  readonly #fs: KeyFileFs | undefined

  constructor({ path, engine, fs }: StoredKeysOptions) {
    this.#path = path
    this.#engine = engine
    this.#fs = fs
  }

  /**
   * Opens the keys of the file, all or none: with one of two we would take the records of the other for lost. A slot that no means opens is
   * what a crash left.
   * @throws {StoreError} SECRETS_* | STORE_IO
   */
  async read(sealing: FileSealing): Promise<Found> {
    const slots = await readSlots(this.#path)
    if (slots === null) return { found: 'nothing' }
    const keys: RingKey[] = []
    const missing = new Set<'locked' | 'credential' | 'foreign'>()
    for (const [place, slot] of slots.entries()) {
      if (slot.state !== 'sealed') continue
      const opening = sealing.toOpen(slot.sealer)
      if (typeof opening === 'string') missing.add(opening)
      else {
        const stored = openSlot(slot.file, opening, this.#engine)
        wipeSealing(opening, this.#engine)
        if (stored !== null) keys.push({ ...stored, place, sealer: slot.sealer })
      }
      slot.file.fill(0)
    }
    const why = missing.has('locked') ? 'locked' : missing.has('credential') ? 'credential' : 'foreign'
    if (keys.length > 0 && why === 'foreign') return { found: 'keys', keys }
    for (const { key } of keys) this.#engine.wipe(key)
    return { found: 'closed', closed: { why } }
  }

  /**
   * Writes a key into its slot, in place of what is there.
   * @param others the keys beside it, should the file be gone
   * @throws {StoreError}
   */
  async put(key: RingKey, others: readonly RingKey[], sealing: Sealing): Promise<void> {
    const slot = sealSlot(key, key.sealer, sealing, this.#engine)
    try {
      await writeSlot(this.#path, key.place, slot, this.#fs)
    } catch (error) {
      if (!isGone(error)) throw error
      await this.replace([...others, key], key.sealer, sealing)
    } finally {
      slot.fill(0)
    }
  }

  /** Overwrites a key on disk. Nothing is to do where the file is gone. @throws {StoreError} */
  async erase(key: Pick<RingKey, 'place'>): Promise<void> {
    try {
      await writeSlot(this.#path, key.place, null, this.#fs)
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** Overwrites all keys on disk. @throws {StoreError} */
  async eraseAll(): Promise<void> {
    for (let place = 0; place < SLOTS; place++) await this.erase({ place })
  }

  /** Makes the file anew with these keys. @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO if it may have */
  async replace(keys: readonly RingKey[], sealer: Sealer, sealing: Sealing): Promise<void> {
    const slots: (Uint8Array | null)[] = Array.from({ length: SLOTS }, () => null)
    for (const key of keys) slots[key.place] = sealSlot(key, sealer, sealing, this.#engine)
    try {
      await writeSlots(this.#path, slots, this.#fs)
    } finally {
      for (const slot of slots) slot?.fill(0)
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof StoreError && isErrno(error.cause, 'ENOENT')
}
