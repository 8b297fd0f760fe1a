/**
 * Checks orders in personad-net, as the schema of the daemon does (schema.ts), by hand: zod would take 17 MB, a quarter of
 * the program. A test compares the two.
 */
import { MAX_SALT_BYTES } from '../core/announce/signed-value.ts'
import type { Schema } from '../process/protocol.ts'
import { MAX_AT_ONCE, type Order } from './protocol.ts'
import { MAX_BOOTSTRAP_NODES, MAX_HOST_CHARS, MAX_PRIVATE_HOSTS } from './settings.ts'

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

/** An object with exactly these keys. */
const object =
  (fields: Fields): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const keys = Object.keys(value)
    const names = Object.keys(fields)
    return (
      keys.length === names.length &&
      names.every((name) => Object.hasOwn(value, name) && fields[name]!((value as Record<string, unknown>)[name]))
    )
  }

const host = text(new RegExp(`^[^]{1,${MAX_HOST_CHARS}}$`))
const hostPort = object({ host, port: whole(1, 65_535) })
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
  }),
  limits: object({ type: type('limits'), atOnce: whole(1, MAX_AT_ONCE) }),
  'dht.get': object({ type: type('dht.get'), id, ...place }),
  'dht.put': object({ type: type('dht.put'), id, ...place, ...value }),
}

export const ORDER_READER: Schema<Order> = {
  safeParse: (order) =>
    Object.values(ORDERS).some((check) => check(order)) ? { success: true, data: order as Order } : { success: false },
}
