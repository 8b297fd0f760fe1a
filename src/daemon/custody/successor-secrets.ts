/** The secrets of the persona that is about to follow, beside those of the present one (docs/format.md, section 14). */
import type { ChainPosition } from '../../core/chain.ts'
import type { CryptoEngine, KeyPair } from '../../crypto/engine.ts'
import { copySecret } from '../../crypto/seal.ts'
import { deriveSigningSeed, SEED_BYTES } from '../../crypto/seed.ts'
import type { CustodyLock } from './lock.ts'
import { chainOfSeed } from './seed-chain.ts'
import type { Vault } from './vault.ts'

export class SuccessorSecrets {
  readonly #vault: Vault
  readonly #engine: CryptoEngine
  readonly #lock: CustodyLock

  constructor(vault: Vault, engine: CryptoEngine, lock: CustodyLock) {
    this.#vault = vault
    this.#engine = engine
    this.#lock = lock
  }

  /**
   * Draws the seed of the persona that is about to follow, and writes it beside the keys held. Crash here: the next start drops it, unless the
   * store has that persona by then.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   * @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO, and the daemon stops
   */
  async draw(): Promise<void> {
    this.#lock.use()
    const drawn = this.#engine.randomBytes(SEED_BYTES)
    const seed = copySecret(drawn, this.#engine)
    this.#engine.wipe(drawn)
    await this.#vault.holdSuccessor(seed)
  }

  /** The first position of the persona that is about to follow; null while locked, and outside of a succession. */
  position(): ChainPosition | null {
    const seed = this.#vault.opened?.successor ?? null
    return seed === null ? null : chainOfSeed(seed, this.#engine)[0]!
  }

  /** Signs with the first key of the persona that is about to follow. @throws {CustodyError} LOCKED */
  sign(message: Uint8Array): Uint8Array {
    const { secretKey } = this.#key()
    const signature = this.#engine.sign(message, secretKey)
    this.#engine.wipe(secretKey)
    return signature
  }

  /** The store has the persona that follows: erases the secrets of the old one. @throws as {@link draw} */
  async takeOver(): Promise<void> {
    this.#lock.use()
    await this.#vault.succeed(this.#key())
  }

  /** The store still has the old persona. @throws as {@link draw} */
  async drop(): Promise<void> {
    this.#lock.use()
    await this.#vault.holdSuccessor(null)
  }

  #key(): KeyPair {
    const { successor } = this.#vault.require()
    if (successor === null) throw new Error('no persona is about to follow')
    const first = deriveSigningSeed(successor, 0, this.#engine)
    const pair = this.#engine.signKeyPair(first)
    this.#engine.wipe(first)
    return pair
  }
}
