import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ORDER_READER } from '../../../src/netnode/orders.ts'
import { NET_PROTOCOL } from '../../../src/netnode/schema.ts'

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((raw) => Buffer.from(raw).toString('hex').toUpperCase())
const port = fc.constantFrom<unknown>(0, 1, 65_535, 65_536, 1.5, '1')
const host = fc.constantFrom<unknown>('', 'a', 'a\nb', 'a'.repeat(253), 'a'.repeat(254), 7)
const privateHost = fc.constantFrom<unknown>('', 'a', 'a'.repeat(259), 'a'.repeat(260), 7)
const hostPort = fc.oneof(fc.record({ host, port }), fc.constant<unknown>(null))
const id = fc.constantFrom<unknown>(0, 1, -1, 2 ** 53 - 1, 2 ** 53, '1')
const place = {
  publicKey: fc.oneof(
    hex(32),
    hex(31),
    hex(32).map((text) => text.toLowerCase()),
    hex(32).map((text) => `${text}\n`),
  ),
  salt: fc.oneof(hex(0), hex(1), hex(64), hex(65), fc.constantFrom('A', 'GG')),
}
const value = {
  seq: fc.constantFrom('0', '1', '01', '-1', '', '9223372036854775807', '12345678901234567890', '1\n', '1e3'),
  signature: fc.oneof(hex(64), hex(63)),
}

/** Orders at the limits of their fields, some of them beyond, some with a key too many or too few. */
const nearOrders = fc
  .oneof(
    fc.record({
      type: fc.constant('configure'),
      bootstrap: fc.oneof(
        fc.array(hostPort, { maxLength: 3 }),
        fc.constantFrom(...[64, 65].map((length) => Array.from({ length }, () => ({ host: 'a', port: 1 })))),
      ),
      proxy: hostPort,
      private: fc.oneof(
        fc.array(privateHost, { maxLength: 3 }),
        fc.constantFrom(...[64, 65].map((length) => Array.from({ length }, () => 'a'))),
      ),
      ca: fc.constantFrom<unknown>(null, '', 'a', 'a'.repeat(16_384), 'a'.repeat(16_385), 7),
    }),
    fc.record({ type: fc.constant('limits'), atOnce: fc.constantFrom<unknown>(0, 1, 32, 33, null) }),
    fc.record({ type: fc.constantFrom('dht.get', 'dht.gets'), id, ...place }),
    fc.record({ type: fc.constantFrom('dht.put', 'dht.get'), id, ...place, ...value }),
    fc.record({
      type: fc.constantFrom('http.open', 'http.body'),
      id,
      method: fc.constantFrom<unknown>('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'get', null),
      url: fc.constantFrom<unknown>('', 'https://a/', 'a b', 'a\n', 'ä', 'a'.repeat(512), 'a'.repeat(513), 7),
      headers: fc.oneof(
        fc.dictionary(
          fc.constantFrom('content-type', 'authorization', 'if-none-match', 'range', 'cookie', 'Authorization'),
          fc.constantFrom<unknown>('', 'a b', 'a\r\nb', 'ä', 'a'.repeat(8192), 'a'.repeat(8193), null),
          { maxKeys: 2 },
        ),
        fc.constant<unknown>([]),
      ),
      bodyBytes: fc.constantFrom<unknown>(-1, 0, 33_554_432, 33_554_433, 1.5, '1'),
      maxBytes: fc.constantFrom<unknown>(-1, 0, 33_554_432, 33_554_433, 1.5, '1'),
    }),
    fc.record({ type: fc.constantFrom('http.took', 'http.cancel'), id, bytes: fc.constantFrom(0, 1, 65_536, 65_537) }),
    fc.record({ type: fc.constantFrom('http.cancel', 'http.body'), id }),
  )
  .chain((order) =>
    fc.constantFrom<unknown>(
      order,
      order,
      order,
      { ...order, more: 1 },
      { type: order.type },
      [order],
      null,
      'configure',
    ),
  )
  .chain((order) =>
    fc.constantFrom(
      order,
      JSON.parse(JSON.stringify(order).replace('{', '{"__proto__":{"x":1},')) as unknown,
      order,
      order,
    ),
  )

test('personad-net takes exactly the orders that the schema of the daemon takes', () => {
  const verdicts = { taken: 0, refused: 0 }
  fc.assert(
    fc.property(nearOrders, (order) => {
      const wanted = NET_PROTOCOL.orders.safeParse(order)
      const got = ORDER_READER.safeParse(order)
      verdicts[got.success ? 'taken' : 'refused']++
      expect(got.success).toBe(wanted.success)
      if (got.success && wanted.success) expect(got.data).toEqual(wanted.data)
    }),
    { numRuns: 5000 },
  )
  expect(verdicts.taken).toBeGreaterThan(100)
  expect(verdicts.refused).toBeGreaterThan(100)
})
