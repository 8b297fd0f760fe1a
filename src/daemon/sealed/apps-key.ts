/**
 * The apps key of this device: it seals what apps keep (docs/threat-model.md). It opens and closes by the setting `custody.apps`, and
 * change.ts changes it daily.
 */
import { CustodyError } from '../custody/errors.ts'
import { wipeSealing } from '../../crypto/sealing.ts'
import type { Sealing } from '../../crypto/seal.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import { Serial } from '../../process/serial.ts'
import { StoreError } from '../../store/errors.ts'
import { appsLocked, type Closed } from './closed.ts'
import { FileSealing, type FileSealingOptions } from './file-sealing.ts'
import { drawKey } from './key-file.ts'
import { KeyRing, type RingKey } from './key-ring.ts'
import type { AppsSetting } from './setting.ts'
import { StoredKeys, type StoredKeysOptions } from './stored-keys.ts'

const CHANGE_EVERY_SEC = 86_400 // sanity: a thief of the disk opens the values of a day at most

export interface AppsKeyOptions extends FileSealingOptions, StoredKeysOptions {
  readonly nowSec: () => number
  readonly log: Pick<Log, 'warn'>
}

export class AppsKey {
  readonly #options: AppsKeyOptions
  readonly #sealing: FileSealing
  readonly #stored: StoredKeys
  #ring: KeyRing | null = null
  #closed: Closed = { why: 'locked' }
  #isEnded = false
  readonly #opened = new Set<() => void>()
  readonly #serial = new Serial()

  private constructor(options: AppsKeyOptions) {
    this.#options = options
    this.#sealing = new FileSealing(options)
    this.#stored = new StoredKeys(options)
  }

