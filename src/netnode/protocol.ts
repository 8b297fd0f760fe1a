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
  /** Calls a server over HTTP. The body is that of the request, or the first part of it. */
  | ({ readonly type: 'http.open'; readonly id: number } & CallForm)
  /** The body is a further part of that of the request: at most {@link WINDOW_BYTES}, and one after each report `http.sent`. */
  | { readonly type: 'http.body'; readonly id: number }
  /** The daemon has used so many bytes of the answer: personad-net may send as many more. */
  | { readonly type: 'http.took'; readonly id: number; readonly bytes: number }
  /** Nobody waits for the answer any more. */
  | { readonly type: 'http.cancel'; readonly id: number }

/** The headers of a request that are sent; there are no others beside those that HTTP itself needs. */
export const REQUEST_HEADERS = ['authorization', 'content-type', 'if-none-match', 'range'] as const
/** The headers of an answer that the daemon gets. */
export const ANSWER_HEADERS = ['content-range', 'content-type', 'date', 'etag', 'retry-after'] as const
export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const

export type Headers<Name extends string> = { readonly [Each in Name]?: string }

/** One request, without its body. */
export interface CallForm {
  readonly method: (typeof METHODS)[number]
  /** At most {@link MAX_URL_CHARS}. */
  readonly url: string
  readonly headers: Headers<(typeof REQUEST_HEADERS)[number]>
  /** The length of the whole body of the request. */
  readonly bodyBytes: number
  /** A longer answer breaks off, unless it is a stream of events. Its header says before that how long it is. */
  readonly maxBytes: number
}

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
  /** The body is the whole answer, or empty: then parts and an end follow. */
  | {
      readonly type: 'http.head'
      readonly id: number
      readonly status: number
      readonly headers: Headers<(typeof ANSWER_HEADERS)[number]>
      readonly isWhole: boolean
    }
  /** The body is a part of the answer. */
  | { readonly type: 'http.part'; readonly id: number }
  | { readonly type: 'http.end'; readonly id: number }
  /** The connection has taken the part of the request that came last: the next one may come. */
  | { readonly type: 'http.sent'; readonly id: number }
  /** The order was not carried out, or the answer to a call broke off. `code` is a NetErrorCode. */
  | { readonly type: 'refused'; readonly id: number; readonly code: string; readonly message: string }
  /** The counts since the start, before the answer to each order to the DHT. */
  | { readonly type: 'dht.counters'; readonly counters: DhtCounters }

export const MAX_AT_ONCE = 32 // sanity: what the DHT client carries out at a time (MAX_ORDERS)
export const MAX_VALUES = 64 // sanity: eight nodes answer for a place; only a holder of its key can sign this many

export const MAX_URL_CHARS = 512 // sanity: an address of 255 bytes, and a path below it
export const MAX_REQUEST_HEADER_CHARS = 8192 // sanity: the token of a device has some 700
export const MAX_ANSWER_HEADER_CHARS = 1024 // sanity: an ETag is a hash; a longer header is left out
export const MAX_ANSWER_BYTES = 33_554_432 // sanity: the largest object of a relay has 20 MiB
export const MAX_REQUEST_BYTES: number = MAX_ANSWER_BYTES // sanity: whatever is fetched was left by somebody
export const MAX_CALLS = 64 // sanity: at once; each holds WINDOW_BYTES at most, and a daemon has no more relays
/** How much of an answer may be on its way to the daemon, and of a request on its way from there. */
export const WINDOW_BYTES = 65_536 // sanity: twice what a pipe holds; 64 calls then hold 4 MiB

export const NET_LIMITS: FrameLimits = {
  maxHeadBytes: 32_768, // sanity: 64 values take some 16 KB
  maxBodyBytes: 262_144, // sanity: 64 values take 64 KB; the rest is for other carriers
}
