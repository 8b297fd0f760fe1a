/** `persona tox up|down|peers|add`: the companion, the daemon's own Tox device. */
import type { ToxPeer, ToxPeers, ToxStatus } from '../../ipc/shapes/tox.ts'
import { parseToxPk } from '../../tox/save/address.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { bold } from '../io/style.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, keyTail, showName } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { SHOW_FRIENDS } from '../io/next-steps.ts'

export async function up(context: Context, options: { readonly name?: string }): Promise<number> {
  const name = options.name === undefined ? {} : { name: options.name }
  const { status, isAdded } = await withDaemon(context, async (client) => {
    const before = (await client.call('status')).persona?.devices ?? []
    const started = await client.call('tox.up', name)
    return { status: started, isAdded: !before.some(({ key }) => key === started.key) }
  })
  print(context, status, [...formatToxStatus(status), ...(isAdded ? [SHOW_FRIENDS] : [])])
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
  print(context, result, [`${keyTail(result.key)} is now a friend of your companion`])
  if (id.length === result.key.length)
    remark(context, 'they connect once that device also adds your companion as a friend')
  return EXIT_DONE
}

/** Describes the companion in a few lines. */
export function formatToxStatus(status: ToxStatus): string[] {
  const { key, device, toxId, counts, problem } = status
  if (key === null) return ['you have no companion yet; create it: persona tox up']
  const lines = [`${device === null ? keyTail(key) : showName(device, key)} ${describeState(status)}`]
  if (problem !== null) lines.push(`it stopped: ${escapeText(problem.message)} (${escapeText(problem.code)})`)
  if (toxId !== null) lines.push(`its Tox ID: ${toxId}`)
  return [...lines, `${countOf(counts.peers, 'friend')}, ${counts.online} of them online`]
}

function describeState({ state, connection }: ToxStatus): string {
  switch (state) {
    case 'none':
    case 'unlisted':
      return 'is not in your table, so it does not run; to add and start it: persona tox up'
    case 'down':
      return 'is stopped; to start it: persona tox up'
    case 'starting':
      return 'is starting'
    case 'waiting':
      return 'restarts after a short wait'
    case 'running':
      return RUNNING[connection]
  }
}

const RUNNING = {
  none: 'is running but not connected to the Tox network yet',
  tcp: 'is running and connected to the Tox network through relays',
  udp: 'is running and connected to the Tox network',
} as const

export function formatPeers({ status, peers, requests }: ToxPeers, nowSec: number): string[] {
  const asking = requests.map(
    ({ key, personaId, atSec }) =>
      `friend request from ${personaId === null ? 'somebody' : `persona ${personaId}`}, ${formatTime(atSec, nowSec)}; to accept: persona tox add ${key}`,
  )
  if (peers.length === 0) return [...formatToxStatus(status), ...asking]
  const rows = peers.map((peer) => [
    peer.contact === null ? 'unknown' : showName(peer.contact, null),
    peer.device === null ? keyTail(peer.key) : showName(peer.device, peer.key),
    describePeer(peer),
    formatTime(peer.seenAtSec, nowSec),
  ])
  const [headings, ...lines] = formatTable(['CONTACT', 'DEVICE', 'STATE', 'LAST SEEN'], rows)
  return [...formatToxStatus(status), '', bold(headings!), ...lines, ...asking]
}

function describePeer({ connection, left, refused }: ToxPeer): string {
  if (refused !== null) return `refused by libtoxcore (${refused})`
  const state = connection === 'none' ? 'offline' : 'online'
  return left ? `${state}, no longer in a table` : state
}
