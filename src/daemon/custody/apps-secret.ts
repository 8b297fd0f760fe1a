/**
 * The secret in the secrets file that seals the file of the apps key (daemon/sealed). A change of the passphrase so touches the secrets file
 * alone, and the passphrase opens both.
 */
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { SealMode, Sealing } from '../../crypto/seal.ts'
import { copySecret } from '../../crypto/seal.ts'
import { APPS_SECRET_BYTES } from './content.ts'
import type { Vault } from './vault.ts'

export class AppsSecret {
  readonly #vault: Vault
  readonly #engine: CryptoEngine
  #beforeDiscard: () => Promise<void> = () => Promise.resolve()

  constructor(vault: Vault, engine: CryptoEngine) {
    this.#vault = vault
    this.#engine = engine
  }

  /** How the secrets are sealed; null if there are none. */
  get mode(): SealMode | null {
    return this.#vault.mode
  }

  /** Whether there are secrets, and they are open. */
  get isOpen(): boolean {
    return this.#vault.opened !== null
  }

  /**
   * @param onChange called whenever the secrets were opened or shut, or are sealed in another way; there is only one. The opening waits
   *   for it.
   */
  whenChanged(onChange: () => Promise<void>): void {
    this.#vault.whenChanged(onChange)
  }

  /** A copy in secret memory, which the caller wipes; null while locked, and while there is none. */
  copy(): Uint8Array | null {
    const secret = this.#vault.opened?.appsSecret ?? null
    return secret === null ? null : copySecret(secret, this.#engine)
  }

  /**
   * Draws the secret and writes it, unless there is one. On return {@link copy} has it, unless the secrets were locked meanwhile.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   * @throws {StoreError} STORE_DISK_FULL if nothing changed | STORE_IO, and the daemon stops
   */
  async need(): Promise<void> {
    if (this.#vault.require().appsSecret !== null) return
    const drawn = this.#engine.randomBytes(APPS_SECRET_BYTES)
    const secret = copySecret(drawn, this.#engine)
    this.#engine.wipe(drawn)
    await this.#vault.holdAppsSecret(secret)
  }

  /** Whether the service manager gave a credential, which seals where no passphrase does. */
  get hasCredential(): boolean {
    return this.#vault.hasCredential
  }

  /** The sealing without a passphrase: the credential of the service, or nothing. The caller wipes it. */
  defaultSealing(): Sealing {
    return this.#vault.defaultSealing()
  }

  /** @param run makes everything openable that this secret seals; it is about to be erased; there is only one */
  beforeDiscard(run: () => Promise<void>): void {
    this.#beforeDiscard = run
  }

  /** Call it before a persona is given up, whose secrets are then discarded. */
  async release(): Promise<void> {
    await this.#beforeDiscard()
  }
}
