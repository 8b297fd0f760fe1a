/** Cards at work: judges and keeps those of peers, and tells the wings when one may have changed (docs/card.md). */
import { isExpired } from '../../card/verify.ts'
import type { Identity } from '../../channel/handshake/message.ts'
import type { CardFacts } from '../../channel/handshake/peer.ts'
import type { DaemonEvent } from '../../ipc/methods/events.ts'
import { describeError } from '../../process/describe-error.ts'
import type { Log } from '../../process/log.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { OWN } from '../state/own-record.ts'
import type { Cards, Standing } from './cards.ts'
import { knownCards, personaOf, standingIn, verdictOn } from './known.ts'
import { CardReader } from './read-card.ts'
import { CARDS } from './records.ts'
import { noteEpoch, settleArrived, takeCard } from './take-card.ts'

type Listener = (personaId: string, app: string) => void

export class HeldCards implements Cards {
  readonly #keeper: Keeper
  readonly #log: Log
  readonly #reader: CardReader
  readonly #listeners = new Set<Listener>()

  constructor(keeper: Keeper, log: Log) {
    this.#keeper = keeper
    this.#log = log
    this.#reader = new CardReader(keeper.engine, () => keeper.state.inceptions)
  }

  /** Judges what a snapshot brought, and notes epochs that ended while a crash kept this from it. */
  async start(): Promise<void> {
    await this.#sweep()
  }

  /** This device shows no persona in handshakes yet. */
  identity(_app: string): Promise<Identity | null> {
    return Promise.resolve(null)
  }

  readonly judge = (text: string, app: string): CardFacts | null => {
    const card = this.#reader.read(text)
    if (card === null || card.app !== app || isExpired(card, this.#keeper.nowSec)) return null
    const { verdict } = verdictOn(card, knownCards(personaOf(card), this.#keeper.onDisk, this.#reader))
    // The alarm needs a change.
    if (verdict === 'disputed') this.#later(() => this.take(text))
    if (verdict === 'disputed' || verdict === 'ended' || verdict === 'held') return null
    // An older card is good here: a device may not know what its sibling signed. Its standing tells whether it is still listed.
    const { chain, devices } = card
    return { personaId: chain.personaId, epoch: chain.epoch, deviceKeys: devices.map(({ sig }) => sig) }
  }

  meet(text: string): void {
    const { state } = this.#keeper
    const card = this.#reader.read(text)
    if (card === null) return
    const { isNews } = takeCard(card, true, state, this.#reader)
    if (isNews) this.#later(() => this.#tellOnceDurable(personaOf(card)))
  }

  async take(text: string): Promise<void> {
    const card = this.#reader.read(text)
    if (card === null) return
    const { keeper, reader } = { keeper: this.#keeper, reader: this.#reader }
    const { isNews } = await keeper.change(() => takeCard(card, false, keeper.state, reader))
    if (isNews) this.#tell(personaOf(card))
  }

  standing(personaId: string, app: string, deviceKey: Uint8Array): Standing {
    const { onDisk: records, nowSec } = this.#keeper
    return standingIn(personaId, app, deviceKey, { records, nowSec, reader: this.#reader })
  }

  newest(personaId: string, app: string): string | null {
    return knownCards(personaId, this.#keeper.onDisk, this.#reader).cards.get(app)?.text ?? null
  }

  own(app: string): string | null {
    const own = this.#keeper.onDisk.own.get(OWN)
    return own === undefined ? null : this.newest(own.personaId, app)
  }

  onChanged(run: Listener): () => void {
    this.#listeners.add(run)
    return () => void this.#listeners.delete(run)
  }

  onEvent({ event, data }: DaemonEvent): void {
    if (event === 'contact.changed' && data.contact.personaId !== null) this.#moved(data.contact.personaId)
    if (event === 'contact.replaced') this.#moved(data.personaId)
    if (event === 'own.changed') {
      if (data.cause === 'import') this.#later(() => this.#sweep())
      this.#moved(data.table.personaId)
    }
  }

  /** The table of a persona may have moved on. */
  #moved(personaId: string): void {
    if (this.#keeper.onDisk.of(CARDS).get(personaId) === undefined) return
    this.#later(async () => {
      const { state } = this.#keeper
      await this.#keeper.change(() => noteEpoch(personaId, state, this.#reader))
      this.#tell(personaId)
    })
  }

  async #sweep(): Promise<void> {
    const { onDisk, state } = this.#keeper
    const ids: string[] = []
    for await (const [personaId] of onDisk.of(CARDS).iterate()) ids.push(personaId)
    for (const personaId of ids) {
      const isNews = await this.#keeper.change(() => {
        const hasArrived = settleArrived(personaId, state, this.#reader)
        return noteEpoch(personaId, state, this.#reader) || hasArrived
      })
      if (isNews) this.#tell(personaId)
    }
  }

  /** Called inside of a change. */
  async #tellOnceDurable(personaId: string): Promise<void> {
    await Promise.resolve()
    // A change without writes ends when all before it are on disk.
    await this.#keeper.change(() => {})
    this.#tell(personaId)
  }

  #tell(personaId: string): void {
    for (const { app } of this.#keeper.onDisk.of(CARDS).get(personaId)?.cards ?? [])
      for (const listener of this.#listeners) listener(personaId, app)
  }

  /** Runs work that nobody waits for. A store that fails stops the daemon by itself. */
  #later(work: () => Promise<void>): void {
    work().catch((error: unknown) => this.#log.warn('cards.failed', describeError(error)))
  }
}
