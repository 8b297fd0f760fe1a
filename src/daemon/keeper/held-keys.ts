/** The signing keys that are held, and the head that says which one counts: brought together after every change and at the start (docs/format.md, section 4). */
import { CustodyError } from '../custody/errors.ts'
import { equalBytes } from '../../core/encoding/bytes.ts'
import type { Custody } from '../custody/custody.ts'
import { decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { positionFields } from '../own/table.ts'
import type { OwnRecord, PersonaRecord, Records } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { Serial } from '../../process/serial.ts'

/** What the keeper hands in. */
export interface KeysOwner {
  readonly custody: Custody
  readonly state: State
  readonly onDisk: Records
  /** Decides a change and has it on disk, settling nothing. */
  changeKeys<T>(decide: () => T): Promise<T>
}

/**
 * A rotation writes the secrets file with both keys, then the head, then the secrets file without the old key. A crash leaves one of
 * three states, and the epoch of the head tells which: the key of the head stays, every other one is erased.
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

  /** Who adds or erases keys does so alone: what is erased by an older head must not be what a rotation has just added. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work)
  }

  /** {@link eraseSpentKeysNow}, once whoever moves keys has ended; at once where there is nothing to do. */
  async eraseSpentKeys(): Promise<void> {
    if (this.#isSettled()) return
    await this.inTurn(() => this.eraseSpentKeysNow())
  }

  /**
   * Erases the keys of every epoch but the head's, and takes up the key of the head where it has come. While locked it waits for the
   * unlock. Call it in one's turn.
   * @throws {CustodyError} SECRETS_FOREIGN @throws {StoreError}
   */
  async eraseSpentKeysNow(): Promise<void> {
    if (this.#isSettled()) return
    const { custody, onDisk } = this.#keeper
    const { own, persona } = ownOf(onDisk)!
    const held = custody.publicKey(persona.epoch)
    if (held === null) this.#checkNotNewer(own, persona)
    else if (own.epoch !== persona.epoch) await this.#install(held)
    // Crash here: the next start comes by here again.
    if (custody.epochs().some((epoch) => epoch !== persona.epoch)) await custody.keepOnly(persona.epoch)
  }

  #isSettled(): boolean {
    const { custody, onDisk } = this.#keeper
    const found = ownOf(onDisk)
    if (found === null || custody.isLocked) return true
    const { own, persona } = found
    const epochs = custody.epochs()
    if (epochs.length === 0) return true
    return epochs.length === 1 && epochs[0] === persona.epoch && own.epoch === persona.epoch
  }

  /** The key came by pairing or from the words, and the head is the one that it signs: where the head stands in the chain, this device does. */
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

  /** A store that was put back from an older copy than the secrets would have the only key erased that is good. */
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
