/** Held signing keys. After every change and at the start, only the key of the head stays (docs/format.md, section 4). */
import { CustodyError } from '../custody/errors.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Custody } from '../custody/custody.ts'
import { decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { positionFields } from '../own/table.ts'
import type { OwnRecord, PersonaRecord, Records } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { Serial } from '../../process/serial.ts'

/** The parts of the keeper that this needs. */
export interface KeysOwner {
  readonly custody: Custody
  readonly state: State
  readonly onDisk: Records
  /** Decides a change and writes it, without erasing keys. */
  changeKeys<T>(decide: () => T): Promise<T>
}

/**
 * A rotation writes the secrets file with both keys, then the head, then the secrets file without the old key. A crash leaves one of
 * three states, and the epoch of the head shows which. The key of the head stays; all others are erased.
 */
export class HeldKeys {
  readonly #keeper: KeysOwner
  readonly #onFollowed: () => void
  readonly #serial = new Serial()

  /** @param onFollowed inside of a change: this device holds the key of the head again */
  constructor(keeper: KeysOwner, onFollowed: () => void) {
    this.#keeper = keeper
    this.#onFollowed = onFollowed
  }

  /** Serializes work that adds or erases keys: an older head must not erase the key that a rotation has just added. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work)
  }

  /** Runs {@link eraseSpentKeysNow} after any work that moves keys; returns at once if there is nothing to do. */
  async eraseSpentKeys(): Promise<void> {
    if (this.#isDone()) return
    await this.inTurn(() => this.eraseSpentKeysNow())
  }

  /**
   * Erases all keys but the head's, and installs the key of the head if it has come. While locked it waits for the unlock. Call it only
   * inside of {@link inTurn}.
   * @throws {CustodyError} SECRETS_FOREIGN @throws {StoreError}
   */
  async eraseSpentKeysNow(): Promise<void> {
    if (this.#isDone()) return
    const { custody, onDisk } = this.#keeper
    const { own, persona } = ownOf(onDisk)!
    const held = custody.publicKey(persona.epoch)
    if (held === null) this.#checkNotNewer(own, persona)
    else if (own.epoch !== persona.epoch) await this.#install(held)
    // Crash here: the next start runs this again.
    if (custody.epochs().some((epoch) => epoch !== persona.epoch)) await custody.keepOnly(persona.epoch)
  }

  #isDone(): boolean {
    const { custody, onDisk } = this.#keeper
    const found = ownOf(onDisk)
    if (found === null || custody.isLocked) return true
    const { own, persona } = found
    const epochs = custody.epochs()
    if (epochs.length === 0) return true
    return epochs.length === 1 && epochs[0] === persona.epoch && own.epoch === persona.epoch
  }

  /** The key of the head came by pairing or from the recovery words, so this device moves to the head's place in the chain. */
  async #install(held: Uint8Array): Promise<void> {
    const { state } = this.#keeper
    await this.#keeper.changeKeys(() => {
      const { own, persona } = ownOf(state.records)!
      const head = decodeStored(persona.head, state)
      if (!equalBytes(head.signingKey, held)) {
        const hint = 'put back the file "secrets" that belongs to this store'
        throw new CustodyError(
          'SECRETS_FOREIGN',
          `the key held for epoch ${head.epoch} is not the one that signed the table`,
          hint,
        )
      }
      state.putOwn({ ...own, ...positionFields(head), replayDue: true })
      this.#onFollowed()
    })
  }

  /** A store restored from an older copy than the secrets would erase the only good key. */
  #checkNotNewer(own: OwnRecord, persona: PersonaRecord): void {
    const newest = Math.max(...this.#keeper.custody.epochs())
    if (own.epoch !== persona.epoch || newest < persona.epoch) return
    this.#keeper.custody.close()
    const hint = 'put both back from one backup, or restart with the newer store'
    throw new CustodyError(
      'SECRETS_FOREIGN',
      `the secrets file holds the key of epoch ${newest}, and the store knows the persona at epoch ${persona.epoch} only`,
      hint,
    )
  }
}
