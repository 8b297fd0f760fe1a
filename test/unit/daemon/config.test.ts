import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import * as config from '../../../src/daemon/config.ts'
import { MAX_CONNECTIONS } from '../../../src/daemon/config.ts'
import type { AnnounceConfig } from '../../../src/daemon/announce/config.ts'
import type { ToxConfig } from '../../../src/daemon/companion/config.ts'
import type { NotifyConfig } from '../../../src/daemon/notify/config.ts'
import type { WatchConfig } from '../../../src/daemon/profiles/config.ts'
import { WINGS } from '../../../src/daemon/wings.ts'
import { ConfigError, keysOf, MAX_CONFIG_BYTES } from '../../../src/process/config-file.ts'

interface Config extends config.Config {
  readonly watch: WatchConfig
  readonly notify: NotifyConfig
  readonly tox: ToxConfig
  readonly announce: AnnounceConfig
}

const SECTIONS = config.configSections(WINGS)
const CONFIG_KEYS = keysOf(SECTIONS)

function parseConfig(text: string, path: string): config.Config {
  return config.parseConfig(text, path, SECTIONS)
}

function readConfig(path: string, named: boolean): Promise<config.Config> {
  return config.readConfig(path, named, SECTIONS)
}

function mergeReloaded(running: Config, read: Config): Record<'config' | 'changed' | 'needRestart', unknown> {
  const merged = config.mergeReloaded(running, read, SECTIONS)
  const paths = (keys: readonly { path: string }[]): string[] => keys.map(({ path }) => path)
  return { config: merged.config, changed: paths(merged.changed), needRestart: paths(merged.needRestart) }
}

const DEFAULTS: Config = {
  log: { level: 'info' },
  engine: 'auto',
  socket: { maxConnections: 256 },
  apps: { defaultCapabilities: ['read'] },
  policy: { default: 'auto' },
  custody: { idleSec: 600, atMostSec: 7200, apps: null },
  net: {
    bootstrap: [],
    proxy: null,
    private: [],
    caFile: null,
    relays: [],
    folders: [],
    veilidSocket: null,
    veilid: null,
    direct: false,
    ice: [],
    directAddress: null,
    checkSec: 60,
  },
  watch: { profiles: 'off', repair: false, passphraseFile: null },
  notify: { enabled: true, about: ['alarms', 'devices', 'waiting'] },
  tox: {
    enabled: false,
    friends: 'all',
    name: '',
    words: '',
    bootstrap: [],
    bootstrapFile: null,
    proxy: null,
    udp: true,
    port: null,
    loopback: false,
  },
  announce: { lookups: true },
}

