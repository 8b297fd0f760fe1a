/** Cards at a relay: who may put one, and under which place it is found (docs/relay.md, "Cards"). The store decides which one counts. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { CardError } from '../../card/errors.ts'
import { cardAt } from '../../card/place.ts'
import { isExpired, verifyCard, type CardEngine, type VerifiedCard } from '../../card/verify.ts'
import { encodeUtf8, formatHex } from '../../core/encoding/bytes.ts'
import { cardPath, type CardPlace } from '../../relay/paths/card-place.ts'
import type { RelayLimits } from '../../relay/limits.ts'
import { chargeAddress } from '../store/charge-address.ts'
import type { OfferedCard, RelayStore } from '../store/relay-store.ts'
import type { CardCaller, CardService, GetAnswer, PutAnswer } from './card-service.ts'
import { readDeviceToken, refusalOfToken, tokenRequestOf, type DeviceRefusal } from './devices.ts'

export interface CardsOptions {
  readonly store: Pick<RelayStore, 'putCard' | 'getCard' | 'epochOf' | 'inboxes' | 'spend'>
  readonly engine: CardEngine
  /** The relay's own URL without a slash at its end. Device tokens name its origin, and the path below it. */
  readonly url: string
  /** The tokens of the operator: whoever shows one keeps cards here by right. */
  readonly tokens: () => readonly string[]
  /** The personas whose cards are kept here by right, as upper-case hex. */
  readonly personas: () => readonly string[]
  readonly limits: Pick<RelayLimits, 'card' | 'address'>
  readonly nowUs: () => number
}

const SEC_US = 1_000_000

export class Cards implements CardService {
  readonly #options: CardsOptions

  constructor(options: CardsOptions) {
    this.#options = options
  }

  async get(place: CardPlace, caller: CardCaller): Promise<GetAnswer> {
    const busy = await this.#spend(caller)
    if (busy !== null) return busy
    const card = await this.#options.store.getCard(place, this.#options.nowUs())
    return card === null ? { outcome: 'none' } : { outcome: 'found', card }
  }

  async put(place: CardPlace, text: string, bearer: string | null, caller: CardCaller): Promise<PutAnswer> {
    const busy = await this.#spend(caller)
    if (busy !== null) return busy
    const { store, engine, nowUs } = this.#options
    let card: VerifiedCard
    try {
      card = verifyCard(text, engine)
    } catch (error) {
      if (!(error instanceof CardError)) throw error
      return { outcome: 'bad card', code: error.code, message: error.message }
    }
    if (isExpired(card, this.#nowSec())) return { outcome: 'expired' }
    const offered = offerOf(card, engine)
    if (!isPlaceOf(offered, place)) return { outcome: 'bad at' }
    if (!('at' in place)) {
      // A card lies in the open only if a device of it says so: friends have the card as well, and are not asked.
      const refused = this.#judge(place, card, text, bearer)
      if (refused !== null) return refused
    }
    const right = this.#rightOf(offered, 'at' in place ? bearer : null)
    if (right === 'none') return { outcome: 'token' }
    const guest = right === 'guest' ? caller.address : null
    const kept = { ...offered, guest, isPublic: !('at' in place) }
    if (card.chain.epoch <= (await store.epochOf(offered.persona))) return await store.putCard(kept, nowUs())
    return await this.#putRotated(kept)
  }

  /**
   * Puts a card of a later epoch. A device that the rotation leaves out may have kept friends of the owner out of the inboxes, so all rules end. They end
   * before the card counts, because a crash would keep them otherwise; and once more after, because that device can make new ones until then.
   */
  async #putRotated(card: OfferedCard): Promise<PutAnswer> {
    const { store, nowUs } = this.#options
    if (!(await store.inboxes.endRules(card.persona, nowUs()))) return { outcome: 'full' }
    const answer = await store.putCard(card, nowUs())
    if (answer.outcome === 'kept') await store.inboxes.endRules(card.persona, nowUs())
    return answer
  }

  /** @returns the refusal of a device token; null for a good one */
  #judge(place: CardPlace, card: VerifiedCard, text: string, bearer: string | null): DeviceRefusal | null {
    const { engine, url } = this.#options
    const token = readDeviceToken(bearer, engine)
    if (token === null) return { outcome: 'token' }
    const sent = { method: 'PUT', path: `/${cardPath(place)}`, bodyHash: engine.sha256(encodeUtf8(text)) }
    return refusalOfToken(token, { request: tokenRequestOf(url, sent, token), to: null, card, nowSec: this.#nowSec() })
  }

  #rightOf({ persona }: Pick<OfferedCard, 'persona'>, bearer: string | null): 'right' | 'guest' | 'none' {
    const { tokens, personas, limits } = this.#options
    // A token that is none of ours is refused, so that nobody takes a card for kept by right when it is not.
    if (bearer !== null) return isOneOf(bearer, tokens()) ? 'right' : 'none'
    if (personas().includes(persona)) return 'right'
    return limits.card.maxGuestCards > 0 ? 'guest' : 'none'
  }

  async #spend({ address }: CardCaller): Promise<{ outcome: 'busy'; retryAfterSec: number } | null> {
    const { store, limits, nowUs } = this.#options
    const retryAfterSec = await chargeAddress(store, address, limits.address, nowUs())
    return retryAfterSec === 0 ? null : { outcome: 'busy', retryAfterSec }
  }

  #nowSec(): number {
    return Math.floor(this.#options.nowUs() / SEC_US)
  }
}

type Offer = Omit<OfferedCard, 'guest' | 'isPublic'>

function offerOf(card: VerifiedCard, engine: CardEngine): Offer {
  const { chain, app, root, text, expiresAtSec } = card
  return {
    persona: formatHex(chain.personaId),
    app,
    at: cardAt(root, chain.personaId, app, engine),
    rank: card,
    text,
    expiresUs: expiresAtSec * SEC_US,
  }
}

function isPlaceOf({ at, persona, app }: Offer, place: CardPlace): boolean {
  return 'at' in place ? place.at === at : place.persona === persona && place.app === app
}

/** Compares with all of them, each in the same time. */
function isOneOf(given: string, tokens: readonly string[]): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = digest(given)
  return tokens.map((token) => timingSafeEqual(digest(token), wanted)).includes(true)
}
