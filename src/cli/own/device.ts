/** `persona device ...`: shows and edits the owner's table. */
import { describeFinding, SHOW_FRIENDS } from '../io/next-steps.ts'
import { activeDevice } from '../../core/table.ts'
import type { EditResult, OwnTable, ShownByDevice } from '../../ipc/shapes/own.ts'
import type { ShownTable, WatchedProfile } from '../../ipc/shapes/profiles.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { bold } from '../io/style.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { parseDeviceKey } from '../io/keys.ts'
import { rememberProfile } from './own-profile.ts'
import { countOf, formatTable, formatTime, tableNumbers } from '../io/layout.ts'

/** Two ways to give a device's key: its profile, or the key as a client shows it. */
export interface KeyOptions {
  readonly toxProfile?: string
  readonly key?: string
  /** File with the passphrase of the profile. */
  readonly profilePassphraseFile?: string
}

/**
 * Returns the key that the options name, or null if they name no key.
 * @throws {CliError} USAGE if they name two
 * @throws {ToxError} TOX_BAD_ID, and the errors of reading a profile
 */
export async function keyOf(options: KeyOptions): Promise<string | null> {
  if (options.key !== undefined && options.toxProfile !== undefined) {
    throw new CliError('USAGE', 'give either --key or --tox-profile, not both')
  }
  if (options.key !== undefined) return parseDeviceKey(options.key)
  if (options.toxProfile === undefined) return null
  const { profileOpener } = await import('../tox/open.ts')
  const open = profileOpener({ file: options.profilePassphraseFile, option: '--profile-passphrase-file' })
  return (await open(options.toxProfile)).key
}

export async function add(
  context: Context,
  name: string,
  options: KeyOptions & { readonly again?: true },
): Promise<number> {
  const key = await keyOf(options)
  if (key === null) {
    throw new CliError('USAGE', `${name} needs a key`, { hint: 'give --tox-profile FILE or --key HEX' })
  }
  const again = options.again === undefined ? {} : { again: true }
  const result = await withDaemon(context, async (client) => {
    const edit = await client.call('device.add', { name, key, ...again })
    await rememberProfile(context, client, options.toxProfile, key)
    return edit
  })
  return printEdit(context, `added ${showName(name, key)}`, result)
}

export async function rename(context: Context, device: string, name: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('device.rename', { device, name }))
  return printEdit(context, `renamed ${showName(device, null)} to ${showName(name, null)}`, result)
}

export async function activate(context: Context, device: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('device.activate', { device }))
  return printEdit(context, `${showName(device, null)} is now the active device`, result)
}

const GAVE_UP: Record<EditResult['gaveUp'][number], string> = {
  keys: 'your table had entries that this version does not understand; they no longer fit and are gone',
  predecessor:
    'the statement that you follow your earlier persona no longer fits; contacts who have not moved yet do not move',
  names: 'nicknames no longer fit; your table is now published without them',
  settings: 'settings of announcements no longer fit and are gone',
}

/** Prints the edit that was done and the next step. */
export function printEdit(context: Context, done: string, result: EditResult, more: readonly string[] = []): number {
  const gaveUp = result.gaveUp.map((what) => GAVE_UP[what])
  print(context, result, [
    `${done}${tableNumbers(context.verbose, result.table)}`,
    ...gaveUp,
    ...result.findings.map((finding) => escapeText(describeFinding(finding))),
    ...more,
    SHOW_FRIENDS,
  ])
  return EXIT_DONE
}

export async function approve(context: Context, device: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('device.approve', { device }))
  print(context, result, [`approved ${showName(device, null)}: a rotation on this device keeps it`])
  return EXIT_DONE
}

export async function list(context: Context, options: { readonly yaml?: true }): Promise<number> {
  const [table, unapproved, sights] = await withDaemon(context, async (client) => [
    await client.call('device.list'),
    (await client.call('status')).unapproved.map(({ key }) => key),
    sightsOf((await client.call('device.shown')).devices, (await client.call('profile.list')).profiles),
  ])
  if (options.yaml === true && !context.json)
    process.stdout.write((await import('./table-yaml.ts')).formatTableAsYaml(table))
  else print(context, table, formatDevices(table, context.nowSec, unapproved, context.verbose, sights))
  return EXIT_DONE
}

/** Facts about each own device that the table does not hold, by its key. */
export type Sights = ReadonlyMap<string, { readonly isHere: boolean; readonly shows: string }>

/** A watched profile tells what its device shows now; otherwise the last observation does. */
export function sightsOf(shown: readonly ShownByDevice[], watched: readonly WatchedProfile[]): Sights {
  return new Map(
    shown.map(({ key, isHere, state }) => {
      const now = watched.find((profile) => profile.key === key && profile.problem === null)?.shows?.state
      return [key, { isHere, shows: now === undefined || now === 'unread' ? SEEN[state] : SHOWN[now] }]
    }),
  )
}

const SEEN: Readonly<Record<ShownByDevice['state'], string>> = {
  current: 'your table',
  older: 'an older table',
  unnumbered: 'a table of yours',
  unseen: 'not seen yet',
}

const SHOWN: Readonly<Record<Exclude<ShownTable['state'], 'unread'>, string>> = {
  current: 'your table',
  older: 'an older table',
  newer: 'a newer table',
  other: 'another persona',
  none: 'no table',
  damaged: 'a damaged table',
}

/** @param unapproved keys of devices that another device added and the owner has not approved here */
export function formatDevices(
  table: OwnTable,
  nowSec: number,
  unapproved: readonly string[] = [],
  verbose = false,
  sights: Sights = new Map(),
): string[] {
  const written = `last change: ${formatTime(table.timeSec, nowSec)}${tableNumbers(verbose, table)}`
  if (table.devices.length === 0)
    return ['no devices yet; add one: persona device add NAME --tox-profile FILE', written]
  const active = activeDevice(table.devices)
  const rows = table.devices.map((device) => {
    const role = device.companion ? 'companion: does not chat' : device === active ? 'active' : ''
    const approval = unapproved.includes(device.key) ? 'needs your approval' : ''
    const { isHere = false, shows = '' } = sights.get(device.key) ?? {}
    const remarks = [role, isHere ? 'this device' : '', approval].filter(Boolean).join(', ')
    return [showName(device.name, device.key), device.key, shows, remarks]
  })
  const [headings, ...devices] = formatTable(['DEVICE', 'TOX PUBLIC KEY', 'SHOWS', ''], rows)
  const names = table.named ? '' : '; published without nicknames'
  const room = `${countOf(table.devices.length, 'device')}; ${countOf(table.bytesFree, 'byte')} left for your words and more devices${names}`
  const approve =
    unapproved.length === 0
      ? []
      : ['another of your devices added a device; if it is yours: persona device approve NAME']
  return [bold(headings!), ...devices, '', ...approve, room, written]
}
