/** `persona device ...`: the owner's table, shown and edited. */
import { describeFinding } from '../io/next-steps.ts'
import { activeDevice } from '../../core/table.ts'
import type { EditResult, OwnTable } from '../../ipc/shapes/own.ts'
import { withDaemon } from '../io/connect.ts'
import { bold, print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { parseDeviceKey } from '../io/keys.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'

/** How a device's key is given: by its profile, or as it stands in a client. */
export interface KeyOptions {
  readonly toxProfile?: string
  readonly key?: string
  /** A file with the passphrase of the profile. */
  readonly profilePassphraseFile?: string
}

/**
 * The key that the options name, or null when they name none.
 * @throws {CliError} USAGE when they name two
 * @throws {ToxError} TOX_BAD_ID, and what reading a profile throws
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
    throw new CliError('USAGE', `which key has ${name}?`, { hint: 'give --tox-profile FILE or --key HEX' })
  }
  const again = options.again === undefined ? {} : { again: true }
  const result = await withDaemon(context, (client) => client.call('device.add', { name, key, ...again }))
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

/** What an edit did, and what is left to do. */
export function printEdit(context: Context, done: string, result: EditResult, more: readonly string[] = []): number {
  const gaveUp = result.gaveUp.map(() => 'the table is published without nicknames from now on: they no longer fit')
  print(context, result, [
    done,
    ...gaveUp,
    ...result.findings.map((finding) => escapeText(describeFinding(finding))),
    ...more,
    'friends see it once it is published: persona tox publish FILE, for each of your profiles',
  ])
  return EXIT_DONE
}

export async function approve(context: Context, device: string): Promise<number> {
  const result = await withDaemon(context, (client) => client.call('device.approve', { device }))
  print(context, result, [`${showName(device, null)} is yours by your own word: a rotation here keeps it`])
  return EXIT_DONE
}

export async function list(context: Context, options: { readonly yaml?: true }): Promise<number> {
  const [table, unapproved] = await withDaemon(context, async (client) => [
    await client.call('device.list'),
    (await client.call('status')).unapproved.map(({ key }) => key),
  ])
  if (options.yaml === true && !context.json) process.stdout.write(await formatYaml(table))
  else print(context, table, formatDevices(table, context.nowSec, unapproved))
  return EXIT_DONE
}

/** @param unapproved keys of devices that came only through a sibling's table */
export function formatDevices(table: OwnTable, nowSec: number, unapproved: readonly string[] = []): string[] {
  const written = `table ${table.seq} of epoch ${table.epoch}, written ${formatTime(table.timeSec, nowSec)}`
  if (table.devices.length === 0) return ['no devices yet: persona device add NAME --tox-profile FILE', written]
  const active = activeDevice(table.devices)
  const rows = table.devices.map((device) => {
    const role = device.companion ? 'companion: does not chat' : device === active ? 'active' : ''
    const asked = unapproved.includes(device.key) ? 'not approved here' : ''
    return [showName(device.name, device.key), device.key, [role, asked].filter(Boolean).join(', ')]
  })
  const [headings, ...devices] = formatTable(['DEVICE', 'TOX PUBLIC KEY', ''], rows)
  const names = table.named ? '' : '; published without nicknames'
  const size = `${countOf(table.devices.length, 'device')}, ${countOf(table.bytesFree, 'byte')} free for words and more devices${names}`
  return [bold(headings!), ...devices, '', size, written]
}

/** The whole table as people and other programs keep it: PersonaID, then nickname and key in order. */
async function formatYaml(table: OwnTable): Promise<string> {
  const { stringify } = await import('yaml')
  const devices = new Map(table.devices.map(({ name, key }) => [name, key]))
  return stringify(new Map([[table.personaId, devices]]))
}
