/** A relay's cards over HTTP, and the daemon's way to them. */
import { relayStores } from '../../src/daemon/cards/relay-stores.ts'
import type { CardStores } from '../../src/daemon/cards/stores.ts'
import { RelayClient } from '../../src/relay/client.ts'
import type { RelayFetch } from '../../src/relay/means.ts'
import { OWN_LAPTOP, type TestKeeper } from './keeper.ts'
import { CHAT, cardsOn, type TestCards } from './people-cards.ts'
import { CARDS_URL, testCards } from './relay-cards.ts'
import { serveBoxes } from './relay-http.ts'
import { hears, siblings } from './rotation.ts'
import { TestBoxes } from './test-boxes.ts'

const HOUR_MS = 3_600_000
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

/** The rounds of the cards, and all that they call. */
export async function rounds({ clock, cards }: TestCards, hours = 1): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    await clock.advance(HOUR_MS)
    await cards.idle()
  }
}

/** Shows the persona in the app, with its card at the store. */
export async function withStore(test: TestKeeper, made: CardRelay): Promise<TestCards> {
  const opened = await cardsOn(test, made.stores)
  await opened.cards.identity(CHAT)
  await opened.cards.mine.setStores(CHAT, [STORE])
  await opened.cards.idle()
  return opened
}

/** Two devices of one persona that never met, after each has been at the store. */
export async function twoAtOneStore(): Promise<{
  readonly laptop: TestKeeper
  readonly phone: TestKeeper
  readonly words: string
  readonly one: TestCards
  readonly two: TestCards
  readonly made: CardRelay
}> {
  const { laptop, phone, words } = await siblings()
  const made = await cardRelay(laptop.nowSec + 1000)
  const one = await withStore(laptop, made)
  await hears(phone, OWN_LAPTOP, laptop)
  const two = await withStore(phone, made)
  // The hashes decide which first card counts: the other one comes after it.
  for (const device of [one, two, one]) await rounds(device)
  return { laptop, phone, words, one, two, made }
}
