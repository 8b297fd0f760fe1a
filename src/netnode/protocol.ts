/** The messages between the daemon and personad-net (process/protocol.ts). Every order with an `id` gets one answer with the same `id`. */
import type { DhtCounters } from '../dht/counters.ts'
import type { FrameLimits } from '../process/frame.ts'
import type { CommonReport } from '../process/protocol.ts'
import type { NetSettings } from './settings.ts'

/** The place of a value on the DHT, as texts. */
export interface PlaceForm {
  /** 64 hex digits */
  readonly publicKey: string
  /** 0..128 hex digits */
  readonly salt: string
}

/** A signed value without its bytes, which travel in the body. */
export interface ValueForm {
  /** A whole number below 2^63, as decimal text: JSON keeps no 64-bit integers. */
  readonly seq: string
  /** 128 hex digits */
  readonly signature: string
}

export type Order =
  /** The first order. A later one replaces the settings, and orders in progress fail. */
  | ({ readonly type: 'configure' } & NetSettings)
  /** At most so many orders to the DHT at a time. The others wait. */
  | { readonly type: 'limits'; readonly atOnce: number }
  | ({ readonly type: 'dht.get'; readonly id: number } & PlaceForm)
  /** The body is the value, bencoded. */
  | ({ readonly type: 'dht.put'; readonly id: number } & PlaceForm & ValueForm)

/** The effort of an order to the DHT (dht/order.ts). */
export interface Effort {
  readonly nodesAsked: number
  readonly nodesAnswered: number
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly tookMs: number
}

/** A value that nodes gave. */
export interface FoundForm extends ValueForm {
  readonly nodes: number
  /** The length of its bytes. They stand in the body, in the order of the list. */
  readonly bytes: number
}

export type Report =
  | CommonReport
  | ({ readonly type: 'dht.got'; readonly id: number; readonly values: readonly FoundForm[] } & Effort)
  | ({
      readonly type: 'dht.stored'
      readonly id: number
      readonly nodesTook: number
      readonly nodesHold: number
      readonly values: readonly FoundForm[]
    } & Effort)
  /** The order was not carried out. `code` is a NetErrorCode. */
  | { readonly type: 'refused'; readonly id: number; readonly code: string; readonly message: string }
  /** The counts since the start, before the answer to each order to the DHT. */
  | { readonly type: 'dht.counters'; readonly counters: DhtCounters }

export const MAX_AT_ONCE = 32 // sanity: what the DHT client carries out at a time (MAX_ORDERS)
export const MAX_VALUES = 64 // sanity: eight nodes answer for a place; only a holder of its key can sign this many

export const NET_LIMITS: FrameLimits = {
  maxHeadBytes: 32_768, // sanity: 64 values take some 16 KB
  maxBodyBytes: 262_144, // sanity: 64 values take 64 KB; the rest is for other carriers
}
