import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { formatHex } from '../../src/core/encoding/bytes.ts'
import { readCompanionKey } from '../../src/daemon/companion/key.ts'
import { LiveHome } from '../support/live-home.ts'
import { Network, networkAbsence } from '../support/network.ts'
import { person } from '../support/person.ts'
import { engine, publicKeyOf, secretKeyOf } from '../support/tox-people.ts'
import { FAST, liveAbsence, TestNode } from '../support/tox-node.ts'

const absence = liveAbsence()
const LAPTOP = formatHex(publicKeyOf(51))
const FRIEND = formatHex(publicKeyOf(52))
const REAL: Readonly<Record<string, string>> = {}
const NEXT = 'next name'
const SLOW = { timeout: 60_000 }
const zoe = person('Zoe')
/** The next table of Zoe, with her one device under a new name. */
const zoeText = (device: string): string => zoe.table([{ name: device, key: FRIEND }]).text('hello')

/** The process of the node, a child of the daemon. */
function nodePid(home: LiveHome): number {
  for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1]
      if (Number(parent) === home.daemon.child.pid) return Number(name)
    } catch {
      // The process ended meanwhile.
    }
  }
  throw new Error('the daemon has no child')
}

/** Local addresses of the sockets of a process; 127.0.0.1 is 0100007F in /proc. */
function boundAddresses(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]),
  )
  return ['udp', 'udp6', 'tcp', 'tcp6']
    .flatMap((name) => readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => inodes.has(fields[9]))
    .map((fields) => fields[1]!.split(':')[0]!)
}

/** The companion of a daemon and a friend that is online, optionally in a network of their own. */
async function befriended(
  env: Readonly<Record<string, string>> = FAST,
  prefix: readonly string[] = [],
): Promise<{ home: LiveHome; friend: TestNode; bootstrap: TestNode; companion: string }> {
  const place = { env, prefix }
  const bootstrap = new TestNode({ secretKey: secretKeyOf(50), ...place })
  const nodes = [await bootstrap.address()]
  const home = await LiveHome.start({ bootstrap: nodes, ...place })
  await home.admin.call('persona.init', { device: { name: 'laptop', key: LAPTOP } })
  const { key: companion } = await home.admin.call('tox.up', {})
  await home.admin.call('tox.add', { id: FRIEND })
  const friend = new TestNode({
    secretKey: secretKeyOf(52),
    name: 'Zoe',
    text: zoeText('desk'),
    bootstrap: nodes,
    ...place,
  })
  friend.add(companion!)
  return { home, friend, bootstrap, companion: companion! }
}

describe.skipIf(absence !== null)(`a companion in trouble ${absence === null ? '' : `(skipped: ${absence})`}`, () => {
  test('finds its friend by the real clock, and shows a change', SLOW, async () => {
    const { home, friend } = await befriended(REAL)
    const met = await home.told('contact.changed')
    expect(met.contact).toMatchObject({ name: 'Zoe', active: FRIEND })
    await home.admin.call('device.rename', { device: 'laptop', name: 'new name' })
    const { text } = await home.admin.call('blob.get', {})
    await friend.reported('status', (report) => report.text === text)
    await home.stop()
  })

  test.skipIf(process.getuid?.() !== 0)(
    'uses only loopback if so configured, and inherits no environment of the daemon (needs root)',
    async () => {
      const { home } = await befriended()
      await home.told('contact.changed')
      const pid = nodePid(home)
      const addresses = boundAddresses(pid)
      expect(addresses.length).toBeGreaterThan(0)
      expect(new Set(addresses)).toEqual(new Set(['0100007F']))
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean)).toEqual([
        'PERSONAD_LIVE_CLOCK_RATE=100',
      ])
      await home.stop()
    },
  )

  test('returns with all friends after its process was killed, and the daemon goes on', SLOW, async () => {
    const { home, friend } = await befriended()
    await home.told('contact.changed')
    const before = nodePid(home)
    home.forget()
    process.kill(before, 'SIGKILL')
    // The status may be of the next node already, so the log tells.
    expect(JSON.parse(await home.daemon.logged('tox.ended'))).toMatchObject({ code: 'LIVE_NODE_FAILED' })
    await home.told('tox.peer', ({ change }) => change === 'offline')
    // The first node told of "online" before it told of the contact, so this one is of the next node.
    await home.told('tox.peer', ({ change }) => change === 'online')
    friend.send({ type: 'show', text: zoeText(NEXT) })
    await home.told('contact.changed', ({ contact }) => contact.devices[0]?.name === NEXT)
    expect(nodePid(home)).not.toBe(before)
    expect((await home.admin.call('status')).tox).toMatchObject({ state: 'running', problem: null })
    await home.stop()
  })

  test('ends with its killed daemon, and frees its port for the next one', SLOW, async () => {
    const { home, bootstrap } = await befriended()
    await home.told('contact.changed')
    const pid = nodePid(home)
    await home.daemon.kill('SIGKILL')
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 10_000, interval: 10 })
    const again = await LiveHome.start({ home: home.home, bootstrap: [await bootstrap.address()] })
    await again.told('tox.peer', ({ change }) => change === 'online')
    await again.stop()
  })

  test('reports a friend that is gone, and keeps it as a friend', SLOW, async () => {
    const { home, friend } = await befriended()
    await home.told('contact.changed')
    friend.child.kill('SIGKILL')
    await home.told('tox.peer', ({ change }) => change === 'offline')
    const { peers } = await home.admin.call('tox.peers')
    expect(peers.find(({ key }) => key === FRIEND)).toMatchObject({ connection: 'none', contact: 'Zoe', left: false })
    expect((await home.admin.call('contact.show', { contact: 'Zoe' })).active).toBe(FRIEND)
    await home.stop()
  })

  test.skipIf(networkAbsence() !== null)('finds the network and its friend again after an outage', SLOW, async () => {
    const network = await Network.make()
    const { home, friend } = await befriended(FAST, network.prefix)
    await home.told('contact.changed')
    home.forget()
    network.link('down')
    await home.told('tox.peer', ({ change }) => change === 'offline')
    await home.told('tox.connected', ({ connection }) => connection === 'none')
    friend.send({ type: 'show', text: zoeText(NEXT) })
    network.link('up')
    await home.told('contact.changed', ({ contact }) => contact.devices[0]?.name === NEXT)
    await home.stop()
  })

  test('goes on while somebody else uses its key, and its daemon answers', SLOW, async () => {
    const { home, friend, bootstrap, companion } = await befriended()
    await home.told('contact.changed')
    const stolen = await readCompanionKey(`${home.home}/state/companion`, machineId(), engine)
    const double = new TestNode({
      secretKey: stolen!.secretKey,
      text: 'double',
      bootstrap: [await bootstrap.address()],
    })
    expect((await double.reported('ready')).key).toBe(companion)
    double.add(FRIEND)
    await double.reported('self', ({ connection }) => connection !== 'none')
    // Toxcore keeps only one of two nodes with a key online: friends see one, then the other.
    friend.send({ type: 'show', text: zoeText(NEXT) })
    expect((await home.admin.call('status')).tox).toMatchObject({ state: 'running' })
    await double.end()
    await home.told('contact.changed', ({ contact }) => contact.devices[0]?.name === NEXT)
    await home.stop()
  })
})

function machineId(): string | null {
  try {
    return readFileSync('/etc/machine-id', 'utf8')
  } catch {
    return null
  }
}
