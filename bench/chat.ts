/** `persona chat` typed at two real daemons: from line to line over each carrier, how many sends a line costs, a long history, and memory. */
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, watch, writeFileSync, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LOOK_MS } from '../src/channel/carriers/records/lookout.ts'
import { DhtPeers } from '../test/support/dht-peers.ts'
import { rowBesidePosts } from './beside-posts.ts'
import { startPair, type Pair } from './channel-pair.ts'
import { ChatPair, OpenChat } from './chat-pair.ts'
import { makeHome, removeHome, residentMiB, type RunningDaemon } from './daemon.ts'
import { formatRatio, quantile, timedMs, type Row } from './measure.ts'
import { OPEN_CONFIG, RELAY, start, stop, type Running } from './relay-load.ts'

const DHT_NODES = 4
const STAND_IN = join(import.meta.dirname, '../test/support/veilid-server.ts')
const A_ROUND = 5 // lines, then posts: short, so that both meet the same disk and the same load
const KEPT_AT_A_TIME = 256

function spreadOf(times: readonly number[]): string {
  return `p50 ${quantile(times, 0.5).toFixed(0)} ms, p95 ${quantile(times, 0.95).toFixed(0)} ms`
}

/** Counts the sends by a folder: each is a file with a name of its own. */
class Sends {
  readonly #names = new Set<string>()
  readonly #watchers: FSWatcher[]

  constructor(folder: string) {
    const directories = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    this.#watchers = directories.map(({ name: directory }) =>
      watch(join(folder, directory), (_, name) => {
        if (name?.endsWith('.frame') === true) this.#names.add(`${directory}/${name}`)
      }),
    )
  }

  get count(): number {
    return this.#names.size
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
  }
}

async function benchFolder(chat: ChatPair, folder: string, lines: number): Promise<Row[]> {
  const sends = new Sends(folder)
  const times = await chat.timesMs(lines)
  const ofLines = sends.count
  await chat.talk(lines)
  const ofTalk = sends.count - ofLines
  sends.close()
  // Lines go to the box of one side, acks and marks to that of the other.
  const aBox = (count: number): string => formatRatio(count / lines / 2)
  return [
    { what: 'chat over a folder, line to line', figure: `${spreadOf(times)} (goal: 250 ms at most)` },
    {
      what: `chat, sends to a box for each of ${lines} quick lines`,
      figure: `${aBox(ofLines)} where one side writes, ${aBox(ofTalk)} where both do`,
    },
  ]
}

/** Time of a whole `persona chat` without input. */
async function openedMs(daemon: RunningDaemon, name: string): Promise<number> {
  return await timedMs(async () => {
    const chat = new OpenChat(daemon, name, 20)
    await chat.end()
  })
}

async function fill({ admin }: RunningDaemon, name: string, lines: number): Promise<void> {
  for (let at = 0; at < lines; at += KEPT_AT_A_TIME)
    await Promise.all(
      Array.from({ length: Math.min(KEPT_AT_A_TIME, lines - at) }, async (_, i) => {
        const id = `${at + i}`
        const line = { id, mine: true, text: `kept line ${id}`, sentSec: 1, state: 'read' } as const
        await admin.call('chat.keep', { chat: `name:${name}`, ...line })
      }),
    )
}

async function benchHistory(daemon: RunningDaemon, isQuick: boolean): Promise<Row> {
  const many = isQuick ? 1000 : 100_000
  await fill(daemon, 'short', 1)
  await fill(daemon, 'long', many)
  const [short, long]: [number[], number[]] = [[], []]
  for (let round = 0; round < (isQuick ? 1 : 15); round++) {
    short.push(await openedMs(daemon, 'short'))
    long.push(await openedMs(daemon, 'long'))
  }
  const [of1, ofMany] = [quantile(short, 0.5), quantile(long, 0.5)]
  return {
    what: `chat with ${many} lines, opened and ended`,
    figure: `${ofMany.toFixed(0)} ms; ${formatRatio(ofMany / of1)} of one with a line (goal: 1.5 at most)`,
  }
}

