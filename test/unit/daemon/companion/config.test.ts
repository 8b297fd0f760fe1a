import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseBootstrapNode, readBootstrapFile } from '../../../../src/daemon/companion/bootstrap-nodes.ts'
import { TOX_SECTION } from '../../../../src/daemon/companion/config.ts'
import { ConfigError, parseSections } from '../../../../src/process/config-file.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const KEY = 'AB'.repeat(32)

function refusalOf(lines: string): string {
  try {
    parseSections(`tox:\n${lines}`, 'x', [TOX_SECTION])
    return 'none'
  } catch (error) {
    if (error instanceof ConfigError) return `${error.code} ${error.message}`
    throw error
  }
}

describe('the section of the companion', () => {
  test('is parsed', () => {
    const text = `tox:
  enabled: true
  friends: named
  name: Alice
  words: at home
  bootstrap: ["192.0.2.1:33445 ${KEY.toLowerCase()}", "[2001:db8::1]:443 ${KEY}"]
  bootstrap_file: ~/nodes
  proxy: 127.0.0.1:9050
  udp: false
  port: 33445
`
    expect(parseSections(text, 'x', [TOX_SECTION])['tox']).toEqual({
      enabled: true,
      friends: 'named',
      name: 'Alice',
      words: 'at home',
      bootstrap: [
        { host: '192.0.2.1', port: 33_445, key: KEY },
        { host: '2001:db8::1', port: 443, key: KEY },
      ],
      bootstrapFile: '~/nodes',
      proxy: { host: '127.0.0.1', port: 9050 },
      udp: false,
      port: 33_445,
      loopback: false,
    })
  })

  test('limits the words by code points, not by UTF-16 units', () => {
    expect(refusalOf(`  words: "${'🚀'.repeat(256)}"\n`)).toBe('none')
    expect(refusalOf(`  words: "${'🚀'.repeat(257)}"\n`)).toContain('"tox.words" must be')
  })

  test.each([
    ['  friends: some\n', 'tox.friends'],
    [`  name: "${'ä'.repeat(65)}"\n`, 'tox.name'],
    [`  words: "${'x'.repeat(257)}"\n`, 'tox.words'],
    ['  words: "a\\0b"\n', 'tox.words'],
    ['  name: "a\\0b"\n', 'tox.name'],
    [`  bootstrap: ["node.example:33445 ${KEY}"]\n`, 'tox.bootstrap'],
    [`  bootstrap: ["192.0.2.1:33445 ${KEY.slice(1)}"]\n`, 'tox.bootstrap'],
    ['  proxy: tor.example:9050\n', 'tox.proxy'],
    ['  proxy: 127.0.0.1:0\n', 'tox.proxy'],
    ['  port: 0\n', 'tox.port'],
    ['  port: 65536\n', 'tox.port'],
    ['  secret: x\n', 'tox.secret'],
  ])('refuses %j and names the key', (lines, key) => {
    expect(refusalOf(lines)).toMatch(new RegExp(`^CONFIG_(VALUE|UNKNOWN_KEY) .*"${key}`))
  })

  test.each([['  proxy: 127.0.0.1:9050\n'], ['  udp: false\n'], [`  bootstrap: ["192.0.2.1:33445 ${KEY}"]\n`]])(
    'refuses loopback with a setting that leaves the machine: %j',
    (lines) => {
      expect(refusalOf(`  loopback: true\n${lines}`)).toContain('"tox.loopback" must be false with')
      expect(refusalOf(`  loopback: true\n  bootstrap: ["127.0.0.1:33445 ${KEY}"]\n`)).toBe('none')
    },
  )
})

describe('a bootstrap node', () => {
  test.each([
    ['300.0.2.1:33445', null],
    ['192.0.2.1:0', null],
    ['192.0.2.1:65536', null],
    ['2001:db8::1:33445', null],
    ['localhost:33445', null],
    ['192.0.2.1:65535', { host: '192.0.2.1', port: 65_535, key: KEY }],
  ])('is a numeric address and a port: %s', (address, node) => {
    expect(parseBootstrapNode(`${address} ${KEY}`)).toEqual(node)
  })

  test('has a line of its own in a file', async () => {
    const path = join(tempDir(), 'nodes')
    writeFileSync(path, `# mine\n\n192.0.2.1:33445 ${KEY} # a relay\n[2001:db8::1]:443 ${KEY}\n`)
    expect((await readBootstrapFile(path)).map(({ host }) => host)).toEqual(['192.0.2.1', '2001:db8::1'])
    writeFileSync(path, `192.0.2.1:33445 ${KEY}\nnode.example:33445 ${KEY}\n`)
    await expect(readBootstrapFile(path)).rejects.toMatchObject({ code: 'TOX_BOOTSTRAP_FILE' })
    await expect(readBootstrapFile(path)).rejects.toThrow('line 2')
    await expect(readBootstrapFile(`${path}.none`)).rejects.toMatchObject({ code: 'TOX_BOOTSTRAP_FILE' })
  })
})
