/** The device that has the persona: nothing secret leaves it before its person has compared the words (docs/pairing.md, section 3). */
import { derivePsk } from '../../pairing/code.ts'
import { makeOffer, type Offer } from '../../pairing/handshake.ts'
import { decodeMessage, encodeKeyMessage, encodeMessage, type MovedKey } from '../../pairing/messages.ts'
import type { Session } from '../../pairing/session.ts'
import type { Carrier } from '../../ipc/shapes/pairing.ts'
import type { OwnTable } from '../../ipc/shapes/own.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { decodeJoinGreeting, encodeGreeting } from './greeting.ts'
import { OWN, type OwnRecord } from '../state/records.ts'
import { exportSnapshot } from '../snapshot/stream.ts'
import { notNow, type PairingSide, type Progress } from './side.ts'

const UNNAMED = 'device' // what the other side calls this one when the table does not say which device it is

interface Met {
  readonly session: Session
  readonly device: TableDevice | null
}

/** What moves once the words were compared. */
interface Moving {
  readonly key: MovedKey
  readonly table: OwnTable
  /** Null when nothing but the key is left. */
  state: AsyncGenerator<Uint8Array, void, undefined> | null
  isKeySent: boolean
}

export class OfferingSide implements PairingSide {
  readonly #keeper: Keeper
  readonly #carrier: Carrier
  readonly #psk: Uint8Array
  #offer: Offer | null = null
  #met: Met | null = null
  #moving: Moving | null = null
  /** Over a connection the other side says so; of files its person is the one who carries them here. */
  #isPeerConfirmed: boolean

  /** @param code CODE_BYTES bytes; not kept @throws {KeeperError} NO_PERSONA {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED */
  constructor(keeper: Keeper, code: Uint8Array, carrier: Carrier) {
    this.#keeper = keeper
    this.#carrier = carrier
    this.#isPeerConfirmed = carrier === 'files'
    keeper.custody.signer(this.#table.epoch)
    this.#psk = derivePsk(code, keeper.engine)
  }

  async carry(message: Uint8Array | null): Promise<Progress> {
    if (this.#moving !== null) return await this.#move(this.#moving, message)
    if (this.#met !== null) throw notNow('a message')
    if (message === null) return this.#makeOffer()
    return this.#meet(message)
  }

  async confirm(): Promise<Progress> {
    if (this.#met === null || this.#moving !== null) throw notNow('a confirmation')
    const { device } = this.#met
    // Before the key is taken: this signs, and so finds out whether the key is there and the table may be signed.
    if (device !== null) await this.#list(device)
    await this.#keeper.change(() => this.#keeper.own.keyLeaves())
    const key = this.#takeKey()
    const state = exportSnapshot(this.#keeper, 'sibling')
    this.#moving = { key, table: this.#table, state, isKeySent: false }
    return { state: 'moving', more: this.#isPeerConfirmed }
  }

  async close(): Promise<void> {
    const { engine } = this.#keeper
    engine.wipe(this.#psk)
    this.#offer?.close()
    this.#met?.session.close()
    if (this.#moving === null) return
    engine.wipe(this.#moving.key.seed)
    await this.#moving.state?.return()
  }

  get #table(): OwnTable {
    return this.#keeper.table()
  }

  /** Another one for each peer and each try. */
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

  #meet(message: Uint8Array): Progress {
    const offer = this.#offer
    if (offer === null) throw notNow('an answer')
    this.#offer = null
    const { greeting, session } = offer.receiveAnswer(message)
    // Single use: from here on there is no way back to waiting.
    this.#keeper.engine.wipe(this.#psk)
    const { device } = decodeJoinGreeting(greeting)
    this.#met = { session, device }
    return { state: 'compare', compare: [...session.words], device }
  }

  /** An ordinary edit, before the state moves: so both hold the same table from the first moment (docs/pairing.md, section 3). */
  async #list({ name, key }: TableDevice): Promise<void> {
    if (this.#table.devices.some((listed) => listed.key === key)) return
    await this.#keeper.change(() => this.#keeper.own.edit({ kind: 'add', key, name }))
  }

  /** A copy, so that a lock meanwhile does not tear a transfer that its owner has confirmed. @throws {CustodyError} LOCKED {OwnPersonaError} KEY_SUPERSEDED */
  #takeKey(): MovedKey {
    const { custody, engine } = this.#keeper
    const { epoch } = this.#keeper.onDisk.own.get(OWN) as OwnRecord
    custody.signer(epoch)
    const held = custody.signingSeeds()
    for (const other of held) if (other.epoch !== epoch) engine.wipe(other.seed)
    return held.find((key) => key.epoch === epoch)!
  }

  async #move(moving: Moving, message: Uint8Array | null): Promise<Progress> {
    const { session } = this.#met!
    if (message !== null) return this.#hear(moving, session.open(message))
    if (!this.#isPeerConfirmed || moving.isKeySent) throw notNow('the next message')
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

  #hear(moving: Moving, plain: Uint8Array): Progress {
    if (moving.isKeySent) {
      decodeMessage('done', plain)
      return { state: 'done', table: this.#table }
    }
    if (this.#isPeerConfirmed) throw notNow('a message')
    decodeMessage('confirmed', plain)
    this.#isPeerConfirmed = true
    return { state: 'moving', more: true }
  }
}
