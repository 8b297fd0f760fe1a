/** `persona app ...`: permissions of local apps. */
import type { App, AppName } from '../../ipc/shapes/apps.ts'
import type { Capability } from '../../ipc/shapes/capabilities.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { bold } from '../io/style.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { parseTimeSpan } from '../io/time-span.ts'

export interface GrantOptions {
  readonly can?: string
  readonly for?: string
  readonly as?: string
}

/** Only the token goes to stdout, so that it can be piped into the configuration of the app. */
export async function allow(context: Context, name: string, options: GrantOptions): Promise<number> {
  const can = await parseCapabilities(options.can)
  if (can === null) throw unnamed(name, 'add --can LIST, for example: --can read,observe')
  const forSec = parseTimeSpan(options.for)
  const given = await withDaemon(context, (client) =>
    client.call('app.allow', { name, can, ...(forSec === null ? {} : { forSec }), ...asParam(options) }),
  )
  remark(
    context,
    `${name} may ${given.app.can.join(', ')} ${untilWhen(given.app, context.nowSec)}. Give it this token, which is shown only now:`,
  )
  print(context, given, [given.token])
  return EXIT_DONE
}

export async function list(context: Context): Promise<number> {
  const { apps, names } = await withDaemon(context, (client) => client.call('app.list'))
  const allowed = apps.filter(({ can }) => can.length > 0)
  print(context, { apps: allowed, names }, [...formatApps(allowed, context.nowSec), ...formatNames(names)])
  const asking = apps.filter(({ asks }) => asks !== null).length
  if (asking > 0) remark(context, `${countOf(asking, 'app asks', 'apps ask')} for permission; see: persona app pending`)
  return EXIT_DONE
}

function formatApps(apps: readonly App[], nowSec: number): string[] {
  if (apps.length === 0)
    return ['no app has a token; every app may do what apps.default_capabilities in the configuration allows']
  const rows = apps.map((app) => [
    app.name,
    app.can.join(', '),
    untilWhen(app, nowSec),
    formatTime(app.usedAtSec, nowSec),
  ])
  const [headings, ...lines] = formatTable(['APP', 'MAY', 'UNTIL', 'LAST USED'], rows)
  return [bold(headings!), ...lines]
}

/** Names that differ from those of their apps, and those of revoked apps. */
function formatNames(names: readonly AppName[]): string[] {
  return names.flatMap(({ name, app }) => {
    if (app === null)
      return [`${name} is kept for an app that you revoked; to free it, with its channels: persona app release ${name}`]
    return app === name ? [] : [`${app} speaks to the apps of others as ${name}`]
  })
}

function untilWhen({ expiresAtSec }: App, nowSec: number): string {
  if (expiresAtSec === null) return 'until you revoke it'
  return expiresAtSec <= nowSec ? 'expired' : `until ${formatTime(expiresAtSec, nowSec)}`
}

export async function pending(context: Context): Promise<number> {
  const { apps } = await withDaemon(context, (client) => client.call('app.list'))
  const asking = apps.filter(({ asks }) => asks !== null)
  print(context, { apps: asking }, asking.length === 0 ? ['no app asks for permission'] : asking.flatMap(formatWish))
  return EXIT_DONE
}

function formatWish({ name, can, asks }: App): string[] {
  const has = can.length === 0 ? 'a new app' : `may already ${can.join(', ')}`
  const why = asks!.why === '' ? 'gives no reason' : `gives this reason: ${escapeText(asks!.why)}`
  return [
    `${name} (${has}) asks to ${asks!.can.join(', ')}; it ${why}`,
    // Lists the permissions, because the app may ask for more before the user types this.
    `  to grant it: persona app accept ${name} --can ${asks!.can.join(',')}${asOf(name, asks!.can)}`,
    `  to refuse it: persona app reject ${name}`,
  ]
}

/** An app with a number has no name of its own for the apps of others. */
function asOf(name: string, can: readonly Capability[]): string {
  return name.includes('#') && can.includes('channel') ? ' --as org.example.app' : ''
}

export async function accept(context: Context, name: string, options: GrantOptions): Promise<number> {
  const [can, forSec] = [await parseCapabilities(options.can), parseTimeSpan(options.for)]
  if (can === null) throw unnamed(name, 'add --can LIST with everything it asks for, or less; see: persona app pending')
  const app = await withDaemon(context, (client) =>
    client.call('app.accept', { name, can, ...(forSec === null ? {} : { forSec }), ...asParam(options) }),
  )
  print(context, app, [`${name} may ${app.can.join(', ')} ${untilWhen(app, context.nowSec)}`])
  return EXIT_DONE
}

export async function reject(context: Context, name: string): Promise<number> {
  const app = await withDaemon(context, (client) => client.call('app.reject', { name }))
  print(context, app, [
    app.can.length === 0 ? `rejected ${name}` : `rejected ${name}; it may still ${app.can.join(', ')}`,
  ])
  return EXIT_DONE
}

export async function revoke(context: Context, name: string): Promise<number> {
  const done = await withDaemon(context, (client) => client.call('app.revoke', { name }))
  print(context, done, [
    `revoked ${name}; it may now do only what every app may`,
    ...(done.reportedDevices === 0
      ? []
      : [
          `discarded its reports about ${countOf(done.reportedDevices, 'device')}, and everything that rested only on them`,
        ]),
  ])
  return EXIT_DONE
}

export async function release(context: Context, name: string): Promise<number> {
  const done = await withDaemon(context, (client) => client.call('app.release', { name }))
  print(context, done, [
    `released ${name}; the app that you give this name next also has its channels, if some are left`,
  ])
  return EXIT_DONE
}

function asParam({ as }: GrantOptions): { readonly as?: string } {
  return as === undefined ? {} : { as }
}

function unnamed(name: string, hint: string): CliError {
  return new CliError('USAGE', `${name} needs permissions`, { hint })
}

/** @throws {CliError} USAGE */
async function parseCapabilities(text: string | undefined): Promise<Capability[] | null> {
  if (text === undefined) return null
  // Loaded only here: the table of methods is some 50 ms of work.
  const { capabilities } = (await import('../../ipc/methods/all-methods.ts')).PROTOCOL
  const words = text.split(',').map((word) => word.trim())
  const unknown = words.find((word) => !capabilities.includes(word))
  if (unknown === undefined) return words
  throw new CliError('USAGE', `"${unknown}" is not a permission`, {
    hint: `--can takes any of ${capabilities.join(', ')}`,
  })
}