const directory = mkdtempSync(join(tmpdir(), 'personad-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, content: string | Uint8Array, mode = 0o600): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  chmodSync(path, mode)
  return path
}

function refusal(text: string): { code: string; line: number | null; column: number | null; message: string } {
  try {
    parseConfig(text, 'personad.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('the text was taken')
}

describe('the shipped config/personad.yaml', () => {
  const shipped = readFile(new URL('../../../config/personad.yaml', import.meta.url), 'utf8')

  test('holds exactly the defaults', async () => {
    expect(parseConfig(await shipped, 'shipped')).toEqual(DEFAULTS)
    expect(parseConfig('', 'empty')).toEqual(DEFAULTS)
  })

  test('names exactly the keys of the schema, and for each whether a reload is enough', async () => {
    const text = await shipped
    const live: string[] = []
    for (const [name, value] of Object.entries<unknown>(parse(text))) {
      const nested = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : null
      live.push(...(nested?.map((key) => `${name}.${key}`) ?? [name]))
    }
    expect(live).toEqual(CONFIG_KEYS.map(({ path }) => path))
    const marks = [...text.matchAll(/\[(reload|restart)\]/g)].map((match) => match[1])
    expect(marks).toEqual(CONFIG_KEYS.map(({ reloadable }) => (reloadable ? 'reload' : 'restart')))
  })

  test('names the same limit of connections as the schema', async () => {
    expect(await shipped).toContain(`from 1 to ${MAX_CONNECTIONS}`)
  })
})

describe('a configuration', () => {
  test('gives the values in the file, and the defaults for the rest', () => {
    const text =
      'log: {level: debug}\nengine: "portable"\nsocket:\n  max_connections: 4096\napps:\n  default_capabilities: []\n' +
      'watch:\n  profiles: [~/tox, /srv/bot.tox]\n  repair: true\n  passphrase_file: /run/tox.txt\n'
    expect(parseConfig(text, 'x')).toEqual({
      ...DEFAULTS,
      log: { level: 'debug' },
      engine: 'portable',
      socket: { maxConnections: 4096 },
      apps: { defaultCapabilities: [] },
      watch: { profiles: ['~/tox', '/srv/bot.tox'], repair: true, passphraseFile: '/run/tox.txt' },
    })
  })

  test('may have a section whose lines are all commented out', () => {
    expect(parseConfig('log:\n  # level: debug\napps: ~\n', 'x')).toEqual(DEFAULTS)
  })

  test.each([
    ['an unknown section', 'log: {}\nlogs: {}\n', 2, 1, '"logs"'],
    ['an unknown key of a section', 'log:\n  level: info\n  levle: info\n', 3, 3, 'known keys are log.level'],
    ['a key of another section', 'apps:\n  level: info\n', 2, 3, 'known keys are apps.default_capabilities'],
    ['__proto__', 'log:\n  level: info\n__proto__: {a: 1}\n', 3, 1, '"__proto__"'],
    ['a merge key', '<<: {engine: auto}\n', 1, 1, '"<<"'],
    ['a number', 'engine: auto\n1: auto\n', 2, 1, '"1"'],
  ])('is refused with %s, at its line and column', (_title, text, line, column, says) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'CONFIG_UNKNOWN_KEY', line, column })
    expect(error.message).toContain(says)
    expect(error.message).toContain(`line ${line}, column ${column}`)
  })

  test.each([
    ['a level that is none', 'log:\n  level: loud\n', 2, 10, 'one of error, warn, info, debug'],
    ['a boolean for a word', 'engine: true\n', 1, 9, 'one of auto, sodium, portable'],
    ['nothing for a word', 'log:\n  level:\n', 2, 9, 'one of error'],
    ['a word for a section', 'engine: auto\nlog: info\n', 2, 6, 'a mapping'],
    ['a list for the whole', '- log\n', 1, 1, 'a mapping'],
    ['a word for the whole', 'auto\n', 1, 1, 'a mapping'],
    ['no connections', 'socket: {max_connections: 0}\n', 1, 27, 'a whole number from 1 to 4096'],
    ['one connection too many', 'socket: {max_connections: 4097}\n', 1, 27, 'a whole number from 1 to 4096'],
    ['half a connection', 'socket: {max_connections: 1.5}\n', 1, 27, 'a whole number'],
    ['infinitely many', 'socket: {max_connections: .inf}\n', 1, 27, 'a whole number'],
    ['a number in quotes', 'socket: {max_connections: "8"}\n', 1, 27, 'a whole number'],
    ['admin as a default', 'apps:\n  default_capabilities: [read, admin]\n', 2, 32, 'one of read, observe, publish'],
    ['a capability twice', 'apps:\n  default_capabilities: [read, read]\n', 2, 25, 'at most once'],
    ['places that are not named', 'watch: {profiles: on}\n', 1, 19, 'off, auto, or a list'],
    ['a boolean for places', 'watch: {profiles: false}\n', 1, 19, 'off, auto, or a list'],
    ['a place below nothing', 'watch: {profiles: [tox]}\n', 1, 20, 'begins with / or ~/'],
    ["another user's home", 'watch: {profiles: [~eve/tox]}\n', 1, 20, 'begins with / or ~/'],
    ['no places at all', 'watch: {profiles: []}\n', 1, 19, 'off, auto, or a list'],
    ['a NUL in a place', 'watch: {profiles: ["/a\\0b"]}\n', 1, 20, 'begins with / or ~/'],
    ['a word for a switch', 'watch: {repair: yes}\n', 1, 17, 'true or false'],
    ['a relative passphrase file', 'watch: {passphrase_file: tox.txt}\n', 1, 26, 'a path that begins with / or ~/'],
    ['a word for a list', 'apps:\n  default_capabilities: read\n', 2, 25, 'a list of any of read, observe, publish'],
  ])('is refused with %s, at its line and column, with the expected value', (_title, text, line, column, expected) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'CONFIG_VALUE', line, column })
    expect(error.message).toContain(expected)
  })

  test('is refused for a value without repeating the value', () => {
    expect(refusal('log:\n  level: my secret passphrase\n').message).not.toContain('secret')
  })

  test.each([
    ['a key twice', 'engine: auto\nengine: sodium\n', 2, 1],
    ['an anchor', 'engine: &a auto\n', 1, 12],
    ['an anchor on a section', 'log: &a\n  level: info\n', 2, 3],
    ['an alias', 'engine: *a\n', 1, 9],
    ['a standard tag', 'engine: !!str auto\n', 1, 15],
    ['an own tag', 'engine: !mine auto\n', 1, 9],
    ['a tag on a section', 'log: !!map\n  level: info\n', 2, 3],
    ['a directive', '%YAML 1.1\n---\nengine: auto\n', 1, 1],
    ['a tag directive', '%TAG !e! tag:example.org,2000:\n---\nengine: auto\n', 1, 1],
    ['two documents', 'engine: auto\n---\nengine: auto\n', 2, 1],
    ['a tab as indent', 'log:\n\tlevel: info\n', 2, 1],
    ['a bracket left open', 'apps:\n  default_capabilities: [read\n', 3, 1],
    ['a list for a key', '? [a]\n: b\n', 1, 3],
    ['brackets nested without end', '['.repeat(MAX_CONFIG_BYTES), 1, null],
  ])('is refused with %s', (_title, text, line, column) => {
    const error = refusal(text)
    expect(error).toMatchObject(
      column === null ? { code: 'CONFIG_SYNTAX', line } : { code: 'CONFIG_SYNTAX', line, column },
    )
  })

  test('of any text gives a value or a ConfigError', () => {
    const word = fc.constantFrom(
      'log',
      'level',
      'engine',
      ':',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '&a',
      '*a',
      '!!x',
      '#',
      '"',
      '|',
      '%',
      '?',
      ',',
      '~',
    )
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.array(word, { maxLength: 20 }).map((parts) => parts.join('')),
    )
    let ran = 0
    fc.assert(
      fc.property(text, (sample) => {
        ran++
        try {
          parseConfig(sample, 'x')
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 500 },
    )
    expect(ran).toBe(500)
  })
})

