/** The schemas of the messages between the daemon and personad-net, for the daemon. personad-net has its own reader of orders. */
import * as z from '../schema/zod.ts'
import { MAX_SALT_BYTES } from '../core/announce/signed-value.ts'
import { newCounters, type DhtCounters } from '../dht/counters.ts'
import { BEAT, FAILED } from '../process/common-reports.ts'
import type { Protocol } from '../process/protocol.ts'
import {
  ANSWER_HEADERS,
  MAX_ANSWER_BYTES,
  MAX_ANSWER_HEADER_CHARS,
  MAX_AT_ONCE,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_HEADER_CHARS,
  MAX_URL_CHARS,
  MAX_VALUES,
  METHODS,
  NET_LIMITS,
  REQUEST_HEADERS,
  WINDOW_BYTES,
  type Headers,
  type Order,
  type Report,
} from './protocol.ts'
import { MAX_BOOTSTRAP_NODES, MAX_CA_CHARS, MAX_HOST_CHARS, MAX_PRIVATE_CHARS, MAX_PRIVATE_HOSTS } from './settings.ts'

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

function headers<Name extends string>(names: readonly Name[], value: z.ZodType<string>): z.ZodType<Headers<Name>> {
  const shape = Object.fromEntries(names.map((name) => [name, value.exactOptional()]))
  return z.strictObject(shape) as z.ZodType as z.ZodType<Headers<Name>>
}

const requestHeader = z.string().regex(new RegExp(String.raw`^[\x20-\x7e]{0,${MAX_REQUEST_HEADER_CHARS}}$`))

const order: z.ZodType<Order> = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('configure'),
    bootstrap: z.array(hostPort).max(MAX_BOOTSTRAP_NODES),
    proxy: hostPort.nullable(),
    private: z.array(z.string().min(1).max(MAX_PRIVATE_CHARS)).max(MAX_PRIVATE_HOSTS),
    ca: z.string().min(1).max(MAX_CA_CHARS).nullable(),
  }),
  z.strictObject({ type: z.literal('limits'), atOnce: z.int().min(1).max(MAX_AT_ONCE) }),
  z.strictObject({ type: z.literal('dht.get'), id, ...place }),
  z.strictObject({ type: z.literal('dht.put'), id, ...place, ...value }),
  z.strictObject({
    type: z.literal('http.open'),
    id,
    method: z.enum(METHODS),
    url: z.string().regex(new RegExp(String.raw`^[\x21-\x7e]{1,${MAX_URL_CHARS}}$`)),
    headers: headers(REQUEST_HEADERS, requestHeader),
    bodyBytes: z.int().min(0).max(MAX_REQUEST_BYTES),
    maxBytes: z.int().min(0).max(MAX_ANSWER_BYTES),
  }),
  z.strictObject({ type: z.literal('http.body'), id }),
  z.strictObject({ type: z.literal('http.took'), id, bytes: z.int().min(1).max(WINDOW_BYTES) }),
  z.strictObject({ type: z.literal('http.cancel'), id }),
])

const report: z.ZodType<Report> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready') }),
  FAILED,
  BEAT,
  z.strictObject({ type: z.literal('dht.got'), id, values, ...effort }),
  z.strictObject({ type: z.literal('dht.stored'), id, values, nodesTook: count, nodesHold: count, ...effort }),
  z.strictObject({ type: z.literal('refused'), id, code: z.string().max(64), message: z.string().max(512) }),
  z.strictObject({ type: z.literal('dht.counters'), counters }),
  z.strictObject({
    type: z.literal('http.head'),
    id,
    status: z.int().min(100).max(999),
    headers: headers(ANSWER_HEADERS, z.string().max(MAX_ANSWER_HEADER_CHARS)),
    isWhole: z.boolean(),
  }),
  z.strictObject({ type: z.literal('http.part'), id }),
  z.strictObject({ type: z.literal('http.end'), id }),
  z.strictObject({ type: z.literal('http.sent'), id }),
])

export const NET_PROTOCOL: Protocol<Order, Report> = { orders: order, reports: report, limits: NET_LIMITS }
