/** The findings about announcements, for `status` and `doctor`. */
import type { AnnounceStatus } from '../../ipc/methods/announce.ts'
import { notice, ok, problem, type Finding } from '../../ipc/shapes/doctor.ts'

export const NO_DHT =
  'its configuration names no node of the DHT (net.bootstrap), or names a proxy, which the DHT cannot use (net.proxy)'
const TRIES_AGAIN = 'the daemon tries again every minute; to try now'

export function announceFindings(status: AnnounceStatus): Finding[] {
  const { kind, items } = status
  if (kind === null) return []
  const found = [...settingFindings(status), ...itemFindings(items)]
  const nodes = items.find(({ forward }) => !forward)?.nodes ?? null
  if (found.length > 0 || nodes === null) return found
  return [ok('ANNOUNCE', `your table is announced: ${nodes === 1 ? '1 node keeps' : `${nodes} nodes keep`} it`)]
}

/** Devices that show a short status to which no table was found. Their owners chose it, so it is for whoever asks, and no part of the status. */
export function shortFindings({ shortsUnknown, lookups }: AnnounceStatus): Finding[] {
  if (shortsUnknown === 0) return []
  const [devices, show] = shortsUnknown === 1 ? ['1 device', 'shows'] : [`${shortsUnknown} devices`, 'show']
  const message = `${devices} ${show} a short status that leads to no table known here`
  return lookups
    ? [notice('SHORT_UNKNOWN', message, 'the daemon looks each up every hour; to look now')]
    : [
        notice(
          'SHORT_UNKNOWN_OFF',
          message,
          'this daemon looks no table up on the DHT: name nodes in net.bootstrap, without net.proxy and without announce.lookups: false',
        ),
      ]
}

function settingFindings({ kind, network, waitsForKey, readingKey, devicesLeftOut }: AnnounceStatus): Finding[] {
  const found: Finding[] = []
  if (!network)
    found.push(
      problem(
        'ANNOUNCE_NO_NETWORK',
        `your table says that it is announced, but this daemon cannot do it: ${NO_DHT}`,
        'change the configuration and restart the daemon, or turn announcements off',
      ),
    )
  if (waitsForKey)
    found.push(
      notice(
        'ANNOUNCE_LOCKED',
        'your newest table is not announced yet, because the signing key is locked',
        'unlock it',
      ),
    )
  if (!readingKey && kind === 'contacts')
    found.push(
      notice(
        'ANNOUNCE_NO_READING_KEY',
        'your table had no room for a reading key, so whoever has seen any of your tables finds your announcements, also a former contact',
        'remove a device or shorten nicknames',
      ),
    )
  if (devicesLeftOut > 0)
    found.push(
      notice(
        'ANNOUNCE_DEVICES_LEFT_OUT',
        `the announcement has no room for the keys of the last ${devicesLeftOut} of your devices: who knows only one of these cannot open it`,
        'remove a device or shorten nicknames, or change the order of the devices',
      ),
    )
  return found
}

function itemFindings(items: AnnounceStatus['items']): Finding[] {
  const failed = items.find((item) => item.nodes === null && item.problem !== null)
  if (failed !== undefined)
    return [notice('ANNOUNCE_FAILED', `an announcement could not be put: ${failed.problem}`, TRIES_AGAIN)]
  const table = items.find(({ forward }) => !forward)
  if (table?.nodes === 0)
    return [
      problem(
        'ANNOUNCE_NOWHERE',
        `no node of the DHT keeps your announcement: ${table.problem}`,
        'check net.bootstrap, the connection and the clock',
      ),
    ]
  if (items.some(({ forward, nodes }) => forward && nodes === 0))
    return [
      notice(
        'ANNOUNCE_FORWARD_NOWHERE',
        'no node of the DHT keeps the announcement that leads on friends who know only an earlier key of yours; your status message leads them',
        TRIES_AGAIN,
      ),
    ]
  return []
}
