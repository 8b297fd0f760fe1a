import { expect, test } from 'vitest'
import { Callers, isNetwork } from '../../../../src/relayd/http/callers.ts'

const DAY_MS = 86_400_000

function callers(trustProxy: readonly string[] = [], nowMs: () => number = () => 0): Callers {
  let made = 0
  return new Callers({ trustProxy, nowMs, keyOfDay: () => new Uint8Array(32).fill(++made) })
}

test('a name holds no address, and is the same for each request of a day', () => {
  const all = callers()
  const name = all.nameOf('192.0.2.7')
  expect(name).toMatch(/^[\w-]{16}$/)
  expect(all.nameOf('192.0.2.7')).toBe(name)
  expect(all.nameOf('192.0.2.8')).not.toBe(name)
})

test('the next day has another key, and so another name for the same address', () => {
  let nowMs = DAY_MS - 1
  const all = callers([], () => nowMs)
  const today = all.nameOf('192.0.2.7')
  nowMs++
  expect(all.nameOf('192.0.2.7')).not.toBe(today)
})

test('two relays name the same address differently', () => {
  const made = [1, 2].map(() => new Callers({ trustProxy: [], nowMs: () => 0 }).nameOf('192.0.2.7'))
  expect(made[0]).not.toBe(made[1])
})

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['2001:db8::1', '2001:0db8:0000:0000::2'],
  ['::1', '::2'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ['fe80::1%eth0', 'fe80::2'],
])('%s and %s are one caller: they share the first 64 bits', (a, b) => {
  const all = callers()
  expect(all.nameOf(a)).toBe(all.nameOf(b))
})

test.each([
  ['2001:db8:1:2::1', '2001:db8:1:3::1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.2'],
])('%s and %s are two callers', (a, b) => {
  const all = callers()
  expect(all.nameOf(a)).not.toBe(all.nameOf(b))
})

test('an address of IPv4 that IPv6 wraps is the same caller', () => {
  const all = callers()
  expect(all.nameOf('::ffff:192.0.2.1')).toBe(all.nameOf('192.0.2.1'))
})

test('X-Forwarded-For counts only from a proxy that is trusted', () => {
  const all = callers(['10.0.0.0/8', '::1'])
  const client = all.nameOf('192.0.2.7')
  expect(all.nameOf('10.1.2.3', '192.0.2.7')).toBe(client)
  expect(all.nameOf('::1', '192.0.2.7')).toBe(client)
  expect(all.nameOf('::ffff:10.1.2.3', '192.0.2.7')).toBe(client)
  expect(all.nameOf('11.1.2.3', '192.0.2.7')).toBe(all.nameOf('11.1.2.3'))
})

test('a proxy that spoke for itself before still speaks for others', () => {
  const all = callers(['10.0.0.0/8'])
  const own = all.nameOf('10.1.2.3')
  const client = all.nameOf('10.1.2.3', '192.0.2.7')
  expect(client).not.toBe(own)
  expect(client).toBe(all.nameOf('192.0.2.7'))
  expect(all.nameOf('10.1.2.3')).toBe(own)
})

test('a client cannot choose its name by a header that the proxy passes on', () => {
  const all = callers(['10.0.0.1', '10.0.0.2'])
  const client = all.nameOf('192.0.2.7')
  expect(all.nameOf('10.0.0.1', '198.51.100.1, 192.0.2.7')).toBe(client)
  expect(all.nameOf('10.0.0.1', '198.51.100.1, 192.0.2.7, 10.0.0.2')).toBe(client)
  expect(all.nameOf('10.0.0.1', '10.0.0.2, 192.0.2.7')).toBe(client)
  expect(all.nameOf('10.0.0.1', `${'10.0.0.2, '.repeat(5000)}192.0.2.7`)).toBe(client)
})

test('a header without an address leaves the name of the proxy', () => {
  const all = callers(['10.0.0.1'])
  for (const header of ['', 'unknown', '999.1.1.1', ', ,', '192.0.2.7 198.51.100.1'])
    expect(all.nameOf('10.0.0.1', header)).toBe(all.nameOf('10.0.0.1'))
})

test.each([
  ['127.0.0.1', true],
  ['10.0.0.0/8', true],
  ['::1', true],
  ['2001:db8::/32', true],
  ['0.0.0.0/0', true],
  ['10.0.0.0/33', false],
  ['::/129', false],
  ['10.0.0.0/', false],
  ['10.0.0.0/8/8', false],
  ['localhost', false],
  ['', false],
])('%s as a network is %s', (text, is) => {
  expect(isNetwork(text)).toBe(is)
})
