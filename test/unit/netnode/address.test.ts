import { describe, expect, test } from 'vitest'
import { PrivateHosts } from '../../../src/core/encoding/private-hosts.ts'
import { isRoutable, maySendTo } from '../../../src/netnode/address.ts'

/** The last address before a range, its first and last, and the first address after it. */
const IPV4_RANGES: readonly (readonly [
  name: string,
  before: string | null,
  first: string,
  last: string,
  after: string | null,
])[] = [
  ['this network', null, '0.0.0.0', '0.255.255.255', '1.0.0.0'],
  ['private 10/8', '9.255.255.255', '10.0.0.0', '10.255.255.255', '11.0.0.0'],
  ['CGNAT', '100.63.255.255', '100.64.0.0', '100.127.255.255', '100.128.0.0'],
  ['loopback', '126.255.255.255', '127.0.0.0', '127.255.255.255', '128.0.0.0'],
  ['link-local', '169.253.255.255', '169.254.0.0', '169.254.255.255', '169.255.0.0'],
  ['private 172.16/12', '172.15.255.255', '172.16.0.0', '172.31.255.255', '172.32.0.0'],
  ['protocol assignments', '191.255.255.255', '192.0.0.0', '192.0.0.255', '192.0.1.0'],
  ['documentation 1', '192.0.1.255', '192.0.2.0', '192.0.2.255', '192.0.3.0'],
  ['6to4 relays', '192.88.98.255', '192.88.99.0', '192.88.99.255', '192.88.100.0'],
  ['private 192.168/16', '192.167.255.255', '192.168.0.0', '192.168.255.255', '192.169.0.0'],
  ['benchmarks', '198.17.255.255', '198.18.0.0', '198.19.255.255', '198.20.0.0'],
  ['documentation 2', '198.51.99.255', '198.51.100.0', '198.51.100.255', '198.51.101.0'],
  ['documentation 3', '203.0.112.255', '203.0.113.0', '203.0.113.255', '203.0.114.0'],
  ['multicast and reserved', '223.255.255.255', '224.0.0.0', '255.255.255.255', null],
]

const F = 'ffff:ffff:ffff:ffff:ffff:ffff'
const IPV6_RANGES: typeof IPV4_RANGES = [
  ['everything below 2000::', null, '::', `1fff:ffff:${F}`, '2000::'],
  ['protocol assignments and Teredo', `2000:ffff:${F}`, '2001::', `2001:1ff:${F}`, '2001:200::'],
  ['documentation 1', `2001:db7:${F}`, '2001:db8::', `2001:db8:${F}`, '2001:db9::'],
  ['6to4', `2001:ffff:${F}`, '2002::', `2002:ffff:${F}`, '2003::'],
  ['documentation 2', `3ffe:ffff:${F}`, '3fff::', `3fff:fff:${F}`, '3fff:1000::'],
  ['everything above 3fff::', `3fff:ffff:${F}`, '4000::', `ffff:ffff:${F}`, null],
]

describe('an address is routable', () => {
  test.each([...IPV4_RANGES, ...IPV6_RANGES])(
    'up to the range "%s" and after it, and not within',
    (_name, before, first, last, after) => {
      const verdicts = [before, first, last, after].map((address) => (address === null ? null : isRoutable(address)))
      expect(verdicts).toEqual([before && true, false, false, after && true])
    },
  )

  test.each([
    ['mapped', '::ffff:8.8.8.8'],
    ['mapped, in hex', '::ffff:808:808'],
    ['compatible', '::8.8.8.8'],
    ['translated by NAT64', '64:ff9b::8.8.8.8'],
    ['translated by a local NAT64', '64:ff9b:1::808:808'],
    ['of 6to4', '2002:808:808::1'],
    ['unique local', 'fd00::1'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['global with a zone', '2a00::1%eth0'],
    ['loopback', '::1'],
    ['multicast', 'ff02::1'],
  ])('in no %s form', (_name, address) => {
    expect(isRoutable(address)).toBe(false)
  })

  test.each([
    '127.1',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '8.8.8',
    '8.8.8.8 ',
    ' 8.8.8.8',
    '',
    'localhost',
    'example.org',
    '[2a00::1]',
    '8.8.8.8:53',
  ])('only as a plain numeric address, and %j is none', (text) => {
    expect(isRoutable(text)).toBe(false)
  })

  test.each(['8.8.8.8', '2a00:1450:4001::200e', '2A00::1'])('when it is one of the internet: %s', (address) => {
    expect(isRoutable(address)).toBe(true)
  })
})

describe('personad-net may send', () => {
  test('to a private address that the owner named, and to no other', () => {
    const named = new PrivateHosts(['127.0.0.1:8787'])
    expect(maySendTo({ host: '127.0.0.1', port: 8787 }, named)).toBe(true)
    expect(maySendTo({ host: '127.0.0.1', port: 8788 }, named)).toBe(false)
    expect(maySendTo({ host: '127.0.0.2', port: 8787 }, named)).toBe(false)
    expect(maySendTo({ host: '8.8.8.8', port: 8788 }, named)).toBe(true)
  })

  test('to the private address of a host that the owner named', () => {
    const named = new PrivateHosts(['nas.example:8787'])
    const to = { host: '192.168.1.2', port: 8787 }
    expect(maySendTo(to, named, 'nas.example')).toBe(true)
    expect(maySendTo({ ...to, port: 8788 }, named, 'nas.example')).toBe(false)
    expect(maySendTo(to, named, 'evil.example')).toBe(false)
    expect(maySendTo(to, named)).toBe(false)
  })
})
