/** One pairing at a time, with its code, three tries and time limit (docs/pairing.md). The caller carries the messages; nothing here uses a network. */
import { PairingStateError } from './errors.ts'
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { JoiningSide, type JoinWish } from './join.ts'
import { OfferingSide } from './offer.ts'
import type { PairingSide, Progress } from './side.ts'
import type { Carrier, PairingOffer, PairingStep } from '../../ipc/shapes/pairing.ts'
import { drawCode, formatCodeWords, parseCode } from '../../pairing/code.ts'
import { PairingError } from '../../pairing/errors.ts'
import { Serial } from '../../process/serial.ts'

const MAX_TRIES = 3 // sanity: nobody guesses 128 bits; three failures mean that something is wrong

/** sanity: enough time to walk over and type twelve words, or to carry a file; a code that others saw soon expires */
export const STEP_SECONDS: Readonly<Record<Carrier, number>> = { connection: 120, files: 3600 }

export class Pairing {
  readonly #keeper: Keeper
  #side: PairingSide | null = null
  #tries = 0
  #seconds = 0
  #timer: NodeJS.Timeout | null = null
  /** Why the last pairing ended. Later calls throw it. */
  #ended: PairingStateError = noPairing()
  // A message and a confirmation at the same time must not run interleaved.
  readonly #serial = new Serial()

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  /** Begins as the device that has the persona. @throws {PairingStateError} PAIRING_BUSY {KeeperError} NO_PERSONA {CustodyError} LOCKED | KEY_SUPERSEDED */
  offer(carrier: Carrier): Promise<PairingOffer> {
    return this.#serial.run(async () => {
      this.#checkFree()
      const { engine } = this.#keeper
      const code = drawCode(engine)
      const words = formatCodeWords(code)
      try {
        this.#begin(new OfferingSide(this.#keeper, code, carrier), carrier)
      } finally {
        engine.wipe(code)
      }
      return { words, seconds: this.#seconds }
    })
  }

  /**
   * Begins as the device that joins.
   * @throws {PairingStateError} PAIRING_BUSY {CustodyError} LOCKED @throws {PairingError} PAIRING_CODE_* | PAIRING_URI
   */
  join(typed: string, carrier: Carrier, wish: JoinWish): Promise<{ seconds: number }> {
    return this.#serial.run(async () => {
      this.#checkFree()
      const { code } = parseCode(typed)
      try {
        this.#begin(new JoiningSide(this.#keeper, code, carrier, wish), carrier)
      } finally {
        this.#keeper.engine.wipe(code)
      }
      return { seconds: this.#seconds }
    })
  }

  /**
   * Runs one step: handles a message of the other side, or without one makes the next message.
   * @param message base64url
   * @throws {PairingStateError} PAIRING_NONE | PAIRING_EXPIRED | PAIRING_TRIES | PAIRING_ORDER, and whatever importing the state throws
   * @throws {PairingError} PAIRING_HANDSHAKE | PAIRING_MESSAGE | PAIRING_TOO_LARGE
   */
  carry(message?: string): Promise<PairingStep> {
    return this.#step((side) =>
      side.carry(message === undefined ? null : (parseBase64url(message) ?? new Uint8Array(0))),
    )
  }

  /** @throws as {@link carry} */
  confirm(): Promise<PairingStep> {
    return this.#step((side) => side.confirm())
  }

  /** Ends the pairing in any state, removes what it left, and emits an event for the client that carries its messages. */
  cancel(): Promise<void> {
    return this.#serial.run(async () => {
      if (this.#side === null) return
      await this.#end(noPairing())
      await this.#keeper.emit({ event: 'pairing.cancelled', data: {} })
    })
  }

  #step(work: (side: PairingSide) => Promise<Progress>): Promise<PairingStep> {
    return this.#serial.run(async () => {
      const side = this.#side
      if (side === null) throw this.#ended
      try {
        const { send, ...progress } = await work(side)
        if (progress.state === 'done') await this.#end(noPairing())
        // Peers that connect and leave do not extend the life of a code.
        else if (progress.state !== 'waiting') this.#watch()
        return { ...NOTHING, ...progress, send: send === undefined ? null : formatBase64url(send) }
      } catch (error) {
        throw await this.#failed(error)
      }
    })
  }

  /** Ends the pairing unless it can continue. @returns the error for the caller */
  async #failed(error: unknown): Promise<unknown> {
    if (error instanceof PairingStateError && error.code === 'PAIRING_ORDER') return error
    if (error instanceof PairingError && error.code === 'PAIRING_HANDSHAKE' && ++this.#tries < MAX_TRIES) return error
    const isUsedUp = this.#tries >= MAX_TRIES
    await this.#end(isUsedUp ? usedUp() : noPairing())
    return isUsedUp ? this.#ended : error
  }

  #checkFree(): void {
    if (this.#side === null) return
    const hint = 'finish it or cancel it'
    throw new PairingStateError('PAIRING_BUSY', 'another pairing is in progress', hint)
  }

  #begin(side: PairingSide, carrier: Carrier): void {
    this.#side = side
    this.#tries = 0
    this.#seconds = STEP_SECONDS[carrier]
    this.#watch()
  }

  /** Restarts the time limit, which applies to each step. */
  #watch(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      void this.#serial.run(() => this.#end(expired())).catch(() => {})
    }, this.#seconds * 1000)
    this.#timer.unref()
  }

  async #end(reason: PairingStateError): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    const side = this.#side
    this.#side = null
    this.#ended = reason
    await side?.close()
  }
}

const NOTHING = { more: false, compare: null, device: null, persona: null, table: null }

function noPairing(): PairingStateError {
  return new PairingStateError('PAIRING_NONE', 'no pairing is in progress', 'start a new one')
}

function expired(): PairingStateError {
  return new PairingStateError('PAIRING_EXPIRED', 'this pairing has timed out', 'start a new one, with a new code')
}

function usedUp(): PairingStateError {
  const message = `the code failed ${MAX_TRIES} times and cannot be used any more`
  return new PairingStateError('PAIRING_TRIES', message, 'start a new one, with a new code')
}
