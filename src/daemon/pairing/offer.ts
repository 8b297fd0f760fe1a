/** The device that has the persona. It sends nothing secret before the person at it has compared the words (docs/pairing.md, section 3). */
import { derivePsk } from '../../pairing/code.ts'
import { makeOffer, type Offer } from '../../pairing/handshake.ts'
import { decodeMessage, encodeKeyMessage, encodeMessage, type MovedKey } from '../../pairing/messages.ts'
import type { Session } from '../../pairing/session.ts'
import type { Carrier } from '../../ipc/shapes/pairing.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { decodeJoinGreeting, encodeGreeting } from './greeting.ts'
import { OWN, type OwnRecord } from '../state/own-record.ts'
import { exportSnapshot } from '../snapshot/stream.ts'
import { notNow, type PairingSide, type Progress } from './side.ts'

const UNNAMED = 'device' // the name for the other side if we do not know which device of the table this is

/** The other device, after the handshake. */
interface Peer {
  readonly session: Session
  /** The device to add to the table; null to add none. */
  readonly device: TableDevice | null
}

/** The data to send, once people have compared the words. */
interface Moving {
  readonly key: MovedKey
  readonly table: OwnTable
  /** Null once only the key is left. */
  state: AsyncGenerator<Uint8Array, void, undefined> | null
  isKeySent: boolean
}

export class OfferingSide implements PairingSide {
  readonly #keeper: Keeper
  readonly #carrier: Carrier
  readonly #psk: Uint8Array
  #offer: Offer | null = null
  #peer: Peer | null = null
  #isConfirmed = false
  /** Over a connection the other device reports it. With files, the person there confirms by carrying the file here. */
  #isPeerConfirmed: boolean
  #moving: Moving | null = null

  /** @param code CODE_BYTES bytes; not kept @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED | KEY_SUPERSEDED */
  constructor(keeper: Keeper, code: Uint8Array, carrier: Carrier) {
    this.#keeper = keeper
    this.#carrier = carrier
    this.#isPeerConfirmed = carrier === 'files'
    keeper.custody.signer(this.#table.epoch)
    this.#psk = derivePsk(code, keeper.engine)
  }

  async carry(message: Uint8Array | null): Promise<Progress> {
    if (this.#moving !== null) return await this.#next(this.#moving, message)
    if (this.#peer !== null) return await this.#receiveConfirmed(this.#peer, message)
    if (message === null) return this.#makeOffer()
    return this.#receiveAnswer(message)
  }

  async confirm(): Promise<Progress> {
    if (this.#peer === null || this.#isConfirmed) throw notNow('a confirmation')
    this.#isConfirmed = true
    if (this.#isPeerConfirmed) return await this.#begin(this.#peer)
    // Fails now rather than after the other person has confirmed.
    this.#keeper.custody.signer(this.#table.epoch)
    return { state: 'moving' }
  }

  async #receiveConfirmed(peer: Peer, message: Uint8Array | null): Promise<Progress> {
    if (message === null || !this.#isConfirmed) throw notNow('a message')
    decodeMessage('confirmed', peer.session.open(message))
    this.#isPeerConfirmed = true
    return await this.#begin(peer)
  }

  /** Both people have confirmed: the device that one of them refused is in no table. */
  async #begin({ device }: Peer): Promise<Progress> {
    // Before copying the key: this signs, so it fails early if the key is missing or the table may not be signed.
    if (device !== null) await this.#addDevice(device)
    await this.#keeper.change(() => this.#keeper.own.keyLeaves())
    const key = this.#copyKey()
    const state = exportSnapshot(this.#keeper, 'sibling')
    this.#moving = { key, table: this.#table, state, isKeySent: false }
    return { state: 'moving', more: true }
  }

  async close(): Promise<void> {
    const { engine } = this.#keeper
    engine.wipe(this.#psk)
    this.#offer?.close()
    this.#peer?.session.close()
    if (this.#moving === null) return
    engine.wipe(this.#moving.key.seed)
    await this.#moving.state?.return()
  }

  get #table(): OwnTable {
    return this.#keeper.table()
  }

  /** Makes a new offer for each peer and each try. */
  #makeOffer(): Progress {
    this.#offer?.close()
    const { personaId, epoch } = this.#table
    const greeting = encodeGreeting({ personaId, epoch, name: this.#ownName() })
    this.#offer = makeOffer(this.#psk, this.#carrier, greeting)
    return { state: 'waiting', send: this.#offer.message }
  }

  #ownName(): string {
    const local = this.#keeper.onDisk.own.get(OWN)?.localDevices ?? []
    return this.#table.devices.find(({ key }) => local.includes(key))?.name ?? UNNAMED
  }

  #receiveAnswer(message: Uint8Array): Progress {
    const offer = this.#offer
    if (offer === null) throw notNow('an answer')
    this.#offer = null
    const { greeting, session } = offer.receiveAnswer(message)
    // Single use: the code must not serve a second peer.
    this.#keeper.engine.wipe(this.#psk)
    const { device } = decodeJoinGreeting(greeting)
    this.#peer = { session, device }
    return { state: 'compare', compare: [...session.words], device }
  }

  /** Adds the device by an ordinary edit before the state is sent, so that both sides start with the same table (docs/pairing.md, section 3). */
  async #addDevice({ name, key }: TableDevice): Promise<void> {
    if (this.#table.devices.some((listed) => listed.key === key)) return
    await this.#keeper.change(() => this.#keeper.own.edit({ kind: 'add', key, name }))
  }

  /** Copies the key, so that a lock does not interrupt a transfer that the owner has confirmed. @throws {CustodyError} LOCKED | KEY_SUPERSEDED */
  #copyKey(): MovedKey {
    const { custody, engine } = this.#keeper
    const { epoch } = this.#keeper.onDisk.own.get(OWN) as OwnRecord
    custody.signer(epoch)
    const held = custody.signingSeeds()
    for (const other of held) if (other.epoch !== epoch) engine.wipe(other.seed)
    return held.find((key) => key.epoch === epoch)!
  }

  async #next(moving: Moving, message: Uint8Array | null): Promise<Progress> {
    const { session } = this.#peer!
    if (message !== null) return this.#receive(moving, session.open(message))
    if (moving.isKeySent) throw notNow('the next message')
    const next = await moving.state?.next()
    if (next?.done === false) {
      return { state: 'moving', more: true, send: session.seal(encodeMessage('state', next.value)) }
    }
    moving.state = null
    moving.isKeySent = true
    const plain = encodeKeyMessage(moving.key, this.#keeper.engine)
    try {
      const send = session.seal(plain)
      return this.#carrier === 'files' ? { state: 'done', send, table: this.#table } : { state: 'moving', send }
    } finally {
      this.#keeper.engine.wipe(plain)
      this.#keeper.engine.wipe(moving.key.seed)
    }
  }

  #receive(moving: Moving, plain: Uint8Array): Progress {
    if (!moving.isKeySent) throw notNow('a message')
    decodeMessage('done', plain)
    return { state: 'done', table: this.#table }
  }
}
