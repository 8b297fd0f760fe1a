import { expect, test } from 'vitest'
import { PrivateHosts } from '../../../../src/core/encoding/private-hosts.ts'

test('an entry with a port names that port of that host alone', () => {
  const hosts = new PrivateHosts(['127.0.0.1:8787', '[fd00::1]:22', 'nas.home:81'])
  const named = [
    ['127.0.0.1', 8787],
    ['127.0.0.1', 8786],
    ['127.0.0.1', 80],
    ['fd00::1', 22],
    ['fd00::1', 443],
    ['nas.home', 81],
    ['home', 81],
  ] as const
  expect(named.map(([host, port]) => hosts.has(host, port))).toEqual([true, false, false, true, false, true, false])
})

test.each([
  [22, false],
  [79, false],
  [80, true],
  [81, false],
  [442, false],
  [443, true],
  [444, false],
  [1023, false],
  [1024, true],
  [65_535, true],
])('an entry without a port names port %i: %s', (port, isNamed) => {
  const hosts = new PrivateHosts(['127.0.0.1', 'fd00::1'])
  expect([hosts.has('127.0.0.1', port), hosts.has('fd00::1', port)]).toEqual([isNamed, isNamed])
  expect(hosts.has('127.0.0.2', port)).toBe(false)
})
