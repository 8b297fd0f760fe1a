/** Which addresses are called, against a second formulation: numbers and the ranges of IANA's two registries, instead of prefixes. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRoutable } from '../../../src/netnode/address.ts'

type Span = readonly [first: bigint, last: bigint]

const span = (first: string, last: string): Span => [numberOf(first), numberOf(last)]

/** "Globally reachable: false" in the special-purpose registry of IPv4, multicast, and addresses that only relays of 6to4 have. */
const CLOSED_IPV4 = [
  span('0.0.0.0', '0.255.255.255'),
  span('10.0.0.0', '10.255.255.255'),
  span('100.64.0.0', '100.127.255.255'),
  span('127.0.0.0', '127.255.255.255'),
  span('169.254.0.0', '169.254.255.255'),
  span('172.16.0.0', '172.31.255.255'),
  span('192.0.0.0', '192.0.0.255'),
  span('192.0.2.0', '192.0.2.255'),
  span('192.88.99.0', '192.88.99.255'),
  span('192.168.0.0', '192.168.255.255'),
  span('198.18.0.0', '198.19.255.255'),
  span('198.51.100.0', '198.51.100.255'),
  span('203.0.113.0', '203.0.113.255'),
  span('224.0.0.0', '255.255.255.255'),
]
/** The addresses between the special ranges of IPv6, within the one range that is given out. */
const OPEN_IPV6 = [
  span('2000::', '2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  span('2001:200::', '2001:db7:ffff:ffff:ffff:ffff:ffff:ffff'),
  span('2001:db9::', '2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  span('2003::', '3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
  span('3fff:1000::', '3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'),
]

function numberOf(text: string): bigint {
  if (!text.includes(':')) return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
  const [head, tail] = text.split('::').map((half) => half.split(':').filter(Boolean)) as [string[], string[]?]
  const groups =
    tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

const within = (spans: readonly Span[], value: bigint): boolean =>
  spans.some(([first, last]) => first <= value && value <= last)

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
}

/** One of the spellings of RFC 4291: with or without zeros, `::`, capitals and an IPv4 part. */
function formatIpv6(value: bigint, { long, capital, short, dotted }: Spelling): string {
  const groups = Array.from({ length: dotted ? 6 : 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  )
  const written = groups.map((group) => (long ? group.padStart(4, '0') : group))
  const begin = groups.indexOf('0')
  if (short && begin >= 0) {
    const after = groups.findIndex((group, i) => i > begin && group !== '0')
    const end = after < 0 ? groups.length : after
    written.splice(begin, end - begin, begin === 0 ? ':' : '', ...(end === groups.length && !dotted ? [''] : []))
  }
  const text = [...written, ...(dotted ? [formatIpv4(value & 0xffffffffn)] : [])].join(':')
  return capital ? text.toUpperCase() : text
}

interface Spelling {
  readonly long: boolean
  readonly capital: boolean
  readonly short: boolean
  readonly dotted: boolean
}
const spelling: fc.Arbitrary<Spelling> = fc.record({
  long: fc.boolean(),
  capital: fc.boolean(),
  short: fc.boolean(),
  dotted: fc.boolean(),
})

/** Any number, and often one at the edge of a range. */
function near(spans: readonly Span[], bits: number): fc.Arbitrary<bigint> {
  const max = (1n << BigInt(bits)) - 1n
  const edges = spans
    .flatMap(([first, last]) => [first - 1n, first, last, last + 1n])
    .filter((n) => n >= 0n && n <= max)
  return fc.oneof(fc.bigInt({ min: 0n, max }), fc.constantFrom(...edges))
}

test('an IPv4 address is called exactly outside of the ranges that are not globally reachable', () => {
  const verdicts = { open: 0, closed: 0 }
  fc.assert(
    fc.property(near(CLOSED_IPV4, 32), (value) => {
      const isOpen = !within(CLOSED_IPV4, value)
      verdicts[isOpen ? 'open' : 'closed']++
      expect(isRoutable(formatIpv4(value))).toBe(isOpen)
    }),
    { numRuns: 5000 },
  )
  expect(Math.min(verdicts.open, verdicts.closed)).toBeGreaterThan(500)
})

test('an IPv6 address is called exactly within the ranges that are, however it is spelled', () => {
  const verdicts = { open: 0, closed: 0 }
  const global = fc.bigInt({ min: numberOf('2000::'), max: numberOf('4000::') })
  fc.assert(
    fc.property(fc.oneof(near(OPEN_IPV6, 128), global), spelling, (value, how) => {
      const isOpen = within(OPEN_IPV6, value)
      verdicts[isOpen ? 'open' : 'closed']++
      expect(isRoutable(formatIpv6(value, how)), formatIpv6(value, how)).toBe(isOpen)
    }),
    { numRuns: 5000 },
  )
  expect(Math.min(verdicts.open, verdicts.closed)).toBeGreaterThan(500)
})

test('an IPv6 address that carries an IPv4 address is never called: mapped, compatible, NAT64, 6to4, Teredo', () => {
  const any = fc.bigInt({ min: 0n, max: 0xffffffffn })
  fc.assert(
    fc.property(any, spelling, (ipv4, how) => {
      const carriers = [
        (0xffffn << 32n) | ipv4,
        ipv4,
        (numberOf('64:ff9b::') & ~0xffffffffn) | ipv4,
        (numberOf('64:ff9b:1::') & ~0xffffffffn) | ipv4,
        numberOf('2002::') | (ipv4 << 80n),
        numberOf('2001::') | (ipv4 << 64n) | (~ipv4 & 0xffffffffn),
      ]
      for (const carrier of carriers) expect(isRoutable(formatIpv6(carrier, how))).toBe(false)
    }),
    { numRuns: 1000 },
  )
})
