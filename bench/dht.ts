/**
 * get and put of personad-net beside those of libtorrent, in nets of nodes that others wrote, on loopback. The gets take turns. The puts come
 * last, ours after theirs: libtorrent lists whoever put a value, also a read-only client, and then waits 15 s for it. Each round has a new net.
 */
import { makePackage, type MadePackage } from '../bundle/package.ts'
import type { ValuePlace } from '../src/core/announce/signed-value.ts'
import { formatHex } from '../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../src/crypto/engine.ts'
import { CLOSEST_NODES } from '../src/dht/candidates.ts'
import type { GetReport } from '../src/dht/order.ts'
import { signValue, targetOf } from '../test/support/dht-net.ts'
import { DhtPeers, libtorrentAbsence, libtorrentGet, libtorrentPut } from '../test/support/dht-peers.ts'
import { seedOf } from '../test/support/person.ts'
import { formatRatio, quantile, type Row } from './measure.ts'
import { NetRun } from './net-run.ts'

/** The nets: how many nodes of each kind they have, and how late those of bittorrent-dht answer. Those of libtorrent cannot wait. */
const NETS = [
  { name: 'on loopback', others: 12, theirs: 12, answerDelayMs: 0 },
  { name: 'among nodes that answer after 50 ms', others: 24, theirs: 1, answerDelayMs: 50 },
] as const
const MAX_NET_STARTS = 10
const VALUES = 10 // of each writer in a round
const GET_PASSES = 2 // over the values, after one that only warms the nodes and the programs
const VALUE = new Uint8Array(400).fill(0xab) // about an announcement of three devices
const SALT = new Uint8Array(20).fill(7)
const ASKED = { get: 1.5, put: 2 } as const

type NetKind = (typeof NETS)[number]
type Kind = keyof typeof ASKED
type TimeOrder = (kind: Kind, isCounted: boolean, order: () => Promise<GetReport>) => Promise<void>

/** Milliseconds of each order. */
class Times {
  /** libtorrent, inside its process. */
  readonly theirs: Record<Kind, number[]> = { get: [], put: [] }
  /** The client inside personad-net. */
  readonly client: Record<Kind, number[]> = { get: [], put: [] }
  /** As the daemon sees it: with the way to personad-net and back, and the second verification. */
  readonly daemon: Record<Kind, number[]> = { get: [], put: [] }

  /** Orders of ours that found no value. */
  readonly missing: Record<Kind, number> = { get: 0, put: 0 }

  row(kind: Kind, name: string): Row {
    const [theirs, client, daemon] = [this.theirs, this.client, this.daemon].map((times) => quantile(times[kind], 0.5))
    const figure = (ms: number): string => `${ms.toFixed(1)} ms, ${formatRatio(ms / theirs!)} times`
    const found = this.missing[kind] === 0 ? '' : `; ${this.missing[kind]} found no value`
    return {
      what: `DHT ${kind}, ${name}`,
      figure: `p50: client ${figure(client!)} libtorrent's ${theirs!.toFixed(1)} ms; as the daemon sees it ${figure(daemon!)} (asked: at most ${ASKED[kind]})${found}`,
    }
  }
}

export async function benchDht(engine: CryptoEngine, isQuick: boolean): Promise<Row[]> {
  const absence = libtorrentAbsence()
  if (absence !== null) return [{ what: 'DHT, beside libtorrent', figure: `skipped: ${absence}` }]
  const made = await makePackage()
  try {
    const rows: Row[] = []
    for (const kind of NETS) {
      const times = new Times()
      for (let round = 0; round < (isQuick ? 1 : 6); round++) await runRound(engine, made, kind, times)
      rows.push(times.row('get', kind.name), times.row('put', kind.name))
    }
    return rows
  } finally {
    made.remove()
  }
}

/** The nodes of one net. */
interface BenchNet {
  readonly theirs: DhtPeers
  readonly ports: readonly number[]
}

/** Starts nets until one has grown together: on a busy machine a node of libtorrent may give up its search for others. */
async function startNet(kind: NetKind, ends: (() => void)[]): Promise<BenchNet> {
  const atEnd = (end: () => void): void => void ends.push(end)
  for (let attempt = 0; attempt < MAX_NET_STARTS; attempt++) {
    const { answerDelayMs } = kind
    const others = await DhtPeers.start('bittorrent-dht', kind.others, [], { atEnd, heedReadOnly: true, answerDelayMs })
    const router = others.ports.slice(0, 1)
    const theirs = await DhtPeers.start('libtorrent', kind.theirs, router, { atEnd, hasRouters: true })
    const { stored } = await theirs.order(putOrder('probe'))
    const target = formatHex(targetOf(placeOf('probe'))).toLowerCase()
    const { nodes } = await others.order({ do: 'held', target, value: '' })
    if (stored === CLOSEST_NODES && Number(nodes) > 0) return { theirs, ports: [...others.ports, ...theirs.ports] }
    for (const end of ends.splice(0)) end()
  }
  throw new Error(`none of ${MAX_NET_STARTS} nets of libtorrent and bittorrent-dht grew together`)
}

async function runRound(engine: CryptoEngine, made: MadePackage, kind: NetKind, times: Times): Promise<void> {
  const ends: (() => void)[] = []
  try {
    const { theirs, ports } = await startNet(kind, ends)
    const bootstrap = ports.map((port) => ({ host: '127.0.0.1', port }))
    const run = await new NetRun(engine, made, { bootstrap, proxy: null, private: ['127.0.0.1'], ca: null }).start()
    ends.push(() => void run.net.stop())
    const ours = timer(times)
    // The second value of each key replaces the first one, as when a table changes.
    for (let pass = 0; pass < 2; pass++)
      for (let i = 0; i < VALUES; i++)
        await takeTheirs(theirs, putOrder(`theirs ${i}`), pass > 0 ? times.theirs.put : [])
    for (let pass = 0; pass < 1 + GET_PASSES; pass++)
      for (let i = 0; i < VALUES; i++) {
        const place = placeOf(`theirs ${i}`)
        await takeTheirs(theirs, libtorrentGet(place), pass > 0 ? times.theirs.get : [])
        await ours('get', pass > 0, async () => await run.net.get(place))
      }
    for (const seq of [1n, 2n])
      for (let i = 0; i < VALUES; i++)
        await ours('put', seq > 1n, async () => await run.net.put(signValue(`own ${i}`, seq, VALUE, SALT)))
    await run.net.stop()
  } finally {
    for (const end of ends) end()
  }
}

async function takeTheirs(theirs: DhtPeers, order: Readonly<Record<string, unknown>>, times: number[]): Promise<void> {
  times.push(Number((await theirs.order({ ...order, timed: true }))['tookMs']))
}

function timer({ client, daemon, missing }: Times): TimeOrder {
  return async (kind: Kind, isCounted: boolean, order: () => Promise<GetReport>): Promise<void> => {
    const startedMs = performance.now()
    const { tookMs, values } = await order()
    if (values.length === 0) missing[kind]++
    if (!isCounted) return
    daemon[kind].push(performance.now() - startedMs)
    client[kind].push(tookMs)
  }
}

function placeOf(name: string): ValuePlace {
  return { publicKey: signValue(name, 1n, VALUE, SALT).publicKey, salt: SALT }
}

function putOrder(name: string): Readonly<Record<string, unknown>> {
  return libtorrentPut(seedOf(name), placeOf(name), VALUE)
}
