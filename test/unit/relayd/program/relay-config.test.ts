import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatHostPort } from '../../../../src/core/encoding/host-port.ts'
import { keysOf } from '../../../../src/process/config-file.ts'
import { RELAY_LIMITS } from '../../../../src/relay/limits.ts'
import { HTTP_LIMITS } from '../../../../src/relayd/http/http-limits.ts'
import { renderCaddyfile, renderConfig, renderRelayUnit } from '../../../../src/relayd/program/init.ts'
import { httpLimitsOf, relayLimitsOf } from '../../../../src/relayd/program/limits-config.ts'
import {
  parseRelayConfig,
  parseRelayUrl,
  RELAY_SECTIONS,
  restartKeys,
} from '../../../../src/relayd/program/relay-config.ts'
import { costOfObject } from '../../../../src/relayd/store/rules.ts'

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8')
const FILE = read('config/persona-relay.yaml')

test('the shipped file has every key with its default', () => {
  expect(parseRelayConfig(FILE, 'x')).toEqual(parseRelayConfig('', 'x'))
  const keys = [...FILE.matchAll(/^( *)([a-z_]+):(.*)$/gm)].filter(([, , , value]) => value !== '')
  expect(keys).toHaveLength(keysOf(RELAY_SECTIONS).length)
})

test('each key is marked as it reloads', () => {
  for (const { path, reloadable } of keysOf(RELAY_SECTIONS)) {
    const [section, key] = path.includes('.') ? path.split('.') : ['', path]
    const from = section === '' ? FILE : FILE.slice(FILE.indexOf(`\n${section}:`))
    const before = from.slice(0, from.search(new RegExp(`^ *${key}: `, 'm')))
    expect(before.trimEnd().endsWith(reloadable ? '[reload]' : '[restart]'), path).toBe(true)
  }
})

test('without a configuration the limits are the built-in ones', () => {
  const { limits, maxDiskBytes } = parseRelayConfig('', 'x')
  expect(relayLimitsOf(limits, maxDiskBytes)).toEqual(RELAY_LIMITS)
  expect(httpLimitsOf(limits)).toEqual(HTTP_LIMITS)
})

test('without a configuration the objects of one persona take at most a quarter of the disk', () => {
  const { object, maxDiskBytes } = RELAY_LIMITS
  expect(object.maxPersonaBytes * 4).toBeLessThanOrEqual(maxDiskBytes)
  expect(object.maxPersonaBytes).toBeGreaterThan(10 * costOfObject(object.maxObjectBytes))
})

test('a limit of the file is in force', () => {
  const { limits, maxDiskBytes } = parseRelayConfig('disk_max: 2 MiB\nlimits:\n  data_chars: 2048\n  streams: 7\n', 'x')
  expect(relayLimitsOf(limits, maxDiskBytes)).toMatchObject({
    maxDiskBytes: 2 << 20,
    maxDataChars: 2048,
    maxBodyBytes: 6144,
    wait: { maxStreams: 7 },
  })
})

test.each([
  ['listen: 0.0.0.0:443', '0.0.0.0:443'],
  ["listen: '[::]:8787'", '[::]:8787'],
])('%s is an address', (text, address) => {
  expect(formatHostPort(parseRelayConfig(text, 'x').listen)).toBe(address)
})

test.each([
  ['listen: localhost:80', '"listen" must be an address and a port'],
  ['listen: 127.0.0.1', '"listen" must be'],
  ['listen: 127.0.0.1:65536', '"listen" must be'],
  ["listen: '::1:80'", '"listen" must be'],
  ['url: ftp://x', '"url" must be a URL'],
  ['url: https://u:p@relay.example', '"url" must be'],
  ['url: https://relay.example/?a', '"url" must be'],
  ['trust_proxy: [caddy]', 'must be a list of at most 64 addresses'],
  ['trust_proxy: 127.0.0.1', '"trust_proxy" must be a list'],
  ['disk_max: 5', '"disk_max" must be a size'],
  ['disk_max: 1 KiB', '"disk_max" must be'],
  ['metrics: here', '"metrics" must be a path'],
  ['tls: {cert: /a}', '"tls.key" must be set together'],
  ['terms: {url: "javascript:alert(1)"}', '"terms.url" must be'],
  ['limits: {wait_boxes: 257}', '"limits.wait_boxes" must be a whole number from 1 to 256'],
  ['senders: nobody', '"senders" must be one of everybody, token'],
  ['port: 80', 'unknown key "port"'],
])('%s is refused', (text, message) => {
  expect(() => parseRelayConfig(text, 'x')).toThrow(message)
})

test('a URL loses the slash at its end, and is at most 255 characters long', () => {
  expect(parseRelayUrl('https://Relay.example/')).toBe('https://relay.example')
  expect(parseRelayUrl('https://relay.example/a/b//')).toBe('https://relay.example/a/b')
  expect(parseRelayUrl(`https://relay.example/${'a'.repeat(233)}`)).not.toBeNull()
  expect(parseRelayUrl(`https://relay.example/${'a'.repeat(234)}`)).toBeNull()
})

test('a reload names the keys that wait for the next start', () => {
  const [before, now] = [
    'url: https://a.example\noperator: {name: A}',
    'limits: {streams: 5}\noperator: {name: B}',
  ].map((text) => parseRelayConfig(text, 'x'))
  expect(restartKeys(before!, now!)).toEqual(['url', 'limits.streams'])
  expect(restartKeys(now!, now!)).toEqual([])
})

test('init fills in the URL, and trusts the proxy of this machine', () => {
  const made = parseRelayConfig(renderConfig(FILE, 'https://relay.example/a'), 'x')
  expect(made).toEqual({
    ...parseRelayConfig('', 'x'),
    url: 'https://relay.example/a',
    trustProxy: ['127.0.0.1', '::1'],
  })
})

test('the unit names the programs by their paths, and refuses a path that it would have to quote', () => {
  const unit = read('systemd/persona-relay.service')
  const paths = {
    node: '/usr/bin/node',
    launcher: '/opt/x/persona-relay.js',
    config: '/etc/persona-relay/persona-relay.yaml',
  }
  expect(renderRelayUnit(unit, paths)).toContain(
    `ExecStart=${paths.node} ${paths.launcher} serve --config ${paths.config}\n`,
  )
  for (const config of ['/a b', '/a%h', '/a$x', 'relative', "/a'"])
    expect(() => renderRelayUnit(unit, { ...paths, config }), config).toThrow('a unit cannot name')
})

test('the Caddyfile has the site of the URL, and its path', () => {
  const caddyfile = read('examples/relay/Caddyfile')
  expect(renderCaddyfile(caddyfile, 'https://a.example')).toMatch(/^a\.example \{\n\treverse_proxy 127/m)
  expect(renderCaddyfile(caddyfile, 'https://a.example:8443/r')).toMatch(
    /^a\.example:8443 \{\n\treverse_proxy \/r\* 127/m,
  )
  expect(renderCaddyfile(caddyfile, 'http://a.example')).toMatch(/^http:\/\/a\.example \{/m)
})
