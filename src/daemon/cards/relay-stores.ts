/** Stores of cards at relays (docs/relay.md, "Cards"). Nothing of it is loaded before the first call. */
import { systemClock } from '../../process/pulse.ts'
import type { Relays } from '../relays/relays.ts'
import { HeldCards, type HeldCardsOptions } from './held-cards.ts'
import type { CardStores } from './stores.ts'

export function relayStores(relays: Pick<Relays, 'list' | 'client' | 'token'>): CardStores {
  return {
    // The card of a peer takes nobody to the network who uses no relay.
    isInUse: () => relays.list().length > 0,
    get: async (url, at) => {
      const [client, { getCard }] = await Promise.all([relays.client(url), import('../../relay/cards.ts')])
      return await getCard(client, { at })
    },
    put: async (url, at, card) => {
      const [client, { putCard }] = await Promise.all([relays.client(url), import('../../relay/cards.ts')])
      return await putCard(client, { at }, card, { token: relays.token(url) })
    },
    putOpenly: async (url, place, card, sign) => {
      const [client, { putPublicCard }] = await Promise.all([relays.client(url), import('../../relay/cards.ts')])
      return await putPublicCard(client, place, card, sign)
    },
  }
}

/** The cards of a daemon: by the clock of the system, and with stores at relays. */
export function openCards({
  relays,
  ...means
}: Omit<HeldCardsOptions, 'stores' | 'clock'> & { readonly relays: Relays }): HeldCards {
  return new HeldCards({ ...means, stores: relayStores(relays), clock: systemClock })
}
