/** `persona app link|links|unlink`: links between apps, by which contacts of the one are proposed in the other. */
import { MAX_A_DAY, RECEIVES, type AppLink, type LinkSettings, type SettingsWish } from '../../ipc/methods/links.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { formatTime } from '../io/layout.ts'

export interface LinkOptions {
  readonly provide?: string
  readonly receive?: string
  readonly aDay?: string
  readonly invite?: boolean
  readonly accept?: string
}

export async function link(
  context: Context,
  app: string,
  other: string | undefined,
  options: LinkOptions,
): Promise<number> {
  const wish = parseSettings(options)
  const { invite: isInvite = false, accept } = options
  if ([isInvite, accept !== undefined, other !== undefined].filter(Boolean).length > 1)
    throw new CliError('USAGE', 'name the other app, or use --invite or --accept, one of them alone')
  if (isInvite) return await invite(context, app, wish)
  if (accept !== undefined) return await acceptInvite(context, app, accept, wish)
  if (other === undefined) return await linkable(context, app, wish)
  const made = await withDaemon(context, async (client) => {
    // An app of another device may have the name: its link has settings of its own.
    const { links: all, linkable: here } = await client.call('app.links')
    const there = all.find((each) => each.elsewhere && each.app === app && each.other === other)
    return there === undefined || here.includes(other)
      ? await client.call('app.link', { app, other, ...wish })
      : await client.call('app.link-set', { id: there.id, ...wish })
  })
  print(context, made, formatLink(made))
  return EXIT_DONE
}

/** Only the invite goes to stdout, so that it can be piped to the other device. */
async function invite(context: Context, app: string, wish: SettingsWish): Promise<number> {
  const made = await withDaemon(context, (client) => client.call('app.link-invite', { app, ...wish }))
  remark(
    context,
    `to use this invite until ${formatTime(made.expiresAtSec, context.nowSec)}: persona app link APP --accept INVITE, on your other device`,
  )
  print(context, made, [made.invite])
  return EXIT_DONE
}

async function acceptInvite(context: Context, app: string, text: string, wish: SettingsWish): Promise<number> {
  const made = await withDaemon(context, (client) => client.call('app.link-accept', { app, invite: text, ...wish }))
  print(context, made, [
    `${escapeText(app)} is linked as soon as your device that made the invite has answered`,
    `  ${escapeText(app)} ${describe(made.settings)}`,
    '  to see the link: persona app links',
  ])
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
    const isBetween = (each: AppLink): boolean =>
      (each.app === app && (each.other ?? each.id) === other) ||
      (!each.elsewhere && each.app === other && each.other === app)
    const both = all.filter(isBetween)
    const [found] = both
    if (found === undefined)
      throw new CliError('APP_LINK_UNKNOWN', `${escapeText(app)} and ${escapeText(other)} are not linked`)
    // Each of the two may have asked for it.
    for (const { id } of both) await client.call('app.unlink', { id })
    return found
  })
  const what = done.state === 'asked' ? 'refused the link between' : 'ended the link between'
  print(context, done, [`${what} ${escapeText(app)} and ${escapeText(other)}`])
  return EXIT_DONE
}

function formatLink({ id, app, other, elsewhere, state, askedBy, settings, otherSettings }: AppLink): string[] {
  if (other === null)
    return [
      `${escapeText(app)} waits for the answer of another device of yours`,
      `  ${escapeText(app)} ${describe(settings)}`,
      `  to give it up: persona app unlink ${escapeText(app)} ${id}`,
    ]
  const names = [escapeText(app), escapeText(other)] as const
  const where = elsewhere ? ' on another device of yours' : ''
  const still = elsewhere ? 'look at it with: persona doctor' : 'one of them may not propose contacts now'
  if (state === 'asked')
    return [
      `${escapeText(askedBy!)} asks to be linked with ${askedBy === app ? names[1] : names[0]}`,
      `  to link them: persona app link ${names.join(' ')}`,
      `  to refuse it: persona app unlink ${names.join(' ')}`,
    ]
  return [
    `${names[0]} is linked with ${names[1]}${where}${state === 'paused' ? `, but stands still: ${still}` : ''}`,
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
