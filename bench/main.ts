/**
 * `npm run bench`: measures every figure in the docs, in one run. `-- --quick` runs everything once, so that it
 * cannot rot. `-- clients memory` runs these parts alone; a part has the name of its file.
 */
import { makePackage, type MadePackage } from '../bundle/package.ts'
import { loadEngine } from '../src/crypto/load.ts'
import { makeHome, observeAll, removeHome, startDaemon, type RunningDaemon } from './daemon.ts'
import { benchAnnounce } from './announce.ts'
import { benchBroadcast } from './broadcast.ts'
import { benchChain } from './chain.ts'
import { benchChannelDirect } from './channel-direct.ts'
import { benchChannelDisk } from './channel-disk.ts'
import { benchChannelEngine } from './channel-engine.ts'
import { benchChannelRelay } from './channel-relay.ts'
import { benchChannels } from './channels.ts'
import { benchChat } from './chat.ts'
import { benchClients } from './clients.ts'
import { benchCustody } from './custody.ts'
import { benchDht } from './dht.ts'
import { benchDurable } from './durable.ts'
import { benchFirstScan } from './first-scan.ts'
import { benchJudge } from './judge.ts'
import { benchLinkOpen } from './link-open.ts'
import { benchLive } from './live.ts'
import type { Row } from './measure.ts'
import { benchMemory } from './memory.ts'
import { benchMessageRelay } from './message-relay.ts'
import { benchMessages } from './messages.ts'
import { friend } from './people.ts'
import { benchNet } from './net.ts'
import { benchNetWeb } from './net-web.ts'
import { benchObserve } from './observe.ts'
import { benchProcesses } from './processes.ts'
import { benchProposals } from './proposals.ts'
import { benchRelayBoxes } from './relay-boxes.ts'
import { benchRelayEntries } from './relay-entries.ts'
import { benchRelayHttp } from './relay-http.ts'
import { benchRelayInboxes } from './relay-inboxes.ts'
import { benchRelayMailbox } from './relay-mailbox.ts'
import { benchRelayPostgres } from './relay-postgres.ts'
import { benchRelayStore } from './relay-store.ts'
import { benchRelayStreams } from './relay-streams.ts'
import { benchScale } from './scale.ts'
import { benchSocket } from './socket.ts'
import { benchStart } from './start.ts'
import { benchWatch } from './watch.ts'
import { benchWriters } from './writers.ts'
import { benchSyncs } from './syncs.ts'
import { benchTox } from './tox.ts'

const quick = process.argv.includes('--quick')
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))

function print(rows: readonly Row[]): void {
  for (const { what, figure } of rows) console.log(`${what.padEnd(48)} ${figure}`)
}

const engine = await loadEngine('sodium')
const portable = await loadEngine('portable')

let lazyPackage: Promise<MadePackage> | null = null

/** The package, made once and only for a part that needs it. */
function made(): Promise<MadePackage> {
  lazyPackage ??= makePackage().then((it) => {
    process.once('exit', it.remove)
    return it
  })
  return lazyPackage
}

/** Runs a part with a daemon that knows 1000 contacts. */
async function withContacts(
  run: (daemon: RunningDaemon, query: string, home: string) => Promise<Row[]>,
): Promise<Row[]> {
  const home = makeHome()
  try {
    const daemon = await startDaemon(home)
    const friends = Array.from({ length: 1000 }, (_, i) => friend(engine, i))
    await observeAll(daemon.admin, friends)
    const rows = await run(daemon, friends[500]!.from, home)
    await daemon.stop()
    return rows
  } finally {
    removeHome(home)
  }
}

async function inTurn(parts: readonly (() => Row[] | Promise<Row[]>)[]): Promise<Row[]> {
  const rows: Row[] = []
  for (const part of parts) rows.push(...(await part()))
  return rows
}

const STARTS = [0, 10_000, 100_000, 1_000_000] // contacts

/** The parts, in the order of a whole run. */
const PARTS: Readonly<Record<string, () => Row[] | Promise<Row[]>>> = {
  judge: () => benchJudge(engine, portable, quick),
  chain: () => benchChain(engine, quick),
  observe: () => benchObserve(engine, quick),
  announce: () => [engine, portable].flatMap((each) => benchAnnounce(each, quick)),
  tox: () => benchTox(engine, quick),
  socket: () => withContacts((daemon, query) => benchSocket(daemon, query, quick)),
  clients: () => withContacts((daemon, query) => benchClients(daemon, query, quick)),
  processes: () => withContacts(async (_, query, home) => benchProcesses(home, query, await made(), quick)),
  durable: () => withContacts((daemon) => benchDurable(daemon, engine, quick)),
  writers: () => benchWriters(engine, quick),
  syncs: () => benchSyncs(engine, quick),
  custody: () => benchCustody(engine, quick),
  broadcast: () => benchBroadcast(engine, quick),
  watch: () => benchWatch(engine, quick),
  'first-scan': () => benchFirstScan(engine, quick),
  live: () => benchLive(engine, quick),
  net: () => benchNet(engine, quick),
  'net-web': () => benchNetWeb(engine, quick),
  dht: () => benchDht(engine, quick),
  'relay-boxes': () => benchRelayBoxes(quick),
  'relay-store': () => benchRelayStore(quick),
  'relay-postgres': () => (quick ? [] : benchRelayPostgres()),
  'relay-inboxes': () => benchRelayInboxes(quick),
  'relay-streams': () => benchRelayStreams(quick),
  'relay-http': () => benchRelayHttp(quick),
  'relay-entries': () => benchRelayEntries(quick),
  'relay-mailbox': () => benchRelayMailbox(quick),
  'channel-engine': () => benchChannelEngine(engine, quick),
  'channel-disk': () => benchChannelDisk(quick),
  channels: () => benchChannels(quick),
  proposals: () => benchProposals(quick),
  'channel-relay': () => benchChannelRelay(quick),
  'message-relay': () => benchMessageRelay(quick),
  'channel-direct': () => benchChannelDirect(quick),
  chat: () => benchChat(quick),
  messages: () => benchMessages(engine, quick),
  'link-open': () => benchLinkOpen(quick),
  scale: () => benchScale(engine, quick),
  memory: async () => await benchMemory(engine, await made(), quick),
  start: () =>
    inTurn(
      (quick ? [1000] : STARTS).map((contacts) => async () => await benchStart(engine, contacts, await made(), quick)),
    ),
}

for (const name of asked)
  if (PARTS[name] === undefined)
    throw new Error(`there is no part ${name}; the parts are ${Object.keys(PARTS).join(', ')}`)
console.log(`node ${process.version}, ${process.arch}${quick ? ', quick: figures from few runs' : ''}`)
for (const [name, run] of Object.entries(PARTS)) if (asked.length === 0 || asked.includes(name)) print(await run())
