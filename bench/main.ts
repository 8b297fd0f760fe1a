/**
 * `npm run bench`: measures every figure in the docs, in one run. `-- --quick` runs everything once, so that it
 * cannot rot.
 */
import { makePackage } from '../bundle/package.ts'
import { loadEngine } from '../src/crypto/load.ts'
import { makeHome, observeAll, removeHome, startDaemon } from './daemon.ts'
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
import { benchTox } from './tox.ts'

const isQuick = process.argv.includes('--quick')

function print(rows: readonly Row[]): void {
  for (const { what, figure } of rows) console.log(`${what.padEnd(48)} ${figure}`)
}

const engine = await loadEngine('sodium')
const portable = await loadEngine('portable')
console.log(`node ${process.version}, ${process.arch}${isQuick ? ', quick: figures from few runs' : ''}`)
print(benchJudge(engine, portable, isQuick))
print(benchChain(engine, isQuick))
print(await benchObserve(engine, isQuick))
for (const each of [engine, portable]) print(benchAnnounce(each, isQuick))
print(await benchTox(engine, isQuick))

const made = await makePackage()
process.once('exit', made.remove)
const home = makeHome()
try {
  const daemon = await startDaemon(home)
  const friends = Array.from({ length: 1000 }, (_, i) => friend(engine, i))
  await observeAll(daemon.admin, friends)
  print(await benchSocket(daemon, friends[500]!.from, isQuick))
  print(await benchClients(daemon, friends[500]!.from, isQuick))
  print(benchProcesses(home, friends[500]!.from, made, isQuick))
  print(await benchDurable(daemon, engine, isQuick))
  await daemon.stop()
} finally {
  removeHome(home)
}
print(await benchCustody(engine, isQuick))
print(await benchBroadcast(engine, isQuick))
print(await benchWatch(engine, isQuick))
print(await benchFirstScan(engine, isQuick))
print(await benchLive(engine, isQuick))
print(await benchNet(engine, isQuick))
print(await benchNetWeb(engine, isQuick))
print(await benchDht(engine, isQuick))
print(await benchRelayBoxes(isQuick))
print(await benchRelayStore(isQuick))
if (!isQuick) print(await benchRelayPostgres())
print(await benchRelayInboxes(isQuick))
print(await benchRelayStreams(isQuick))
print(await benchRelayHttp(isQuick))
print(await benchRelayEntries(isQuick))
print(await benchRelayMailbox(isQuick))
print(benchChannelEngine(engine, isQuick))
print(await benchChannelDisk(isQuick))
print(await benchChannels(isQuick))
print(await benchProposals(isQuick))
print(await benchChannelRelay(isQuick))
print(await benchMessageRelay(isQuick))
print(await benchChannelDirect(isQuick))
print(await benchChat(isQuick))
print(await benchMessages(engine, isQuick))
print(await benchLinkOpen(isQuick))
print(await benchScale(engine, isQuick))
print(await benchMemory(engine, made, isQuick))
for (const contacts of isQuick ? [1000] : [0, 10_000, 100_000]) print(await benchStart(engine, contacts, made, isQuick))
