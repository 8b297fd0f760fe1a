/** Finds the card of somebody for an app, as senders need it: kept here, or read from its stores (docs/card.md, section 9). */
import type { VerifiedCard } from '../../card/verify.ts'
import type { Keeper } from '../keeper/keeper.ts'
import { OWN } from '../state/own-record.ts'
import { currentId } from '../state/view.ts'
import type { FindOptions } from './cards.ts'
import { countingCard } from './kept/known.ts'
import type { CardReader } from './kept/read-card.ts'
import type { StoreRounds } from './stores.ts'
import { mayAskFor } from './kept/take-card.ts'

const LOOK_SEC = 3600 // format: senders read the card again after an hour
const OWN_LOOK_SEC = 60 // sanity: a sibling that begins to use an app gets what is sent a minute later

export interface CardLooksOptions {
  readonly keeper: Keeper
  readonly reader: CardReader
  /** null without a way to the network. */
  readonly rounds: Pick<StoreRounds, 'look'> | null
}

export class CardLooks {
  readonly #options: CardLooksOptions
  /** When the stores were last asked, by persona and app. A restart asks once more. */
  readonly #askedSec = new Map<string, number>()
  readonly #running = new Map<string, Promise<void>>()

  constructor(options: CardLooksOptions) {
    this.#options = options
  }

  /** See Cards.find(). */
  async find(
    personaId: string,
    app: string,
    { anew = false, alsoAt = [] }: FindOptions = {},
  ): Promise<VerifiedCard | null> {
    const { keeper, reader } = this.#options
    const { onDisk, nowSec } = keeper
    // No card of a persona who was succeeded counts any more.
    if (currentId(personaId, onDisk) !== personaId) return null
    const kept = countingCard(personaId, app, onDisk, reader)
    const isOwn = personaId === onDisk.own.get(OWN)?.personaId
    const wasAsked = this.#wasAsked(`${personaId} ${app}`, isOwn ? OWN_LOOK_SEC : LOOK_SEC, nowSec)
    const isRecent = kept !== null && !anew && wasAsked
    if (isRecent || !mayAskFor(personaId, app, onDisk, reader)) return kept
    await this.#look(personaId, app, alsoAt)
    return countingCard(personaId, app, keeper.onDisk, reader)
  }

  #wasAsked(name: string, withinSec: number, nowSec: number): boolean {
    const askedSec = this.#askedSec.get(name)
    // A clock that was once ahead must not keep an old card for long.
    return askedSec !== undefined && askedSec <= nowSec && nowSec < askedSec + withinSec
  }

  async #look(personaId: string, app: string, alsoAt: readonly string[]): Promise<void> {
    const { rounds, keeper } = this.#options
    if (rounds === null) return
    const name = `${personaId} ${app}`
    const running = this.#running.get(name)
    if (running !== undefined) return await running
    const { nowSec } = keeper
    for (const asked of this.#askedSec.keys())
      if (!this.#wasAsked(asked, LOOK_SEC, nowSec)) this.#askedSec.delete(asked)
    this.#askedSec.set(name, nowSec)
    const look = rounds.look(personaId, app, alsoAt).finally(() => this.#running.delete(name))
    this.#running.set(name, look)
    await look
  }
}
