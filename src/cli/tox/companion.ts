/** `persona tox up|down|peers|add`: the companion, the daemon's own Tox node. */
import type { ToxPeer, ToxPeers, ToxStatus } from '../../ipc/shapes/tox.ts'
import { parseToxPk } from '../../tox/save/address.ts'
import { withDaemon } from '../io/connect.ts'
import { bold, print, remark, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'

export async function up(context: Context, options: { readonly name?: string }): Promise<number> {
  const name = options.name === undefined ? {} : { name: options.name }
  const status = await withDaemon(context, (client) => client.call('tox.up', name))
  print(context, status, formatToxStatus(status))
  return EXIT_DONE
}

export async function down(context: Context): Promise<number> {
  const status = await withDaemon(context, (client) => client.call('tox.down'))
  print(context, status, formatToxStatus(status))
  return EXIT_DONE
}

export async function peers(context: Context): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('tox.peers'))
  print(context, result, formatPeers(result, context.nowSec))
  return EXIT_DONE
}

/** @throws {ToxError} TOX_BAD_ID */
export async function add(context: Context, id: string): Promise<number> {
  parseToxPk(id)
  const result = await withDaemon(context, (client) => client.call('tox.add', { id }))
  print(context, result, [`${keyTail(result.key)} is a friend of your companion now`])
  if (id.length === result.key.length)
    remark(context, 'they connect once that device has your companion as a friend too')
  return EXIT_DONE
}

/** The companion in some lines. */
export function formatToxStatus(status: ToxStatus): string[] {
  const { key, device, toxId, counts, problem } = status
  if (key === null) return ['there is no companion yet: persona tox up']
  const lines = [`${device === null ? keyTail(key) : showName(device, key)} ${describeState(status)}`]
  if (problem !== null) lines.push(`it ended: ${escapeText(problem.message)} (${escapeText(problem.code)})`)
  if (toxId !== null) lines.push(`its Tox ID: ${toxId}`)
  return [...lines, `${countOf(counts.peers, 'friend')}, ${counts.online} of them online`]
}

function describeState({ state, connection }: ToxStatus): string {
  switch (state) {
    case 'none':
    case 'unlisted':
      return 'is not in your table, so it does not run: persona tox up'
    case 'down':
      return 'is down: persona tox up'
    case 'starting':
      return 'is starting'
    case 'waiting':
      return 'is started again after a while'
    case 'running':
      return RUNNING[connection]
  }
}

const RUNNING = {
  none: 'runs, and does not reach the Tox network yet',
  tcp: 'runs, and reaches the Tox network through relays',
  udp: 'runs, and reaches the Tox network',
} as const

export function formatPeers({ status, peers, requests }: ToxPeers, nowSec: number): string[] {
  const asking = requests.map(
    ({ key, personaId, atSec }) =>
      `${personaId === null ? 'somebody' : `persona ${personaId}`} asked ${formatTime(atSec, nowSec)}: persona tox add ${key}`,
  )
  if (peers.length === 0) return [...formatToxStatus(status), ...asking]
  const rows = peers.map((peer) => [
    peer.contact === null ? 'nobody' : showName(peer.contact, null),
    peer.device === null ? keyTail(peer.key) : showName(peer.device, peer.key),
    describePeer(peer),
    formatTime(peer.seenAtSec, nowSec),
  ])
  const [headings, ...lines] = formatTable(['WHOSE', 'DEVICE', '', 'LAST SEEN'], rows)
  return [...formatToxStatus(status), '', bold(headings!), ...lines, ...asking]
}

function describePeer({ connection, left, refused }: ToxPeer): string {
  if (refused !== null) return `not taken by libtoxcore (${refused})`
  const is = connection === 'none' ? 'offline' : 'online'
  return left ? `${is}, has left the table` : is
}
