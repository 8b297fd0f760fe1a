import { describe, expect, test } from 'vitest'
import { needsNetwork, NET_SECTION, type NetConfig } from '../../../../src/daemon/net/config.ts'
import { ConfigError, parseSections } from '../../../../src/process/config-file.ts'

function parse(lines: string): NetConfig {
  return parseSections(`net:\n${lines}`, 'x', [NET_SECTION])['net'] as NetConfig
}

function refusalOf(lines: string): string {
  try {
    parse(lines)
    return 'none'
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

describe('the section of the network', () => {
  test('is parsed', () => {
    const lines = `
  bootstrap: ["192.0.2.1:6881", "node.example:1"]
  proxy: socks5://[2001:db8::1]:9050
  private: [127.0.0.1, Relay.home, "FD00:0::1", "127.0.0.1:8787", "NAS:81", "[fd00:0::1]:443"]
  ca_file: ~/ca.pem
  relays: [https://relay.example, "http://127.0.0.1:8787/a/"]
  folders: [/srv/shared, ~/sync]
  veilid_socket: ~/veilid/0
  veilid: localhost:5959
  check: 30
  direct: true
`
    expect(parse(lines)).toEqual({
      bootstrap: [
        { host: '192.0.2.1', port: 6881 },
        { host: 'node.example', port: 1 },
      ],
      proxy: { host: '2001:db8::1', port: 9050 },
      private: ['127.0.0.1', 'relay.home', 'fd00::1', '127.0.0.1:8787', 'nas:81', '[fd00::1]:443'],
      caFile: '~/ca.pem',
      relays: ['https://relay.example/', 'http://127.0.0.1:8787/a/'],
      folders: ['/srv/shared', '~/sync'],
      veilidSocket: '~/veilid/0',
      veilid: { host: 'localhost', port: 5959 },
      checkSec: 30,
      direct: true,
      ice: [],
      directAddress: null,
    })
  })

  test.each([
    ['192.0.2.1'],
    ['192.0.2.1:0'],
    ['192.0.2.1:65536'],
    ['192.0.2.1:06881'],
    ['127.1:6881'],
    ['192.0.2.256:6881'],
    ['[2001:db8::1]:6881'],
    ['node_1.example:6881'],
    ['-node.example:6881'],
    ['node..example:6881'],
    [`${'a'.repeat(64)}.example:6881`],
    ['https://node.example:6881'],
    [':6881'],
  ])('refuses the bootstrap node %s', (text) => {
    expect(refusalOf(`  bootstrap: ["${text}"]`)).toContain('"net.bootstrap.0" must be a list of at most 64 texts')
  })

  test('takes 64 bootstrap nodes and 64 private hosts, and no more', () => {
    const list = (count: number, text: string): string => JSON.stringify(Array.from({ length: count }, () => text))
    expect(refusalOf(`  bootstrap: ${list(64, '192.0.2.1:6881')}\n  private: ${list(64, 'a.example')}`)).toBe('none')
    expect(refusalOf(`  bootstrap: ${list(65, '192.0.2.1:6881')}`)).toContain('net.bootstrap')
    expect(refusalOf(`  private: ${list(65, 'a.example')}`)).toContain('net.private')
  })

  test.each(['127.0.0.1:9050', 'http://127.0.0.1:9050', 'socks5://127.0.0.1', 'socks5://user@host:1'])(
    'refuses the proxy %s',
    (text) => {
      expect(refusalOf(`  proxy: ${text}`)).toContain('"net.proxy" must be "socks5://"')
    },
  )

  test.each([
    '127.0.0.1:0',
    'nas:65536',
    'nas:',
    ':80',
    '[fd00::1]',
    '[nas]',
    'http://nas',
    'a b',
    '127.0.0.0/8',
    '*',
    'fe80::1%eth0',
  ])('refuses the private host %s', (text) => {
    expect(refusalOf(`  private: ["${text}"]`)).toContain('net.private')
  })

  test.each(['relay.example', 'https://relay.example/?a', 'https://ada@relay.example/', 'ftp://relay.example/'])(
    'refuses the relay %s',
    (text) => {
      expect(refusalOf(`  relays: ["${text}"]`)).toContain('"net.relays.0" must be a list of at most 16 addresses')
    },
  )

  test('takes 16 relays and folders, and no more, no folder that depends on where the daemon was started, and a veilid-server with its port', () => {
    const list = (count: number, text: string): string => JSON.stringify(Array.from({ length: count }, () => text))
    expect(refusalOf(`  relays: ${list(16, 'https://a.example')}\n  folders: ${list(16, '/a')}`)).toBe('none')
    expect(refusalOf(`  relays: ${list(17, 'https://a.example')}`)).toContain('net.relays')
    expect(refusalOf(`  folders: ${list(17, '/a')}`)).toContain('net.folders')
    expect(refusalOf('  folders: [shared]')).toContain('net.folders')
    for (const text of ['localhost', ':5959', 'localhost:0', 'localhost:65536', '5959'])
      expect(refusalOf(`  veilid: ${JSON.stringify(text)}`), text).toContain('net.veilid')
  })

  test('needs the network with bootstrap nodes, and not without, nor beside a proxy', () => {
    expect(needsNetwork(parse('  private: [127.0.0.1]'))).toBe(false)
    expect(needsNetwork(parse('  bootstrap: ["192.0.2.1:6881"]'))).toBe(true)
    expect(needsNetwork(parse('  bootstrap: ["192.0.2.1:6881"]\n  proxy: socks5://127.0.0.1:9050'))).toBe(false)
  })
})
