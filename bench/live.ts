/**
 * The companion: the time from an edit to the friend's event, and the cost of 500 friends who are offline. On
 * loopback, with the real clock.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '../src/ipc/client.ts'
import type { ToxStatus } from '../src/ipc/shapes/tox.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { formatHex } from '../src/core/encoding/bytes.ts'
import { cpuSec, makeHome, removeHome, residentMiB, startDaemon, type RunningDaemon } from './daemon.ts'
import { formatUs, quantile, type Row } from './measure.ts'

const FRIENDS = 500
const FEW_FRIENDS = 50
const EDITS = 10

interface Companion {
  readonly home: string
  readonly daemon: RunningDaemon
  readonly toxId: string
  readonly node: string
}

async function running(daemon: RunningDaemon): Promise<ToxStatus> {
  for (;;) {
    const { status } = await daemon.admin.call('tox.peers')
    if (status.state !== 'starting') return status
    await new Promise((later) => setTimeout(later, 20))
  }
}

/** @returns null if no node can run here */
async function startCompanion(engine: CryptoEngine, bootstrap: readonly string[]): Promise<Companion | null> {
  const home = makeHome()
  mkdirSync(join(home, 'config'))
  const config = `tox: {enabled: true, loopback: true, bootstrap: ${JSON.stringify(bootstrap)}}\n`
  writeFileSync(join(home, 'config/personad.yaml'), config, { mode: 0o600 })
  const daemon = await startDaemon(home)
  const device = { name: 'laptop', key: formatHex(engine.boxPublicKey(engine.randomBytes(32))) }
  await daemon.admin.call('persona.init', { device })
  await daemon.admin.call('tox.up', {})
  const { state, toxId, dht } = await running(daemon)
  if (state === 'running') return { home, daemon, toxId: toxId!, node: `127.0.0.1:${dht!.port} ${dht!.key}` }
  await daemon.stop()
  removeHome(home)
  return null
}

export async function benchLive(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const friend = await startCompanion(engine, [])
  if (friend === null) return [{ what: 'the companion', figure: 'not measured: no Tox node runs here' }]
  const owner = (await startCompanion(engine, [friend.node]))!
  try {
    const rows = await benchEvent(owner, friend, isQuick ? 3 : EDITS)
    rows.push(...(await benchFriends(engine, owner, isQuick ? [FEW_FRIENDS, 2] : [FRIENDS, 20])))
    return rows
  } finally {
    for (const { daemon, home } of [owner, friend]) {
      await daemon.stop()
      removeHome(home)
    }
  }
}

/** Measures the time until the friend's app gets the event of an owner's edit. */
async function benchEvent(owner: Companion, friend: Companion, edits: number): Promise<Row[]> {
  const app = await connect({ socketPath: friend.daemon.appSocket })
  let notify: () => void = () => {}
  const next = (): Promise<void> => new Promise((done) => (notify = done))
  await app.subscribe(['contact.changed'], () => notify())
  const started = performance.now()
  const met = next()
  await friend.daemon.admin.call('tox.add', { id: owner.toxId })
  await acceptRequest(owner.daemon)
  await met
  const metSec = (performance.now() - started) / 1000
  const ms: number[] = []
  for (let i = 0; i < edits; i++) {
    const event = next()
    const edited = performance.now()
    await owner.daemon.admin.call('device.rename', {
      device: i % 2 === 0 ? 'laptop' : 'other',
      name: i % 2 === 0 ? 'other' : 'laptop',
    })
    await event
    ms.push(performance.now() - edited)
  }
  await app.close()
  return [
    { what: 'friend request, until the friend is confirmed', figure: `${metSec.toFixed(1)} s` },
    {
      what: "an edit, until the friend's app gets the event",
      figure: `${quantile(ms, 0.5).toFixed(0)} ms; ${Math.max(...ms).toFixed(0)} ms at most`,
    },
  ]
}

async function acceptRequest(daemon: RunningDaemon): Promise<void> {
  for (;;) {
    const { requests } = await daemon.admin.call('tox.peers')
    if (requests[0] !== undefined) {
      await daemon.admin.call('tox.add', { id: requests[0].key })
      return
    }
    await new Promise((later) => setTimeout(later, 50))
  }
}

/** Offline friends: what the daemon and its node cost meanwhile, and how long callers wait. */
async function benchFriends(
  engine: CryptoEngine,
  { daemon }: Companion,
  [friends, seconds]: readonly [friends: number, seconds: number],
): Promise<Row[]> {
  for (let i = 0; i < friends; i++) {
    await daemon.admin.call('tox.add', { id: formatHex(engine.boxPublicKey(engine.randomBytes(32))) })
  }
  const app = await connect({ socketPath: daemon.appSocket })
  const pids = [daemon.process.pid!, childOf(daemon.process.pid!)]
  const before = pids.map(cpuSec)
  const us: number[] = []
  const started = performance.now()
  const query = (await app.call('device.list')).devices[0]!.key
  while (performance.now() - started < seconds * 1000) {
    const asked = performance.now()
    await app.call('lookup', { query })
    us.push((performance.now() - asked) * 1000)
    await new Promise((later) => setTimeout(later, 5))
  }
  const [daemonCpu, nodeCpu] = pids.map((pid, i) => `${(((cpuSec(pid) - before[i]!) / seconds) * 100).toFixed(1)} %`)
  const [daemonMiB, nodeMiB] = pids.map((pid) => residentMiB(pid).toFixed(0))
  await app.close()
  const figure = `daemon ${daemonCpu}, node ${nodeCpu} of a processor; ${daemonMiB} and ${nodeMiB} MiB`
  return [
    { what: `${friends} offline friends`, figure },
    {
      what: 'lookup meanwhile, p50 and p99',
      figure: `${formatUs(quantile(us, 0.5))}, ${formatUs(quantile(us, 0.99))}`,
    },
  ]
}

function childOf(parent: number): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      if (readFileSync(`/proc/${name}/status`, 'utf8').includes(`\nPPid:\t${parent}\n`)) return Number(name)
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`process ${parent} has no child`)
}
