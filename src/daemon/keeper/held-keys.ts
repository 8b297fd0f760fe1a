/** Keeps the signing keys held and the head consistent, at the start and after every change (docs/format.md, section 4). */
import { CustodyError } from '../custody/errors.ts'
import { equalBytes, formatHex } from '../../core/encoding/bytes.ts'
import type { Custody } from '../custody/custody.ts'
import { decodeStored } from '../personas/heads.ts'
import type { State } from '../state/state.ts'
import { positionFields } from '../own/own-records.ts'
import { OWN, type OwnRecord } from '../state/own-record.ts'
import type { PersonaRecord } from '../state/persona-record.ts'
import type { Records } from '../state/records.ts'
import { ownOf } from '../state/view.ts'
import { Serial } from '../../process/serial.ts'

/** The part of the keeper that this uses. */
export interface KeysOwner {
  readonly custody: Custody
  readonly state: State
  readonly onDisk: Records
  /** Decides a change and writes it, without erasing spent keys. */
  changeKeys<T>(decide: () => T): Promise<T>
}

/** A key of an earlier epoch, for the last time. */
export interface SpentKey {
  readonly epoch: number
  /** 32 bytes */
  readonly publicKey: Uint8Array
  readonly sign: (message: Uint8Array) => Uint8Array
}

/** Called inside a change for each key of an earlier epoch, before it is erased. */
export type OnSpent = (key: SpentKey, state: State) => void

/**
 * A rotation writes the secrets file with both keys, then the head, then the secrets file without the old key. After a crash the epoch of
 * the head decides: the key of that epoch stays, and every other key is erased.
 */
export class HeldKeys {
  readonly #keeper: KeysOwner
  readonly #onFollowed: () => void
  readonly #serial = new Serial()
  readonly #onSpent: OnSpent

  /** @param onFollowed called inside a change, once this device holds the key of the head again */
  constructor(keeper: KeysOwner, onFollowed: () => void, onSpent: OnSpent) {
    this.#keeper = keeper
    this.#onFollowed = onFollowed
    this.#onSpent = onSpent
  }

  /** Reports a key of an earlier epoch that this device has only for a moment, from the recovery words. Inside a change. */
  spent(key: SpentKey): void {
    this.#onSpent(key, this.#keeper.state)
  }

  /** Runs alone, like all work that adds or erases keys. Otherwise a cleanup by an older head could erase the key that a rotation just added. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#serial.run(work)
  }

  /** Runs {@link eraseSpentKeysNow} in turn; returns at once if there is nothing to do. */
  async eraseSpentKeys(): Promise<void> {
    if (this.#isConsistent()) return
    await this.inTurn(() => this.eraseSpentKeysNow())
  }

  /**
   * Installs the key of the head if it has arrived, and erases the keys of all other epochs. Does nothing while locked: the unlock calls it
   * again. Call it inside {@link inTurn}.
   * @throws {CustodyError} SECRETS_FOREIGN @throws {StoreError}
   */
  async eraseSpentKeysNow(): Promise<void> {
    if (this.#isConsistent()) return
    const { custody, onDisk } = this.#keeper
    const { own, persona } = ownOf(onDisk)!
    const held = custody.publicKey(persona.epoch)
    if (held === null) this.#checkNotNewer(own, persona)
    else if (own.epoch !== persona.epoch) await this.#install(held)
    // Crash here: the next start does this again.
    const others = custody.epochs().filter((epoch) => epoch !== persona.epoch)
    if (others.length === 0) return
    const spent = others.filter((epoch) => epoch < persona.epoch)
    if (spent.length > 0) {
      await this.#keeper.changeKeys(() => {
        // The time limit may have locked them just now.
        if (custody.isLocked) return
        for (const epoch of spent)
          this.spent({ epoch, publicKey: custody.publicKey(epoch)!, sign: custody.signer(epoch) })
      })
    }
    if (!custody.isLocked) await custody.keepOnly(persona.epoch)
  }

  /**
   * Ends a succession: the secrets of the persona that the store does not have are erased. Does nothing while locked: the unlock calls it
   * again. Call it inside {@link inTurn}.
   * @throws {StoreError}
   */
  async endSuccessionNow(): Promise<void> {
    const { custody, onDisk } = this.#keeper
    const successor = custody.successor.position()
    if (successor === null) return
    // Crash here: the next start does this again.
    if (onDisk.own.get(OWN)?.personaId === formatHex(successor.personaId)) await custody.successor.takeOver()
    else await custody.successor.drop()
  }

  /** Whether there is nothing to do, or nothing can be done yet. */
  #isConsistent(): boolean {
    const { custody, onDisk } = this.#keeper
    const found = ownOf(onDisk)
    if (found === null || custody.isLocked) return true
    const { own, persona } = found
    const epochs = custody.epochs()
    if (epochs.length === 0) return true
    return epochs.length === 1 && epochs[0] === persona.epoch && own.epoch === persona.epoch
  }

  /** A pairing or the recovery words brought the key of the head: moves this device to the head's position in the chain. */
  async #install(held: Uint8Array): Promise<void> {
    const { state } = this.#keeper
    await this.#keeper.changeKeys(() => {
      const { own, persona } = ownOf(state.records)!
      const head = decodeStored(persona.head, state)
      if (!equalBytes(head.signingKey, held)) {
        const hint = 'put back the file "secrets" that belongs to this store'
        throw new CustodyError(
          'SECRETS_FOREIGN',
          'the secrets file holds another key than the one that signed your table',
          hint,
        )
      }
      state.putOwn({ ...own, ...positionFields(head), replayDue: true })
      this.#onFollowed()
    })
  }

  /** Stops if the store is older than the secrets, as after restoring an old copy. Otherwise we would erase the only good key. */
  #checkNotNewer(own: OwnRecord, persona: PersonaRecord): void {
    const newest = Math.max(...this.#keeper.custody.epochs())
    if (own.epoch !== persona.epoch || newest < persona.epoch) return
    this.#keeper.custody.close()
    const hint = 'restore both from the same backup, or start again with the newer store'
    throw new CustodyError(
      'SECRETS_FOREIGN',
      'the secrets file holds a newer key than the store knows: one of the two was put back from an earlier day',
      hint,
    )
  }
}
