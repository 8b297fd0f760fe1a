/**
 * The means to seal the file of the apps key. Where there are secrets, the secret in the secrets file seals it. Without a persona, and with
 * the setting `start` beside a passphrase, the credential of the service does, or nothing.
 */
import type { AppsSecret } from '../custody/apps-secret.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Sealing } from '../../crypto/seal.ts'
import { keySealing, UNSEALED, wipeSealing } from '../../crypto/sealing.ts'
import type { Sealer } from './key-file.ts'
import { needsPassphrase, settingFor, type AppsSetting } from './setting.ts'

export interface FileSealingOptions {
  readonly custody: AppsSecret
  readonly engine: CryptoEngine
  /** null if the owner chose none. */
  readonly setting: AppsSetting | null
  /** Whether a persona is on disk. Secrets without one may be discarded. */
  readonly hasPersona: () => boolean
}

export class FileSealing {
  readonly #custody: AppsSecret
  readonly #engine: CryptoEngine
  readonly #hasPersona: () => boolean
  setting: AppsSetting | null
  /** A copy of the secret, while the apps key is open: the next day's key needs it, also while the signing key is locked. */
  #secret: Uint8Array | null = null
  #isReleased = false

  constructor({ custody, engine, setting, hasPersona }: FileSealingOptions) {
    this.#custody = custody
    this.#engine = engine
    this.setting = setting
    this.#hasPersona = hasPersona
  }

  /** Whether nothing opens before the signing key does. */
  get waitsForUnlock(): boolean {
    return !this.#custody.isOpen && needsPassphrase(this.setting, this.#custody.mode)
  }

  /** Whether the apps key must close now, because the signing key is locked. */
  get mustClose(): boolean {
    return this.waitsForUnlock && settingFor(this.setting, this.#custody.mode) === 'locked'
  }

  /** Keeps a copy of the secret as it is now, if it is open. */
  keepSecret(): void {
    const secret = this.#custody.copy()
    if (secret === null) return
    this.forgetSecret()
    this.#secret = secret
  }

  /** Forgets the secret of a persona that is gone. */
  followSecrets(): void {
    if (this.#custody.mode === null) this.forgetSecret()
  }

  forgetSecret(): void {
    if (this.#secret !== null) this.#engine.wipe(this.#secret)
    this.#secret = null
  }

  /** From now on nothing is sealed by the secrets: they are about to be discarded. */
  release(): void {
    this.#isReleased = true
  }

  /** The sealing that the file should have; null if it cannot be had now. */
  target(): Sealer | null {
    const { mode, isOpen } = this.#custody
    const isBySecrets = mode !== null && !this.#isReleased && this.#hasPersona()
    const opensAlone = mode === 'passphrase' && !needsPassphrase(this.setting, mode)
    if (isBySecrets && !opensAlone) return isOpen || this.#secret !== null ? 'secrets' : null
    return this.#custody.hasCredential ? 'credential' : 'unsealed'
  }

  /**
   * The means to seal the file.
   * @returns the caller wipes it; null if it cannot be had, for example because the secrets were locked meanwhile
   * @throws {CustodyError} LOCKED
   * @throws {StoreError} STORE_DISK_FULL | STORE_IO if the secret is new and could not be written
   */
  async toSeal(sealer: Sealer): Promise<Sealing | null> {
    if (sealer !== 'secrets') {
      const opening = this.toOpen(sealer)
      return typeof opening === 'string' ? null : opening
    }
    if (this.#custody.isOpen) await this.#custody.need()
    this.keepSecret()
    return this.#secret === null ? null : keySealing(this.#secret, this.#engine)
  }

  /** The means to open a slot of the file, which the caller wipes, or the reason why there is none. */
  toOpen(sealer: Sealer): Sealing | 'locked' | 'credential' | 'foreign' {
    switch (sealer) {
      case 'unsealed':
        return UNSEALED
      case 'credential': {
        const sealing = this.#custody.defaultSealing()
        if (sealing.mode === 'key') return sealing
        wipeSealing(sealing, this.#engine)
        return 'credential'
      }
      case 'secrets': {
        if (this.#custody.mode !== null && !this.#custody.isOpen) return 'locked'
        const secret = this.#custody.copy()
        if (secret === null) return 'foreign'
        const sealing = keySealing(secret, this.#engine)
        this.#engine.wipe(secret)
        return sealing
      }
    }
  }
}
