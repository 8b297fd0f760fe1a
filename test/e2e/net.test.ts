import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/ipc/client.ts'
import { DaemonProcess } from '../support/daemon.ts'
import { tempDir } from '../support/temp-dir.ts'
import { udpNodes } from '../support/udp-nodes.ts'

const HOOK = resolve('test/support/loaded-modules.mjs')

interface Story {
  readonly daemon: DaemonProcess
  readonly client: Client
  /** The modules of src that the daemon has loaded. */
  readonly loaded: () => string[]
}

async function start(config: string, env: Readonly<Record<string, string>> = {}): Promise<Story> {
  const home = tempDir()
  mkdirSync(join(home, 'config'))
  writeFileSync(join(home, 'config', 'personad.yaml'), config, { mode: 0o600 })
  const list = join(home, 'loaded')
  writeFileSync(list, '')
  const options = { NODE_OPTIONS: `--import=${HOOK}`, LOADED_MODULES: list }
  const daemon = await DaemonProcess.start({ home, from: 'sources', env: { ...options, ...env } })
  const client = await daemon.connect()
  return { daemon, client, loaded: () => readFileSync(list, 'utf8').trim().split('\n') }
}

function children(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/** Sockets of a process, by the table of the kernel that lists them. */
function sockets(pid: number, kind: string): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]),
  )
  const lines = readFileSync(`/proc/${pid}/net/${kind}`, 'utf8').trim().split('\n').slice(1)
  return lines.filter((line) =>
    line
      .trim()
      .split(/\s+/)
      .some((field) => inodes.has(field)),
  )
}

const NET_MODULES = /^(?:netnode|dht|relay|seal|channel\/ratchet|daemon\/net|daemon\/relays)\//

describe.skipIf(process.getuid?.() !== 0)('a daemon (needs root, to look into a process that is not dumpable)', () => {
  test.each([
    ['without configuration', ''],
    ['with a proxy and private hosts', 'net:\n  proxy: socks5://127.0.0.1:9050\n  private: [127.0.0.1]\n'],
    [
      'with relays and folders',
      'net:\n  relays: [https://relay.example]\n  folders: [~/shared]\n  private: [127.0.0.1]\n',
    ],
    [
      'with bootstrap nodes that a proxy keeps from use',
      'net:\n  bootstrap: ["127.0.0.1:1"]\n  proxy: socks5://127.0.0.1:9050\n',
    ],
  ])('%s has no socket but its two, no child, and nothing of the network in memory', async (_title, config) => {
    const { daemon, client, loaded } = await start(config)
    const pid = daemon.child.pid!
    expect((await client.call('status')).net).toBeNull()
    expect(children(pid)).toEqual([])
    for (const kind of ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'packet']) expect(sockets(pid, kind), kind).toEqual([])
    const listening = sockets(pid, 'unix').filter((line) => line.trim().split(/\s+/)[3] === '00010000')
    expect(listening.map((line) => line.split('/').at(-1)!.slice(0, 7)).toSorted()).toEqual(['admin.s', 'app.soc'])
    // The rest reads the configuration.
    expect(
      loaded()
        .filter((path) => NET_MODULES.test(path))
        .toSorted(),
    ).toEqual([
      'daemon/net/access.ts',
      'daemon/net/config.ts',
      'daemon/net/findings.ts',
      'daemon/relays/errors.ts',
      'daemon/relays/findings.ts',
      'daemon/relays/methods.ts',
      'daemon/relays/own-relays.ts',
      'netnode/errors.ts',
      'netnode/settings.ts',
    ])
  })

  test('with bootstrap nodes starts personad-net, which alone opens a network socket', async () => {
    const [node] = await udpNodes(1)
    const { daemon, client, loaded } = await start(
      `net:\n  bootstrap: ["127.0.0.1:${node!.port}"]\n  private: [127.0.0.1]\n`,
    )
    await until(async () => (await client.call('status')).net?.state === 'running', daemon)
    const pid = daemon.child.pid!
    const [child, ...others] = children(pid)
    expect(others).toEqual([])
    expect(readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0')).toContain('--permission')
    expect(readFileSync(`/proc/${child}/environ`, 'utf8')).toBe('')
    for (const kind of ['tcp', 'tcp6', 'udp', 'udp6', 'raw', 'packet']) expect(sockets(pid, kind), kind).toEqual([])
    expect(sockets(child!, 'udp')).toHaveLength(1)
    // The daemon has the orders, and neither the DHT client nor the program.
    const own = loaded().filter((path) => NET_MODULES.test(path))
    expect(own).toContain('daemon/net/net.ts')
    expect(own).not.toContain('dht/client.ts')
    expect(own).not.toContain('netnode/session.ts')
    const codes = (await client.call('doctor')).findings.map(({ code }) => code)
    expect(codes).toContain('NET')
    await daemon.kill('SIGTERM')
    expect(() => readFileSync(`/proc/${child}/stat`)).toThrow('ENOENT')
  })

  test('as a service connects to the unit, starts no child, and names what is missing', async () => {
    const { daemon, client } = await start('net:\n  bootstrap: ["127.0.0.1:1"]\n', {
      PERSONAD_NET_SOCKET: join(tempDir(), 'net.sock'),
    })
    await until(() => Promise.resolve(daemon.log.some((line) => line.includes('"net.ended"'))), daemon)
    expect(children(daemon.child.pid!)).toEqual([])
    const { net, findings } = await client.call('status')
    expect(net).toMatchObject({ state: 'waiting', how: 'unit', problem: { code: 'NET_UNIT_MISSING' } })
    expect(findings.map(({ code }) => code)).toContain('NET_UNIT_MISSING')
  })
})

/** Looks again after each line of the daemon's log. */
async function until(fits: () => Promise<boolean>, daemon: DaemonProcess): Promise<void> {
  while (!(await fits())) {
    const seen = daemon.log.length
    await new Promise<void>((done) => {
      const look = (): void =>
        void (daemon.log.length > seen ? done() : daemon.child.stderr!.once('data', () => setImmediate(look)))
      look()
    })
  }
}
