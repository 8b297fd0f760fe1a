/** The messages between the daemon and personad-net (process/protocol.ts). Every order with an `id` gets one answer with the same `id`. */
import { z } from 'zod'
import { MAX_SALT_BYTES } from '../core/announce/signed-value.ts'
import { newCounters, type DhtCounters } from '../dht/counters.ts'
import { BEAT, FAILED, type CommonReport, type Protocol } from '../process/protocol.ts'
import { MAX_BOOTSTRAP_NODES, MAX_HOST_CHARS, MAX_PRIVATE_HOSTS, type NetSettings } from './settings.ts'

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

/** What an order to the DHT took (dht/order.ts). */
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
const MAX_COUNT = Number.MAX_SAFE_INTEGER

const host = z.string().min(1).max(MAX_HOST_CHARS)
const port = z.int().min(1).max(65_535)
const hostPort = z.strictObject({ host, port })
const id = z.int().min(1)
const count = z.int().min(0).max(MAX_COUNT)
const hex = (bytes: number): z.ZodString => z.string().regex(new RegExp(`^[0-9A-F]{${bytes * 2}}$`))
const place = {
  publicKey: hex(32),
  salt: z.string().regex(new RegExp(`^(?:[0-9A-F]{2}){0,${MAX_SALT_BYTES}}$`)),
}
const value = { seq: z.string().regex(/^(?:0|[1-9]\d{0,18})$/), signature: hex(64) }
const effort = {
  nodesAsked: count,
  nodesAnswered: count,
  sentBytes: count,
  receivedBytes: count,
  tookMs: z.number().min(0),
}
const values = z.array(z.strictObject({ ...value, nodes: count, bytes: count.max(1000) })).max(MAX_VALUES)
const counterNames = Object.keys(newCounters()) as (keyof DhtCounters)[]
const counters = z.strictObject(
  Object.fromEntries(counterNames.map((name) => [name, count])) as Record<keyof DhtCounters, z.ZodInt>,
)

const order: z.ZodType<Order> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('configure'),
    bootstrap: z.array(hostPort).max(MAX_BOOTSTRAP_NODES),
    proxy: hostPort.nullable(),
    private: z.array(host).max(MAX_PRIVATE_HOSTS),
  }),
  z.strictObject({ type: z.literal('limits'), atOnce: z.int().min(1).max(MAX_AT_ONCE) }),
  z.strictObject({ type: z.literal('dht.get'), id, ...place }),
  z.strictObject({ type: z.literal('dht.put'), id, ...place, ...value }),
])

const report: z.ZodType<Report> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  FAILED,
  BEAT,
  z.strictObject({ type: z.literal('dht.got'), id, values, ...effort }),
  z.strictObject({ type: z.literal('dht.stored'), id, values, nodesTook: count, nodesHold: count, ...effort }),
  z.strictObject({ type: z.literal('refused'), id, code: z.string().max(64), message: z.string().max(512) }),
  z.strictObject({ type: z.literal('dht.counters'), counters }),
])

export const NET_PROTOCOL: Protocol<Order, Report> = {
  orders: order,
  reports: report,
  // sanity: 64 values take some 16 KB in the head and 64 KB in the body; the rest of the body is for other carriers
  limits: { maxHeadBytes: 32_768, maxBodyBytes: 262_144 },
}
