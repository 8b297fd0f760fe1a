/**
 * Checks orders in personad-net, as the schema of the daemon does (schema.ts), by hand: zod would take 17 MB, a quarter of
 * the program. A test compares the two.
 */
import { MAX_SALT_BYTES } from '../core/announce/signed-value.ts'
import {
  list,
  message,
  object,
  oneOf,
  orNull,
  partial,
  readerOf,
  text,
  whole,
  type Check,
  type Fields,
} from '../process/order-checks.ts'
import type { Schema } from '../process/protocol.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_AT_ONCE,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_HEADER_CHARS,
  MAX_URL_CHARS,
  METHODS,
  REQUEST_HEADERS,
  WINDOW_BYTES,
  type Order,
} from './protocol.ts'
import { MAX_BOOTSTRAP_NODES, MAX_CA_CHARS, MAX_HOST_CHARS, MAX_PRIVATE_CHARS, MAX_PRIVATE_HOSTS } from './settings.ts'

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
const ORDERS: { readonly [Type in Order['type']]: Check } = {
  configure: message('configure', {
    bootstrap: list(hostPort, MAX_BOOTSTRAP_NODES),
    proxy: orNull(hostPort),
    private: list(text(new RegExp(`^[^]{1,${MAX_PRIVATE_CHARS}}$`)), MAX_PRIVATE_HOSTS),
    ca: orNull(certificates),
  }),
  limits: message('limits', { atOnce: whole(1, MAX_AT_ONCE) }),
  'dht.get': message('dht.get', { id, ...place }),
  'dht.put': message('dht.put', { id, ...place, ...value }),
  'http.open': message('http.open', {
    id,
    method: oneOf(METHODS),
    url: text(new RegExp(String.raw`^[\x21-\x7e]{1,${MAX_URL_CHARS}}$`)),
    headers: partial(Object.fromEntries(REQUEST_HEADERS.map((name) => [name, header]))),
    bodyBytes: whole(0, MAX_REQUEST_BYTES),
    maxBytes: whole(0, MAX_ANSWER_BYTES),
  }),
  'http.body': message('http.body', { id }),
  'http.took': message('http.took', { id, bytes: whole(1, WINDOW_BYTES) }),
  'http.cancel': message('http.cancel', { id }),
}

export const ORDER_READER: Schema<Order> = readerOf(ORDERS)
