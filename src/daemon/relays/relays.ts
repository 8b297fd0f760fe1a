/** The relays of the owner, and clients of any relay, as wings see them (docs/relay.md). */
import type { RelayClient } from '../../relay/client.ts'
import type { ObjectFetch, RelayClock } from '../../relay/means.ts'

/** A relay where this end receives. */
export interface OwnRelay {
  /** With a slash at its end. */
  readonly url: string
  /** The operator gave the owner a token, so that others get a right to send. */
  readonly hasToken: boolean
  /** By net.relays of the configuration, or by `relay.add`. */
  readonly from: 'configuration' | 'added'
}

export interface Relays {
  /** The relays of the owner, those of the configuration first. */
  list(): OwnRelay[]
  /** Loads the code of clients. It starts nothing. */
  clients(): Promise<RelayClients>
  /**
   * A client of the relay at this address, the owner's or that of a peer. There is one for each address. Its calls go through personad-net, which
   * starts at the first one; nothing of it is loaded before.
   * @throws {RelayError} RELAY_URL if the rules of addresses forbid it
   */
  client(url: string): Promise<RelayClient>
  /**
   * The token of the own relay at this address, for sendRight(); null where it has none.
   * @throws {CustodyError} APPS_LOCKED
   */
  token(url: string): string | null
  /** Calls a function after the owner has added a relay, or has given another token for it. @returns a function that ends it */
  onAdded(run: (url: string) => void): () => void
}

export interface RelayClients {
  /** The client of one relay, the same at each call. @throws {RelayError} RELAY_URL */
  of(url: string): RelayClient
  /** The way of all clients, for calls with bodies in parts. It throws a NetError. */
  readonly fetch: ObjectFetch
  /** The clock of all clients: wall time. */
  readonly clock: RelayClock
}