async function startStandIns(): Promise<{ child: ChildProcess; sockets: string[] }> {
  const child = spawn(process.execPath, [STAND_IN, '--nodes', '2'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const sockets: string[] = []
  for await (const socket of createInterface({ input: child.stdout })) {
    sockets.push(socket)
    if (sockets.length === 2) break
  }
  return { child, sockets }
}

async function benchRelay(pair: Pair, relay: Running): Promise<Row> {
  const chat = await ChatPair.open(pair, 'relay', urlOf(relay))
  const timed = { what: 'chat over a relay, line to line', goal: 4, rounds: 40, aRound: A_ROUND }
  const row = await rowBesidePosts({ ...timed, timesMs: async (count) => await chat.timesMs(count) }, relay)
  await chat.end()
  return row
}

async function benchVeilid(pair: Pair): Promise<Row> {
  const chat = await ChatPair.open(pair, 'veilid', 'veilid')
  const times = await chat.timesMs(100)
  await chat.end()
  return { what: 'chat over Veilid (stand-in), line to line', figure: spreadOf(times) }
}

/** Times the DHT alone: nodes of bittorrent-dht on loopback. */
async function benchDhtAlone(isQuick: boolean): Promise<Row[]> {
  const ends: (() => void)[] = []
  const atEnd = (end: () => void): void => void ends.push(end)
  const { ports } = await DhtPeers.start('bittorrent-dht', DHT_NODES, [], { heedReadOnly: true, atEnd })
  const pair = await startPair({ bootstrap: ports.map((port) => `127.0.0.1:${port}`), private: ['127.0.0.1'] })
  try {
    const chat = await ChatPair.open(pair, 'dht', 'dht')
    const times = await chat.timesMs(isQuick ? 2 : 20)
    await chat.end()
    const figure = `${spreadOf(times)} (goal: its poll of ${LOOK_MS} ms and two gets at most)`
    return [{ what: 'chat over the DHT, line to line', figure }]
  } finally {
    await pair.close()
    for (const end of ends) end()
  }
}

function urlOf({ port }: Running): string {
  return `http://127.0.0.1:${port}`
}

/** Times the relay alone. */
async function benchRelayAlone(): Promise<Row[]> {
  const home = makeHome()
  const relay = await startRelay(home)
  const pair = await startPair({ relays: [urlOf(relay)], private: ['127.0.0.1'] })
  try {
    return [await benchRelay(pair, relay)]
  } finally {
    await pair.close()
    await stop(relay)
    removeHome(home)
  }
}

async function startRelay(home: string): Promise<Running> {
  const config = join(home, 'relay.yaml')
  writeFileSync(config, OPEN_CONFIG)
  return await start(RELAY, ['--dir', join(home, 'relay'), '--config', config])
}

export async function benchChat(isQuick: boolean): Promise<Row[]> {
  const [home, folder] = [makeHome(), makeHome()]
  const relay = await startRelay(home)
  const veilid = await startStandIns()
  const net = { folders: [folder], relays: [urlOf(relay)], private: ['127.0.0.1'] }
  const [ofHost, ofGuest] = veilid.sockets.map((socket) => ({ ...net, veilid_socket: socket }))
  const pair = await startPair(ofHost!, ofGuest)
  try {
    const byFolder = await ChatPair.open(pair, 'folder', 'folder')
    const rows = await benchFolder(byFolder, folder, isQuick ? 5 : 200)
    const [ofChat, own] = [byFolder.guest.child.pid!, process.pid].map((pid) => residentMiB(pid).toFixed(0))
    rows.push({
      what: 'persona chat, memory of the command',
      figure: `${ofChat} MiB resident (this program: ${own} MiB)`,
    })
    await byFolder.end()
    // The starts of more commands would make a quick run long.
    if (!isQuick) rows.push(await benchRelay(pair, relay), await benchVeilid(pair))
    rows.push(await benchHistory(pair.host, isQuick))
    return rows
  } finally {
    await pair.close()
    await stop(relay)
    veilid.child.stdin!.end()
    for (const each of [home, folder]) removeHome(each)
  }
}

if (import.meta.main) {
  const has = (option: string): boolean => process.argv.includes(option)
  const alone = has('--dht') ? benchDhtAlone : has('--relay') ? benchRelayAlone : benchChat
  const rows = await alone(has('--quick'))
  for (const { what, figure } of rows) console.log(`${what.padEnd(56)} ${figure}`)
}
