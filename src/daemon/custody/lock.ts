/**
 * The lock on the secrets: opens them by a passphrase, limits how long they stay open, and reports each change
 * (docs/threat-model.md).
 */
import { CustodyError } from './errors.ts'
import { CREDENTIAL_NAME } from './credential.ts'
import { noPersona } from '../state/errors.ts'
import { Guesses } from './guesses.ts'
import type { OpenSecrets } from './open-secrets.ts'
import { forwardClock, OpenTime, type OpenEnd, type OpenLimits } from './auto-lock.ts'
import type { Vault } from './vault.ts'

/** Why the secrets were locked or opened. */
export type LockCause = OpenEnd | 'request' | 'signal' | 'unlock'

export interface LockOptions {
  /** Waits so many seconds. */
  readonly delay: (seconds: number) => Promise<void>
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number
}

export interface CustodyWatcher {
  /** A write failed with an unknown outcome. The secrets are locked now, and the daemon must stop. */
  failed(error: unknown): void
  lockChanged(locked: boolean, cause: LockCause): void
}

export class CustodyLock {
  readonly #vault: Vault
  readonly #guesses: Guesses
  readonly #openTime: OpenTime
  #watcher: CustodyWatcher | null = null
  #onOpened: () => void = () => {}

  constructor(vault: Vault, options: LockOptions) {
    this.#vault = vault
    this.#guesses = new Guesses(options.delay)
    this.#openTime = new OpenTime(options.nowMs ?? forwardClock())
  }

  watch(watcher: CustodyWatcher): void {
    this.#watcher = watcher
    this.#vault.whenFailed((error) => watcher.failed(error))
  }

  whenOpened(onOpened: () => void): void {
    this.#onOpened = onOpened
  }

  get isLocked(): boolean {
    return this.#vault.opened === null
  }

  /**
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} NO_PASSPHRASE | TOO_MANY_GUESSES | LOCKED
   * @throws {CryptoError} SEAL_WRONG_PASSPHRASE
   */
  async unlock(passphrase: string): Promise<void> {
    this.#requirePassphrase()
    this.expire()
    await this.#guesses.run(
      () => this.isLocked,
      () => this.#unseal(passphrase),
    )
  }

  /** Checks a passphrase, as a guess like any other. The secrets are open afterwards. @throws as {@link unlock} */
  async checkPassphrase(passphrase: string): Promise<void> {
    this.#requirePassphrase()
    this.expire()
    await this.#guesses.run(
      () => true,
      () => (this.isLocked ? this.#unseal(passphrase) : this.#vault.checkPassphrase(passphrase)),
    )
  }

  /**
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} NO_PASSPHRASE
   */
  lock(cause: 'request' | 'signal'): void {
    this.#requirePassphrase()
    this.#shut(cause)
  }

  limitOpenTime(limits: OpenLimits): void {
    this.#openTime.limit(limits)
    this.#onOpened()
  }

  expiresInMs(): number | null {
    return this.isLocked || this.#vault.mode !== 'passphrase' ? null : Math.max(0, this.#openTime.leftMs())
  }

  expire(): void {
    const end = this.expiresInMs() === null ? null : this.#openTime.end()
    if (end !== null) this.#shut(end)
  }

  /**
   * Returns the open secrets for a use outside a change. Locks first if the time is over.
   * @throws {KeeperError} NO_PERSONA
   * @throws {CustodyError} LOCKED
   */
  use(): OpenSecrets {
    this.expire()
    const opened = this.#vault.require()
    this.noteUse()
    return opened
  }

  /** Notes a use, which keeps the secrets open longer. */
  noteUse(): void {
    this.#openTime.use()
  }

  /** Notes that the secrets were just opened or resealed. */
  noteOpened(): void {
    this.#openTime.begin()
    this.#onOpened()
  }

  #shut(cause: LockCause): void {
    const wasOpen = !this.isLocked
    this.#vault.shut()
    if (wasOpen) this.#watcher?.lockChanged(true, cause)
  }

  async #unseal(passphrase: string): Promise<void> {
    await this.#vault.unseal(passphrase)
    this.noteOpened()
    this.#watcher?.lockChanged(false, 'unlock')
  }

  #requirePassphrase(): void {
    const { mode } = this.#vault
    if (mode === null) throw noPersona()
    if (mode === 'passphrase') return
    const message =
      mode === 'key'
        ? `the secrets of this persona are sealed by the credential ${CREDENTIAL_NAME} of the service, not by a passphrase`
        : 'no passphrase seals the secrets of this persona'
    throw new CustodyError('NO_PASSPHRASE', message, 'set one first')
  }
}
