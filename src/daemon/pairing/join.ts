/** The device that joins: what comes in waits beside the state until the key has come as well, and is then taken as one (docs/pairing.md, section 3). */
import { CustodyError } from '../custody/errors.ts'
import { PairingStateError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { derivePsk } from '../../pairing/code.ts'
import { receiveOffer } from '../../pairing/handshake.ts'
import { decodeMessage, encodeMessage, isKeyMessage, decodeKeyMessage, type MovedKey } from '../../pairing/messages.ts'
import type { Session } from '../../pairing/session.ts'
import type { Carrier } from '../../ipc/shapes/pairing.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { StoreError } from '../../store/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { decodeOfferGreeting, encodeGreeting, type OfferGreeting } from './greeting.ts'
import { OWN } from '../state/records.ts'
import { arrivedOwner } from '../snapshot/arrivals.ts'
import { SnapshotImport } from '../snapshot/import.ts'
import { notNow, type PairingSide, type Progress } from './side.ts'

/** What the new device asks for. */
export interface JoinWish {
  /** To be listed in the table. */
  readonly device: TableDevice | null
  /** That seals the key here, when there was no persona. */
  readonly passphrase: string | null
}

export class JoiningSide implements PairingSide {
  readonly #keeper: Keeper
  readonly #carrier: Carrier
  readonly #wish: JoinWish
  readonly #psk: Uint8Array
  #met: { readonly session: Session; readonly from: OfferGreeting } | null = null
  #import: SnapshotImport | null = null
  /** The secrets here came by this pairing; those that another call made meanwhile are not its to throw away. */
  #hasAdopted = false

  /** @param code CODE_BYTES bytes; not kept @throws {CustodyError} LOCKED {PairingStateError} PAIRING_PASSPHRASE */
  constructor(keeper: Keeper, code: Uint8Array, carrier: Carrier, wish: JoinWish) {
    this.#keeper = keeper
    this.#carrier = carrier
    this.#wish = wish
    this.#checkSecrets()
    this.#psk = derivePsk(code, keeper.engine)
  }

  async carry(message: Uint8Array | null): Promise<Progress> {
    if (message === null) throw notNow('the next message')
    if (this.#met === null) return this.#meet(message)
    if (this.#import === null) throw notNow('a message')
    const plain = this.#met.session.open(message)
    if (isKeyMessage(plain)) return await this.#take(this.#import, decodeKeyMessage(plain, this.#keeper.engine))
    await this.#import.push(decodeMessage('state', plain))
    return { state: 'moving' }
  }

  async confirm(): Promise<Progress> {
    if (this.#met === null || this.#import !== null) throw notNow('a confirmation')
    this.#checkSecrets()
    this.#import = await SnapshotImport.begin(this.#keeper, { sibling: this.#met.from.name, withKeys: true })
    if (this.#carrier === 'files') return { state: 'moving' }
    return { state: 'moving', send: this.#met.session.seal(encodeMessage('confirmed')) }
  }

  async close(): Promise<void> {
    this.#keeper.engine.wipe(this.#psk)
    this.#met?.session.close()
    const unfinished = this.#import
    this.#import = null
    await unfinished?.abort()
  }

  /** Where there is a persona already, its key is sealed as it is: the new one is put beside it. */
  #checkSecrets(): void {
    const { custody } = this.#keeper
    if (!this.#keeper.hasPersona) return
    if (custody.isLocked) throw new CustodyError('LOCKED', 'the signing key is locked', 'unlock it first')
    if (this.#wish.passphrase === null) return
    const message = 'this device already keeps a persona, and its passphrase stays as it is'
    throw new PairingStateError('PAIRING_PASSPHRASE', message, 'leave the passphrase out')
  }

  #meet(message: Uint8Array): Progress {
    const offer = receiveOffer(this.#psk, this.#carrier, message)
    try {
      const from = decodeOfferGreeting(offer.greeting)
      this.#checkPersona(from)
      const { message: send, session } = offer.answer(encodeGreeting({ device: this.#wish.device }))
      this.#keeper.engine.wipe(this.#psk)
      this.#met = { session, from }
      const { personaId, epoch } = from
      return { state: 'compare', send, compare: [...session.words], persona: { personaId, epoch } }
    } finally {
      offer.close()
    }
  }

  #checkPersona({ personaId, epoch }: OfferGreeting): void {
    const own = this.#keeper.onDisk.own.get(OWN)
    if (own === undefined) return
    if (own.personaId !== personaId) {
      const message = `the other device has a different persona: ${personaId}`
      throw new PairingStateError('PAIRING_OTHER_PERSONA', message, 'one daemon keeps one persona')
    }
    if (epoch >= own.epoch) return
    const message = `the other device has the older signing key of epoch ${epoch}; this one has epoch ${own.epoch}`
    throw new PairingStateError(
      'PAIRING_OLDER_KEY',
      message,
      'pair the other way round: offer on this device, join on the other',
    )
  }

  /** The secrets first, then the state; taking it in erases a key that is superseded. A crash leaves the old or the new. */
  async #take(arrived: SnapshotImport, key: MovedKey): Promise<Progress> {
    const { custody, engine, state, own } = this.#keeper
    try {
      await arrived.finish(() => this.#adopt(key))
      this.#import = null
    } catch (error) {
      // After a failed write nobody knows whether the persona is in the store; the next start does.
      if (this.#hasAdopted && !(error instanceof StoreError)) await custody.discard()
      throw error
    } finally {
      engine.wipe(key.seed)
    }
    await this.#keeper.change(() => {
      const { device } = this.#wish
      if (device !== null) state.putOwn({ ...state.own()!, localDevices: [device.key] })
      own.replay()
    })
    const send = this.#carrier === 'files' ? {} : { send: this.#met!.session.seal(encodeMessage('done')) }
    return { state: 'done', table: this.#keeper.table(), ...send }
  }

  async #adopt(key: MovedKey): Promise<void> {
    const { custody, engine, state } = this.#keeper
    const owner = arrivedOwner(state).own
    const pair = engine.signKeyPair(key.seed)
    engine.wipe(pair.secretKey)
    // Otherwise this device would hold a key that signs nothing, or another persona than the one that its person was shown.
    const isOf = owner?.personaId === this.#met!.from.personaId && owner.epoch === key.epoch
    if (!isOf || owner.signingKey !== formatHex(pair.publicKey)) {
      const hint = 'nothing was taken; begin again'
      throw new CustodyError(
        'SECRETS_FOREIGN',
        'the key that came is not that of the persona and table that were announced',
        hint,
      )
    }
    if (custody.hasSecrets) return await custody.addKey(key.epoch, key.seed)
    await custody.importKeys([key], this.#wish.passphrase)
    this.#hasAdopted = true
  }
}
