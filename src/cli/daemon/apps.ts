/** `persona app ...`: which local apps may do what, and for how long. */
import type { App, Capability } from '../../ipc/shapes/apps.ts'
import { withDaemon } from '../io/connect.ts'
import { bold, print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'

export interface GrantOptions {
  readonly can?: string
  readonly for?: string
}

const CAPABILITIES: readonly string[] = ['read', 'observe', 'publish'] satisfies Capability[]
const MAX_DURATION_SEC = 3660 * 86_400 // sanity: what the daemon takes
const UNIT_SEC: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 7 * 86_400 }

/** The token goes to stdout alone, so that it can be piped to where the app keeps it. */
export async function allow(context: Context, name: string, options: GrantOptions): Promise<number> {
  const can = parseCapabilities(options.can)
  if (can === null) throw unnamed(name, 'such as --can read,observe')
  const forSec = parseDuration(options.for)
  const given = await withDaemon(context, (client) =>
    client.call('app.allow', { name, can, ...(forSec === null ? {} : { forSec }) }),
  )
  remark(
    context,
    `${name} may ${given.app.can.join(', ')} ${untilWhen(given.app, context.nowSec)}; give it this token, which is shown only now:`,
  )
  print(context, given, [given.token])
  return EXIT_DONE
}

export async function list(context: Context): Promise<number> {
  const { apps } = await withDaemon(context, (client) => client.call('app.list'))
  const allowed = apps.filter(({ can }) => can.length > 0)
  print(context, { apps: allowed }, formatApps(allowed, context.nowSec))
  const asking = apps.filter(({ asks }) => asks !== null).length
  if (asking > 0) remark(context, `${countOf(asking, 'app asks', 'apps ask')} for more: persona app pending`)
  return EXIT_DONE
}

function formatApps(apps: readonly App[], nowSec: number): string[] {
  if (apps.length === 0)
    return ['no app has a token; all apps may do what the configuration says under apps.default_capabilities']
  const rows = apps.map((app) => [
    app.name,
    app.can.join(', '),
    untilWhen(app, nowSec),
    formatTime(app.usedAtSec, nowSec),
  ])
  const [headings, ...lines] = formatTable(['APP', 'MAY', 'UNTIL', 'LAST USED'], rows)
  return [bold(headings!), ...lines]
}

function untilWhen({ expiresAtSec }: App, nowSec: number): string {
  if (expiresAtSec === null) return 'until it is revoked'
  return expiresAtSec <= nowSec ? 'expired' : `until ${formatTime(expiresAtSec, nowSec)}`
}

export async function pending(context: Context): Promise<number> {
  const { apps } = await withDaemon(context, (client) => client.call('app.list'))
  const asking = apps.filter(({ asks }) => asks !== null)
  print(context, { apps: asking }, asking.length === 0 ? ['no app asks for anything'] : asking.flatMap(formatWish))
  return EXIT_DONE
}

function formatWish({ name, can, asks }: App): string[] {
  const has = can.length === 0 ? 'a new app' : `may ${can.join(', ')} already`
  const why = asks!.why === '' ? 'gives no reason' : `says: ${escapeText(asks!.why)}`
  return [
    `${name} (${has}) asks to ${asks!.can.join(', ')}; it ${why}`,
    // By name: what it asks for when that is typed may be more.
    `  persona app accept ${name} --can ${asks!.can.join(',')}, or persona app reject ${name}`,
  ]
}

export async function accept(context: Context, name: string, options: GrantOptions): Promise<number> {
  const [can, forSec] = [parseCapabilities(options.can), parseDuration(options.for)]
  if (can === null)
    throw unnamed(name, '"persona app pending" shows what it asks for: give that, or less, as --can LIST')
  const app = await withDaemon(context, (client) =>
    client.call('app.accept', { name, can, ...(forSec === null ? {} : { forSec }) }),
  )
  print(context, app, [`${name} may ${app.can.join(', ')} ${untilWhen(app, context.nowSec)}`])
  return EXIT_DONE
}

export async function reject(context: Context, name: string): Promise<number> {
  const app = await withDaemon(context, (client) => client.call('app.reject', { name }))
  print(context, app, [
    app.can.length === 0 ? `${name} was refused` : `${name} was refused; it may still ${app.can.join(', ')}`,
  ])
  return EXIT_DONE
}

export async function revoke(context: Context, name: string): Promise<number> {
  const done = await withDaemon(context, (client) => client.call('app.revoke', { name }))
  print(context, done, [
    `${name} may do nothing more than any app`,
    `what it reported of ${countOf(done.reportedDevices, 'device')} is taken back, with all that rested on it alone`,
  ])
  return EXIT_DONE
}

function unnamed(name: string, hint: string): CliError {
  return new CliError('USAGE', `what may ${name} do?`, { hint })
}

/** @throws {CliError} USAGE */
export function parseCapabilities(text: string | undefined): Capability[] | null {
  if (text === undefined) return null
  const words = text.split(',').map((word) => word.trim())
  const unknown = words.find((word) => !CAPABILITIES.includes(word))
  if (unknown === undefined) return words as Capability[]
  throw new CliError('USAGE', `"${unknown}" is nothing that an app can be allowed`, {
    hint: `--can takes any of ${CAPABILITIES.join(', ')}`,
  })
}

/** Minutes, hours, days or weeks, in seconds. @throws {CliError} USAGE */
export function parseDuration(text: string | undefined): number | null {
  if (text === undefined) return null
  const [, count, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  const seconds = Number(count) * (UNIT_SEC[unit ?? ''] ?? 0)
  if (seconds > MAX_DURATION_SEC) throw new CliError('USAGE', `"${text}" is too long: at most 3660d`)
  if (seconds > 0) return seconds
  throw new CliError('USAGE', `"${text}" is no time span`, { hint: 'such as 90m, 12h, 30d or 8w' })
}
