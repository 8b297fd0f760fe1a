/** The device that joins. It keeps the arriving records beside the state until the key has arrived too, then imports all of it (docs/pairing.md, section 3). */
import { CustodyError } from '../custody/errors.ts'
import { PairingStateError } from './errors.ts'
import { formatHex } from '../../core/encoding/bytes.ts'
import { derivePsk } from '../../pairing/code.ts'
import { isOlderOffer, receiveOffer, type ReceivedOffer } from '../../pairing/handshake.ts'
import { PairingError } from '../../pairing/errors.ts'
import { decodeMessage, encodeMessage, isKeyMessage, decodeKeyMessage, type MovedKey } from '../../pairing/messages.ts'
import type { Session } from '../../pairing/session.ts'
import type { Carrier } from '../../ipc/shapes/pairing.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { StoreError } from '../../store/errors.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { decodeOfferGreeting, encodeGreeting, otherVersion, type OfferGreeting } from './greeting.ts'
import { OWN } from '../state/own-record.ts'
import { arrivedOwner } from '../snapshot/arrivals.ts'
import { SnapshotImport } from '../snapshot/import.ts'
import { notNow, type PairingSide, type Progress } from './side.ts'

/** The choices of the joining device. */
export interface JoinWish {
  /** The device to add to the table; null to add none. */
  readonly device: TableDevice | null
  /** Seals the key on this device; null for none. Not allowed if there is a persona already. */
  readonly passphrase: string | null
}

export class JoiningSide implements PairingSide {
  readonly #keeper: Keeper
  readonly #carrier: Carrier
  readonly #wish: JoinWish
  readonly #psk: Uint8Array
  /** The other device; null before the handshake. */
  #peer: { readonly session: Session; readonly from: OfferGreeting } | null = null
  #import: SnapshotImport | null = null
  /** This pairing wrote the secrets here. It must not discard secrets that another call wrote meanwhile. */
  #hasWrittenSecrets = false

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
    if (this.#peer === null) return this.#answerOffer(message)
    if (this.#import === null) throw notNow('a message')
    const plain = this.#peer.session.open(message)
    if (isKeyMessage(plain)) return await this.#finish(this.#import, decodeKeyMessage(plain, this.#keeper.engine))
    await this.#import.push(decodeMessage('state', plain))
    return { state: 'moving' }
  }

  async confirm(): Promise<Progress> {
    if (this.#peer === null || this.#import !== null) throw notNow('a confirmation')
    this.#checkSecrets()
    this.#import = await SnapshotImport.begin(this.#keeper, { sibling: this.#peer.from.name, withKeys: true })
    if (this.#carrier === 'files') return { state: 'moving' }
    return { state: 'moving', send: this.#peer.session.seal(encodeMessage('confirmed')) }
  }

  async close(): Promise<void> {
    this.#keeper.engine.wipe(this.#psk)
    this.#peer?.session.close()
    const unfinished = this.#import
    this.#import = null
    await unfinished?.abort()
  }

  /** Refuses a passphrase if there is a persona already: the new key is added beside its key, under the same seal. */
  #checkSecrets(): void {
    const { custody } = this.#keeper
    if (!this.#keeper.hasPersona) return
    if (custody.isLocked) throw new CustodyError('LOCKED', 'the signing key is locked', 'unlock it first')
    if (this.#wish.passphrase === null) return
    const message = 'this device already has a persona, and pairing does not change its passphrase'
    throw new PairingStateError('PAIRING_PASSPHRASE', message, 'pair without a passphrase')
  }

  #answerOffer(message: Uint8Array): Progress {
    const offer = this.#receiveOffer(message)
    try {
      const from = decodeOfferGreeting(offer.greeting)
      this.#checkPersona(from)
      const { message: send, session } = offer.answer(encodeGreeting({ device: this.#wish.device }))
      this.#keeper.engine.wipe(this.#psk)
      this.#peer = { session, from }
      const { personaId, epoch } = from
      return { state: 'compare', send, compare: [...session.words], persona: { personaId, epoch } }
    } finally {
      offer.close()
    }
  }

  /** @throws {PairingError} PAIRING_HANDSHAKE {PairingStateError} PAIRING_VERSION */
  #receiveOffer(message: Uint8Array): ReceivedOffer {
    try {
      return receiveOffer(this.#psk, this.#carrier, message)
    } catch (error) {
      const isHandshake = error instanceof PairingError && error.code === 'PAIRING_HANDSHAKE'
      if (!isHandshake || !isOlderOffer(this.#psk, this.#carrier, message)) throw error
      throw otherVersion('the other device pairs in an older way, whose words an attacker could choose')
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
    const message = 'the other device has an older signing key than this one'
    throw new PairingStateError(
      'PAIRING_OLDER_KEY',
      message,
      'pair the other way round: start the pairing on this device, and join on the other',
    )
  }

  /** Writes the secrets, then imports the state, which erases a superseded key. A crash leaves either the old state or the new one. */
  async #finish(arrived: SnapshotImport, key: MovedKey): Promise<Progress> {
    const { custody, engine, state, own } = this.#keeper
    try {
      await arrived.finish(() => this.#writeSecrets(key))
      this.#import = null
    } catch (error) {
      // After a failed write the persona may be in the store or not. The next start finds out.
      if (this.#hasWrittenSecrets && !(error instanceof StoreError)) await custody.discard()
      throw error
    } finally {
      engine.wipe(key.seed)
    }
    await this.#keeper.change(() => {
      const { device } = this.#wish
      if (device !== null) state.putOwn({ ...state.own()!, localDevices: [device.key] })
      own.replay()
    })
    const send = this.#carrier === 'files' ? {} : { send: this.#peer!.session.seal(encodeMessage('done')) }
    return { state: 'done', table: this.#keeper.table(), ...send }
  }

  async #writeSecrets(key: MovedKey): Promise<void> {
    const { custody, engine, state } = this.#keeper
    const owner = arrivedOwner(state).own
    const pair = engine.signKeyPair(key.seed)
    engine.wipe(pair.secretKey)
    // Otherwise this device would hold a key that signs nothing, or another persona than the person here was shown.
    const isOf = owner?.personaId === this.#peer!.from.personaId && owner.epoch === key.epoch
    if (!isOf || owner.signingKey !== formatHex(pair.publicKey)) {
      const hint = 'nothing was imported; start a new pairing'
      throw new CustodyError(
        'SECRETS_FOREIGN',
        'the key received does not belong to the persona and table that were announced',
        hint,
      )
    }
    if (custody.hasSecrets) return await custody.addKey(key.epoch, key.seed)
    await custody.importKeys([key], this.#wish.passphrase)
    this.#hasWrittenSecrets = true
  }
}