describe('the configuration file', () => {
  test('may be absent, unless the user named it', async () => {
    expect(await readConfig(join(directory, 'none.yaml'), false)).toEqual(DEFAULTS)
    await expect(readConfig(join(directory, 'none.yaml'), true)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
  })

  test('is read byte for byte', async () => {
    expect(await readConfig(write('good.yaml', 'engine: portable\n'), false)).toMatchObject({
      engine: 'portable',
    })
  })

  test('may have MAX_CONFIG_BYTES bytes and not one more', async () => {
    expect(await readConfig(write('full.yaml', '#'.repeat(MAX_CONFIG_BYTES)), false)).toEqual(DEFAULTS)
    const over = readConfig(write('over.yaml', '#'.repeat(MAX_CONFIG_BYTES + 1)), false)
    await expect(over).rejects.toMatchObject({ code: 'CONFIG_SYNTAX', message: expect.stringContaining('65536 bytes') })
  })

  test('must be UTF-8', async () => {
    const latin = write('latin.yaml', Uint8Array.of(0x23, 0xe9, 0x0a))
    await expect(readConfig(latin, false)).rejects.toMatchObject({ code: 'CONFIG_SYNTAX', line: null })
  })

  test('must be a regular file: a directory or a FIFO does not block the start', async () => {
    mkdirSync(join(directory, 'dir.yaml'))
    await expect(readConfig(join(directory, 'dir.yaml'), false)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
    execFileSync('mkfifo', [join(directory, 'fifo.yaml')])
    await expect(readConfig(join(directory, 'fifo.yaml'), false)).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' })
  })

  test.each([0o602, 0o620, 0o666])('must not be writable by others (mode %o)', async (mode) => {
    const path = write('open.yaml', 'engine: auto\n', mode)
    await expect(readConfig(path, false)).rejects.toMatchObject({ code: 'CONFIG_UNSAFE' })
  })

  test.skipIf(process.getuid?.() !== 0)(
    'must belong to the user or root (needs root, to give a file away)',
    async () => {
      const path = write('foreign.yaml', 'engine: auto\n')
      chownSync(path, 12_345, 12_345)
      await expect(readConfig(path, false)).rejects.toMatchObject({ code: 'CONFIG_UNSAFE' })
    },
  )

  test('may be readable by others', async () => {
    expect(await readConfig(write('shown.yaml', '', 0o644), false)).toEqual(DEFAULTS)
  })
})

describe('a reload', () => {
  const read: Config = {
    ...DEFAULTS,
    log: { level: 'debug' },
    engine: 'portable',
    socket: { maxConnections: 8 },
    apps: { defaultCapabilities: ['read', 'publish'] },
    policy: { default: 'pin' },
    custody: { idleSec: 10, atMostSec: 604_800, apps: 'locked' },
    watch: { profiles: ['/a', '/b'], repair: true, passphraseFile: '/c' },
  }

  test('applies the reloadable keys, and names the others, which need a restart', () => {
    expect(mergeReloaded(DEFAULTS, read)).toEqual({
      config: { ...read, engine: 'auto', socket: { maxConnections: 256 } },
      changed: [
        'log.level',
        'apps.default_capabilities',
        'policy.default',
        'custody.idle_seconds',
        'custody.at_most_seconds',
        'custody.apps',
        'watch.profiles',
        'watch.repair',
        'watch.passphrase_file',
      ],
      needRestart: ['engine', 'socket.max_connections'],
    })
  })

  test('distinguishes two paths from one with a comma in its name', () => {
    const one: Config = { ...read, watch: { ...read.watch, profiles: ['/a,/b'] } }
    expect(mergeReloaded(read, one)).toEqual({ config: one, changed: ['watch.profiles'], needRestart: [] })
  })

  test('with the same values changes nothing', () => {
    expect(mergeReloaded(read, { ...read, apps: { defaultCapabilities: ['read', 'publish'] } })).toEqual({
      config: read,
      changed: [],
      needRestart: [],
    })
  })
})
