/** `persona announce` and `persona contact refresh`: the own table on the DHT, and the tables of contacts there. */
import type { Client } from '../../ipc/client.ts'
import type { AnnounceKind } from '../../core/announce/settings.ts'
import type { AnnounceStatus, Refreshed } from '../../ipc/methods/announce.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { announcedWhere } from '../io/announced.ts'

/** Puts the table on the DHT now if it is announced, and tells how it stands. */
export async function announce(context: Context): Promise<number> {
  return await show(context, async (client) => {
    const status = await client.call('announce.status')
    return status.kind === null || !status.network ? status : await client.call('announce.now')
  })
}

export interface AnnounceOptions {
  readonly kind?: AnnounceKind
}

export async function announceOn(context: Context, { kind }: AnnounceOptions): Promise<number> {
  return await show(
    context,
    (client) => client.call('announce.on', kind === undefined ? {} : { kind }),
    'Contacts find it once they have seen your new status message: persona publish',
  )
}

export async function announceOff(context: Context): Promise<number> {
  return await show(context, (client) => client.call('announce.off'), 'The nodes forget your table within two hours.')
}

export async function announceReread(context: Context): Promise<number> {
  return await show(
    context,
    (client) => client.call('announce.reread'),
    'Contacts find you again once they have seen your new status message: persona publish',
  )
}

async function show(
  context: Context,
  call: (client: Client) => Promise<AnnounceStatus>,
  ...more: readonly string[]
): Promise<number> {
  return await withDaemon(context, async (client) => {
    const status = await call(client)
    const { counts } = await client.call('status')
    print(context, status, [...formatAnnounce(status, counts.contacts, Date.now() / 1000), ...more])
    return status.items.some(({ problem }) => problem !== null) ? EXIT_FAILED : EXIT_DONE
  })
}

/** How announcements are: one sentence, then what is wrong. */
export function formatAnnounce(status: AnnounceStatus, contacts: number, nowSec: number): string[] {
  const { kind, network, readingKey, waitsForKey, items, devicesLeftOut } = status
  const others = network ? aboutOthers(status, contacts) : []
  const where = announcedWhere(status, nowSec)
  if (where === null) return [['announcements are off', ...others].join('; ')]
  const forwards = items.filter(({ forward }) => forward)
  const nowhere = forwards.filter(({ problem }) => problem !== null).length
  return [
    [`your table is ${where}`, ...others].join('; '),
    ...(forwards.length > 0
      ? [
          `${countOf(forwards.length, 'further announcement')} for contacts who know an earlier key of yours${nowhere === 0 ? '' : `, ${nowhere} of them on no node`}`,
        ]
      : []),
    ...(waitsForKey ? ['the newest table waits for the signing key: persona unlock'] : []),
    ...(readingKey || kind !== 'contacts'
      ? []
      : [
          'your table had no room for a reading key: everybody who ever saw one of your tables can read the announcements',
        ]),
    ...(devicesLeftOut === 0
      ? []
      : [
          `it has no room for the keys of the last ${devicesLeftOut} of your devices: who knows only one of these cannot open it`,
        ]),
    ...(network
      ? []
      : [
          'this daemon cannot reach the DHT, so only another device of yours can put it there',
          'to put it from here, name nodes in net.bootstrap, set no net.proxy, and restart the daemon: persona config edit',
        ]),
  ]
}

/** The contacts who announce, and the bytes that it costs. */
function aboutOthers({ following, bytesToday, bytesYesterday }: AnnounceStatus, contacts: number): string[] {
  const yesterday = bytesYesterday > 0 ? [`${formatBytes(bytesYesterday)} yesterday`] : []
  return [
    ...(contacts > 0 ? [`${following} of ${countOf(contacts, 'contact')} announce${contacts === 1 ? 's' : ''}`] : []),
    [...yesterday, `${formatBytes(bytesToday)} today`].join(', '),
  ]
}

export async function refresh(context: Context, name: string | undefined): Promise<number> {
  return await withDaemon(context, async (client) => {
    const result = await client.call('contact.refresh', name === undefined ? {} : { contact: name })
    print(context, result, formatRefreshed(result))
    return result.contacts.some(({ problem }) => problem !== null) ? EXIT_FAILED : EXIT_DONE
  })
}

export function formatRefreshed({ contacts }: Refreshed): string[] {
  if (contacts.length === 0) return ['no contact announces a table']
  return contacts.map(({ name, items, changed, announced, problem }) => {
    const shown = showName(name, null)
    if (problem !== null) return `${shown}: not looked up: ${escapeText(problem)}`
    if (items === 0)
      return `${shown}: nothing found${announced ? '' : '; you have seen no table of this contact that says that it is announced'}`
    if (!announced && !changed)
      return `${shown}: an announcement is there, and nothing known here opens it; a table of theirs does, or one of their devices as your friend in Tox`
    return `${shown}: ${changed ? 'a newer table' : 'nothing new'}`
  })
}

function formatBytes(bytes: number): string {
  return bytes < 1_000_000 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
