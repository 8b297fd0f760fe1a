/** A relay's cards over HTTP, and the daemon's way to them. */
import { relayStores } from '../../src/daemon/cards/relay-stores.ts'
import type { CardStores } from '../../src/daemon/cards/stores.ts'
import { RelayClient } from '../../src/relay/client.ts'
import type { RelayFetch } from '../../src/relay/means.ts'
import { CARDS_URL, testCards } from './relay-cards.ts'
import { serveBoxes } from './relay-http.ts'
import { TestBoxes } from './test-boxes.ts'

export const STORE: string = `${CARDS_URL}/`

export interface CardRelay {
  readonly stores: CardStores
  readonly client: RelayClient
  /** The calls to the relay: method and path. */
  readonly calls: string[]
  isAway: boolean
  /** The relay counts by it. */
  setClock(nowSec: number): void
}

export async function cardRelay(nowSec: number): Promise<CardRelay> {
  const made = testCards()
  made.nowSec = nowSec
  const { url } = await serveBoxes({ boxes: new TestBoxes(), cards: made.cards })
  const calls: string[] = []
  const fetch: RelayFetch = async (to, request) => {
    calls.push(`${request.method} ${new URL(to).pathname.split('/')[1]!}`)
    if (opened.isAway) throw new TypeError('fetch failed')
    return await globalThis.fetch(to.replace(CARDS_URL, url), request)
  }
  const clock = { nowMs: () => made.nowSec * 1000, after: () => () => {} }
  const client = new RelayClient({ url: STORE, origin: CARDS_URL }, { fetch, clock, random: () => 0.5 })
  const stores = relayStores({
    list: () => [{ url: STORE, hasToken: false, from: 'added' }],
    client: () => Promise.resolve(client),
    token: () => null,
  })
  const opened: CardRelay = { stores, client, calls, isAway: false, setClock: (sec) => (made.nowSec = sec) }
  return opened
}
