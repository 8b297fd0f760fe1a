/** The seed of the persona, on this device until the owner confirms the recovery words (docs/format.md, section 4). */
import type { CryptoEngine } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { formatWords } from '../../crypto/seed.ts'
import { CustodyError } from './errors.ts'
import type { CustodyLock } from './lock.ts'
import type { Vault } from './vault.ts'

export class HeldSeed {
  readonly #vault: Vault
  readonly #engine: CryptoEngine
  readonly #lock: CustodyLock

  constructor(vault: Vault, engine: CryptoEngine, lock: CustodyLock) {
    this.#vault = vault
    this.#engine = engine
    this.#lock = lock
  }

  /**
   * The recovery words, while the seed is on this device.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED | RECOVERY_CONFIRMED
   */
  words(): string[] {
    const { seed } = this.#lock.use()
    if (seed !== null) return formatWords(seed)
    const message = 'this device does not hold the recovery words: they were confirmed, and then erased'
    throw new CustodyError('RECOVERY_CONFIRMED', message, 'use the copy that you wrote down')
  }

  /**
   * A copy of the seed in secret memory, which the caller wipes; null after it was erased.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   */
  copy(): Uint8Array | null {
    const { seed } = this.#lock.use()
    return seed === null ? null : copySecret(seed, this.#engine)
  }

  /** Looks at the seed, without a copy and without counting as a use. @returns null while locked, and without a seed */
  lookAt<T>(look: (seed: Uint8Array) => T): T | null {
    const seed = this.#vault.opened?.seed ?? null
    return seed === null ? null : look(seed)
  }

  /** Erases the seed in memory and on disk. @throws {StoreError} STORE_IO */
  async erase(): Promise<void> {
    await this.#vault.eraseSeed()
  }
}