  /** Opens the key, unless it needs the passphrase. A file that cannot be used leaves it closed: see {@link closed}. */
  static async open(options: AppsKeyOptions): Promise<AppsKey> {
    const key = new AppsKey(options)
    options.custody.whenChanged(() => key.#follow())
    options.custody.beforeDiscard(() => key.#serial.run(() => key.#release()))
    await key.settle()
    return key
  }

  get isOpen(): boolean {
    return this.#ring !== null
  }

  /** Why the key is closed; null while it is open. */
  get closed(): Closed | null {
    return this.isOpen ? null : this.#closed
  }

  /**
   * Runs now if the key is open, and at each later opening.
   * @param run must not throw
   * @returns a function that ends it
   */
  whenOpened(run: () => void): () => void {
    this.#opened.add(run)
    if (this.isOpen) run()
    return () => void this.#opened.delete(run)
  }

  /** @throws {CustodyError} APPS_LOCKED */
  require(): void {
    this.ring()
  }

  /** The open keys. Use them at once: they are wiped when the key closes. @throws {CustodyError} APPS_LOCKED */
  ring(): KeyRing {
    if (this.#ring !== null) return this.#ring
    throw appsLocked(this.#closed)
  }

  /** Applies another setting. */
  async choose(setting: AppsSetting | null): Promise<void> {
    this.#sealing.setting = setting
    await this.#follow()
  }

  /** Opens the key if it can be opened now. Call it again when something may have changed. */
  async settle(): Promise<void> {
    await this.#serial.run(async () => {
      if (this.#isEnded) return
      if (this.isOpen) return this.#sealing.keepSecret()
      try {
        await this.#open()
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  /** Whether another key is due, or a change has begun and is not done. */
  isDue(): boolean {
    const ring = this.#ring
    if (ring === null) return false
    // A clock that was set back must not keep one key for years.
    const isOld = Math.abs(this.#options.nowSec() - ring.current.madeSec) >= CHANGE_EVERY_SEC
    const target = this.#sealing.target()
    return ring.old !== null || isOld || (target !== null && target !== ring.current.sealer)
  }

  /**
   * Begins a change: draws a key and writes it into the empty slot. It seals from now on, and the old one only opens. Does nothing if a change
   * has begun.
   * @throws {CustodyError} APPS_LOCKED
   * @throws {StoreError} the old key goes on
   */
  async draw(): Promise<void> {
    await this.#serial.run(async () => {
      const ring = this.ring()
      const { current, keys } = ring
      if (ring.old !== null) return
      // While the right means cannot be had, the file stays sealed as it is.
      const sealer = this.#sealing.target() ?? current.sealer
      const place = 1 - current.place
      const drawn = { ...drawKey(current.number + 1, this.#options.nowSec(), this.#options.engine), place, sealer }
      await this.#write(drawn, (sealing) => this.#stored.put(drawn, keys, sealing))
      // Crash here: both keys are on disk, and the next start goes on with the change.
      if (this.#ring === ring) ring.replace([...keys, drawn])
      else this.#options.engine.wipe(drawn.key)
    })
  }

  /**
   * Ends a change: overwrites the old key on disk and wipes it. No record on disk may need it.
   * @throws {CustodyError} APPS_LOCKED
   * @throws {StoreError} both keys stay
   */
  async drop(): Promise<void> {
    await this.#serial.run(async () => {
      const ring = this.ring()
      const { old, current } = ring
      if (old === null) return
      await this.#stored.erase(old)
      if (this.#ring === ring) ring.replace([current])
    })
  }

  /** Wipes the keys and overwrites them on disk, for good. @throws {StoreError} they may still be on disk */
  async erase(): Promise<void> {
    this.close()
    await this.#serial.run(() => this.#stored.eraseAll())
  }

  /** Wipes the keys, for good. */
  close(): void {
    this.#isEnded = true
    this.#shut()
  }

  /** Resolves when nothing is read or written. */
  idle(): Promise<void> {
    return this.#serial.idle()
  }

  /** The secrets were opened, shut or sealed in another way, or the setting changed. */
  async #follow(): Promise<void> {
    this.#sealing.followSecrets()
    // At once: nothing may be opened by a key that has to be closed.
    if (this.#sealing.mustClose) this.#shut()
    await this.settle()
  }

  #shut(): void {
    this.#ring?.wipe()
    this.#ring = null
    this.#closed = { why: 'locked' }
    this.#sealing.forgetSecret()
  }

  async #open(): Promise<void> {
    if (this.#sealing.waitsForUnlock) {
      this.#closed = { why: 'locked' }
      return
    }
    const read = await this.#stored.read(this.#sealing)
    if (read.found === 'closed') {
      this.#closed = read.closed
      return
    }
    const keys = read.found === 'keys' ? read.keys : [await this.#create()]
    const ring = new KeyRing(keys, this.#options.engine)
    // The lock, or the end of the daemon, may have come while the file was read.
    if (this.#sealing.waitsForUnlock || this.#isEnded) return ring.wipe()
    this.#ring = ring
    this.#sealing.keepSecret()
    for (const run of this.#opened) run()
  }

  /** The first key of this state. @throws {CustodyError} APPS_LOCKED @throws {StoreError} */
  async #create(): Promise<RingKey> {
    const sealer = this.#sealing.target()
    if (sealer === null) throw appsLocked({ why: 'locked' })
    const key = { ...drawKey(1, this.#options.nowSec(), this.#options.engine), place: 0, sealer }
    await this.#write(key, (sealing) => this.#stored.replace([key], sealer, sealing))
    return key
  }

  /** Seals a new key and writes it; wipes it where that fails. */
  async #write(key: RingKey, write: (sealing: Sealing) => Promise<void>): Promise<void> {
    const { engine } = this.#options
    try {
      const sealing = await this.#sealing.toSeal(key.sealer)
      if (sealing === null) throw appsLocked({ why: 'locked' })
      await write(sealing).finally(() => wipeSealing(sealing, engine))
    } catch (error) {
      engine.wipe(key.key)
      throw error
    }
  }

  /** Makes the file openable without the secrets, which are about to be discarded. */
  async #release(): Promise<void> {
    this.#sealing.release()
    const [ring, sealer] = [this.#ring, this.#sealing.target()]
    if (ring === null || sealer === null) return
    const keys = ring.keys.map((key) => ({ ...key, sealer }))
    const sealing = (await this.#sealing.toSeal(sealer))!
    await this.#stored.replace(keys, sealer, sealing).finally(() => wipeSealing(sealing, this.#options.engine))
    if (this.#ring === ring) ring.replace(keys)
  }

  #fail(error: unknown): void {
    // The secrets were locked meanwhile.
    if (error instanceof CustodyError) this.#closed = { why: 'locked' }
    else if (error instanceof StoreError) {
      this.#closed = { why: 'failed', message: error.message }
      this.#options.log.warn('apps.key', describeError(error))
    } else throw error
  }
}
