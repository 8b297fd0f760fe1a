/** The cards of a relay over a store in memory, with a clock that the test moves. */
import { RELAY_LIMITS, type CardLimits } from '../../src/relay/limits.ts'
import { Cards } from '../../src/relayd/cards/cards.ts'
import { MemoryRelayStore } from '../../src/relayd/store/memory-relay-store.ts'
import { storeLimitsOf } from '../../src/relayd/store/rules.ts'
import { NOW_SEC, sodium } from './made-persona.ts'

export const CARDS_URL = 'https://relay.example'

export interface TestCardsOptions {
  readonly url?: string
  readonly tokens?: readonly string[]
  readonly personas?: readonly string[]
  readonly limits?: Partial<CardLimits>
}

export interface TestCards {
  readonly cards: Cards
  readonly store: MemoryRelayStore
  /** The moment of the made cards at first. */
  nowSec: number
}

export function testCards({ url = CARDS_URL, tokens = [], personas = [], limits }: TestCardsOptions = {}): TestCards {
  const card = { ...RELAY_LIMITS.card, ...limits }
  const store = new MemoryRelayStore(storeLimitsOf({ ...RELAY_LIMITS, card }))
  const cards = new Cards({
    store,
    engine: sodium,
    url,
    tokens: () => tokens,
    personas: () => personas,
    limits: { ...RELAY_LIMITS, card },
    nowUs: () => test.nowSec * 1_000_000,
  })
  const test: TestCards = { cards, store, nowSec: NOW_SEC }
  return test
}
