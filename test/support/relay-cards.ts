/** The cards and inboxes of a relay over a store in memory, with a clock that the test moves. */
import {
  RELAY_LIMITS,
  type CardLimits,
  type InboxLimits,
  type ObjectLimits,
  type RelayLimits,
} from '../../src/relay/limits.ts'
import { Cards } from '../../src/relayd/cards/cards.ts'
import { Devices } from '../../src/relayd/cards/devices.ts'
import { Inboxes } from '../../src/relayd/inbox/inboxes.ts'
import { MemoryRelayStore } from '../../src/relayd/store/memory-relay-store.ts'
import { storeLimitsOf } from '../../src/relayd/store/rules.ts'
import { NOW_SEC, sodium } from './made-persona.ts'

export const CARDS_URL = 'https://relay.example'

export interface TestCardsOptions {
  readonly url?: string
  readonly tokens?: readonly string[]
  readonly personas?: readonly string[]
  readonly limits?: Partial<CardLimits>
  /** Limits of inboxes, of objects, and all others. */
  readonly inbox?: Partial<InboxLimits>
  readonly object?: Partial<ObjectLimits>
  readonly others?: Partial<RelayLimits>
}

export interface TestCards {
  readonly cards: Cards
  readonly inboxes: Inboxes
  readonly store: MemoryRelayStore
  readonly limits: RelayLimits
  /** The moment of the made cards at first. */
  nowSec: number
}

export function testCards({
  url = CARDS_URL,
  tokens = [],
  personas = [],
  ...options
}: TestCardsOptions = {}): TestCards {
  const limits: RelayLimits = {
    ...RELAY_LIMITS,
    ...options.others,
    card: { ...RELAY_LIMITS.card, ...options.limits },
    inbox: { ...RELAY_LIMITS.inbox, ...options.inbox },
    object: { ...RELAY_LIMITS.object, ...options.object },
  }
  const store = new MemoryRelayStore(storeLimitsOf(limits))
  const nowUs = (): number => test.nowSec * 1_000_000
  const common = { store, engine: sodium, url, limits, nowUs }
  const cards = new Cards({ ...common, tokens: () => tokens, personas: () => personas })
  const inboxes = new Inboxes({ ...common, devices: new Devices(common) })
  const test: TestCards = { cards, inboxes, store, limits, nowSec: NOW_SEC }
  return test
}
