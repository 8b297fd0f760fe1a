/** `persona app link|links|unlink`: links between apps, by which contacts of the one are proposed in the other. */
import { MAX_A_DAY, RECEIVES, type AppLink, type LinkSettings, type SettingsWish } from '../../ipc/methods/links.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'

export interface LinkOptions {
  readonly provide?: string
  readonly receive?: string
  readonly aDay?: string
}

export async function link(
  context: Context,
  app: string,
  other: string | undefined,
  options: LinkOptions,
): Promise<number> {
  const wish = parseSettings(options)
  if (other === undefined) return await linkable(context, app, wish)
  const made = await withDaemon(context, (client) => client.call('app.link', { app, other, ...wish }))
  print(context, made, formatLink(made))
  return EXIT_DONE
}

/** The apps that an app can be linked with. */
async function linkable(context: Context, app: string, wish: SettingsWish): Promise<number> {
  if (Object.keys(wish).length > 0)
    throw new CliError('USAGE', `name the app with which ${escapeText(app)} is linked`, {
      hint: `to list the apps: persona app link ${escapeText(app)}`,
    })
  const { linkable: all, links: known } = await withDaemon(context, (client) => client.call('app.links'))
  const linked = known.filter((each) => each.app === app || each.other === app)
  const isLinked = (name: string): boolean => linked.some((each) => each.app === name || each.other === name)
  const free = all.filter((name) => name !== app && !isLinked(name))
  const lines =
    free.length === 0
      ? ['there is no other app to link; an app needs the permission propose: persona app allow NAME --can propose']
      : free.map((name) => `persona app link ${app} ${name}`)
  print(context, { linkable: free, links: linked }, [...linked.flatMap(formatLink), ...lines])
  return EXIT_DONE
}

export async function links(context: Context): Promise<number> {
  const { links: all } = await withDaemon(context, (client) => client.call('app.links'))
  print(context, { links: all }, all.length === 0 ? ['no apps are linked'] : all.flatMap(formatLink))
  return EXIT_DONE
}

export async function unlink(context: Context, app: string, other: string): Promise<number> {
  const done = await withDaemon(context, async (client) => {
    const { links: all } = await client.call('app.links')
    const both = all.filter((each) => [each.app, each.other].includes(app) && [each.app, each.other].includes(other))
    const [found] = both
    if (found === undefined || app === other)
      throw new CliError('APP_LINK_UNKNOWN', `${escapeText(app)} and ${escapeText(other)} are not linked`)
    // Each of the two may have asked for it.
    for (const { id } of both) await client.call('app.unlink', { id })
    return found
  })
  const what = done.state === 'asked' ? 'refused the link between' : 'ended the link between'
  print(context, done, [`${what} ${escapeText(done.app)} and ${escapeText(done.other)}`])
  return EXIT_DONE
}

function formatLink({ app, other, state, askedBy, settings, otherSettings }: AppLink): string[] {
  const names = [escapeText(app), escapeText(other)] as const
  if (state === 'asked')
    return [
      `${escapeText(askedBy!)} asks to be linked with ${escapeText(askedBy === app ? other : app)}`,
      `  to link them: persona app link ${names.join(' ')}`,
      `  to refuse it: persona app unlink ${names.join(' ')}`,
    ]
  return [
    `${names[0]} is linked with ${names[1]}${state === 'paused' ? ', but stands still: one of them may not propose contacts now' : ''}`,
    `  ${names[0]} ${describe(settings)}`,
    ...(otherSettings === null ? [] : [`  ${names[1]} ${describe(otherSettings)}`]),
  ]
}

const HOW: Readonly<Record<LinkSettings['receive']['how'], (aDay: number) => string>> = {
  no: () => 'takes nobody from the other one',
  ask: () => 'asks you about those of the other one',
  self: (aDay) => `takes those of the other one by itself, at most ${aDay} a day`,
}

const WHOM: Readonly<Record<Exclude<LinkSettings['provide'], 'named'>, string>> = {
  none: 'nobody',
  all: 'all its contacts',
}

function describe({ provide, contacts, receive }: LinkSettings): string {
  const whom =
    provide === 'named'
      ? contacts.map(({ name, persona }) => showName(name ?? 'somebody', persona)).join(', ')
      : WHOM[provide]
  return `provides ${whom}, and ${HOW[receive.how](receive.aDay)}`
}

/** @throws {CliError} USAGE */
function parseSettings({ provide, receive, aDay }: LinkOptions): SettingsWish {
  if (aDay !== undefined && receive !== 'self')
    throw new CliError('USAGE', '--a-day limits what comes without asking', { hint: 'add --receive self' })
  const how = RECEIVES.find((each) => each === receive)
  if (receive !== undefined && how === undefined)
    throw new CliError('USAGE', `--receive takes ${RECEIVES.join(', ')}, not "${receive}"`)
  const limit = aDay === undefined ? undefined : Number(aDay)
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= MAX_A_DAY))
    throw new CliError('USAGE', `--a-day takes a number from 1 to ${MAX_A_DAY}, not "${aDay}"`)
  return {
    ...(provide === undefined ? {} : parseProvide(provide)),
    ...(how === undefined ? {} : { receive: { how, ...(limit === undefined ? {} : { aDay: limit }) } }),
  }
}

function parseProvide(text: string): SettingsWish {
  if (text === 'none' || text === 'all') return { provide: text }
  const contacts = text.split(',').map((name) => name.trim())
  if (contacts.every((name) => name !== '')) return { provide: 'named', contacts }
  throw new CliError('USAGE', `--provide takes none, all, or names separated by commas, not "${text}"`)
}
