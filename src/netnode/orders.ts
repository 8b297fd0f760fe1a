/**
 * Checks orders in personad-net, as the schema of the daemon does (schema.ts), by hand: zod would take 17 MB, a quarter of
 * the program. A test compares the two.
 */
import { MAX_SALT_BYTES } from '../core/announce/signed-value.ts'
import type { Schema } from '../process/protocol.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_AT_ONCE,
  MAX_REQUEST_HEADER_CHARS,
  MAX_URL_CHARS,
  METHODS,
  REQUEST_HEADERS,
  WINDOW_BYTES,
  type Order,
} from './protocol.ts'
import { MAX_BOOTSTRAP_NODES, MAX_CA_CHARS, MAX_HOST_CHARS, MAX_PRIVATE_HOSTS } from './settings.ts'

type Check = (value: unknown) => boolean
type Fields = Readonly<Record<string, Check>>

const text =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)

const whole =
  (min: number, max: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max

const list =
  (check: Check, most: number): Check =>
  (value) =>
    Array.isArray(value) && value.length <= most && value.every(check)

/** An object with these keys and no others. */
const partial =
  (fields: Fields): Check =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, field]) => Object.hasOwn(fields, name) && fields[name]!(field))

/** An object with exactly these keys. */
const object = (fields: Fields): Check => {
  const [isPart, count] = [partial(fields), Object.keys(fields).length]
  return (value) => isPart(value) && Object.keys(value as object).length === count
}

const oneOf =
  (words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string)

const host = text(new RegExp(`^[^]{1,${MAX_HOST_CHARS}}$`))
const hostPort = object({ host, port: whole(1, 65_535) })
const certificates = text(new RegExp(`^[^]{1,${MAX_CA_CHARS}}$`))
const header = text(new RegExp(String.raw`^[\x20-\x7e]{0,${MAX_REQUEST_HEADER_CHARS}}$`))
const id = whole(1, Number.MAX_SAFE_INTEGER)
const place: Fields = {
  publicKey: text(/^[0-9A-F]{64}$/),
  salt: text(new RegExp(`^(?:[0-9A-F]{2}){0,${MAX_SALT_BYTES}}$`)),
}
const value: Fields = { seq: text(/^(?:0|[1-9]\d{0,18})$/), signature: text(/^[0-9A-F]{128}$/) }
const type =
  (name: Order['type']): Check =>
  (value) =>
    value === name

const ORDERS: { readonly [Type in Order['type']]: Check } = {
  configure: object({
    type: type('configure'),
    bootstrap: list(hostPort, MAX_BOOTSTRAP_NODES),
    proxy: (proxy) => proxy === null || hostPort(proxy),
    private: list(host, MAX_PRIVATE_HOSTS),
    ca: (ca) => ca === null || certificates(ca),
  }),
  limits: object({ type: type('limits'), atOnce: whole(1, MAX_AT_ONCE) }),
  'dht.get': object({ type: type('dht.get'), id, ...place }),
  'dht.put': object({ type: type('dht.put'), id, ...place, ...value }),
  'http.open': object({
    type: type('http.open'),
    id,
    method: oneOf(METHODS),
    url: text(new RegExp(String.raw`^[\x21-\x7e]{1,${MAX_URL_CHARS}}$`)),
    headers: partial(Object.fromEntries(REQUEST_HEADERS.map((name) => [name, header]))),
    maxBytes: whole(0, MAX_ANSWER_BYTES),
  }),
  'http.took': object({ type: type('http.took'), id, bytes: whole(1, WINDOW_BYTES) }),
  'http.cancel': object({ type: type('http.cancel'), id }),
}

export const ORDER_READER: Schema<Order> = {
  safeParse: (order) =>
    Object.values(ORDERS).some((check) => check(order)) ? { success: true, data: order as Order } : { success: false },
}
