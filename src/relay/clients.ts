/** Clients of any relays. Peers name relays too, so there are only so many at a time. */
import { RelayClient } from './client.ts'
import type { RelayMeans } from './means.ts'
import { parseRelayUrl } from './relay-url.ts'

export const MAX_CLIENTS = 256 // sanity: the relays of all peers of a daemon; a client without calls is a few words

/**
 * @param privateHosts as for {@link parseRelayUrl}
 * @returns the client of a relay, the same at each call: the one that was asked for longest ago goes for a new one. It throws a RelayError, RELAY_URL
 */
export function relayClients(means: RelayMeans, privateHosts: readonly string[]): (url: string) => RelayClient {
  const clients = new Map<string, RelayClient>()
  return (text) => {
    const address = parseRelayUrl(text, privateHosts)
    const { url } = address
    const client = clients.get(url) ?? new RelayClient(address, means)
    clients.delete(url)
    clients.set(url, client)
    if (clients.size > MAX_CLIENTS) clients.delete(clients.keys().next().value!)
    return client
  }
}
