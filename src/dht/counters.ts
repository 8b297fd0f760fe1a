/** Counts of everything that the DHT client sent, received and refused. */

export interface DhtCounters {
  readonly sentPackets: number
  readonly sentBytes: number
  readonly receivedPackets: number
  readonly receivedBytes: number
  /** Packets from an address that was not asked. Not read. */
  readonly fromStrangers: number
  /** Packets from an asked address, too large or cut short. */
  readonly truncated: number
  /** Packets from an asked address that are no message. */
  readonly malformed: number
  /** Answers that answer no query of ours to this address: late, guessed, or the answer of another node. */
  readonly unmatched: number
  /** Answers with a value of another key, or with a bad signature. */
  readonly lying: number
  /** Queries from other nodes. A read-only client answers none. */
  readonly queries: number
  /** Nodes with an address that may not be contacted. */
  readonly refusedHosts: number
  /** Error messages in place of an answer. */
  readonly errors: number
  /** Queries without an answer. */
  readonly timeouts: number
}

export type Counters = { -readonly [Name in keyof DhtCounters]: number }

export function newCounters(): Counters {
  return {
    sentPackets: 0,
    sentBytes: 0,
    receivedPackets: 0,
    receivedBytes: 0,
    fromStrangers: 0,
    truncated: 0,
    malformed: 0,
    unmatched: 0,
    lying: 0,
    queries: 0,
    refusedHosts: 0,
    errors: 0,
    timeouts: 0,
  }
}
