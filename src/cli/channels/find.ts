/** Finds channels and open invites by the names that their owner gave them. These names are a name space of their own, within one app. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import { channelId, type ChannelView, type InviteView } from '../../ipc/methods/channel-values.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import { CliError } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'

/** The app of channels that people use by hand. */
export const HAND_APP = 'chat'

export interface WithApp {
  readonly app?: string
}

export interface Listed {
  readonly channels: readonly ChannelView[]
  readonly invites: readonly InviteView[]
}

/** All channels and open invites, of one app or of all. */
export async function listAll(client: Client, { app }: WithApp): Promise<Listed> {
  const channels: ChannelView[] = []
  for (let after: string | null = null; ;) {
    const page: Listed & { next: string | null } = await client.call('channel.list', {
      limit: MAX_PAGE,
      ...(app === undefined ? {} : { app }),
      ...(after === null ? {} : { after }),
    })
    channels.push(...page.channels)
    if (page.next === null) return { channels, invites: page.invites }
    after = page.next
  }
}

/**
 * The channel with this name or id.
 * @throws {CliError} CHANNEL_UNKNOWN | INVITE_UNUSED | AMBIGUOUS
 */
export async function findChannel(client: Client, name: string, only: WithApp): Promise<ChannelView> {
  const { channels, invites } = await listAll(client, only)
  const found = theOne(channels, name)
  if (found !== null) return found
  if (theOne(invites, name) !== null) throw unused(name)
  throw unknown(name)
}

/** Tells that an invite is all that there is. @returns the error INVITE_UNUSED */
export function unused(name: string): CliError {
  return new CliError('INVITE_UNUSED', `nobody has used the invite for ${escapeText(name)} yet`, {
    hint: 'wait until they use it; if its line is lost, withdraw the invite, and make a new one',
    details: { channel: name },
  })
}

/**
 * The channel or the open invite with this name or id. An id stands alone where no list has it: the daemon may be unable to read its record.
 * @throws {CliError} CHANNEL_UNKNOWN | AMBIGUOUS
 */
export async function findEither(
  client: Client,
  name: string,
  only: WithApp,
): Promise<ChannelView | InviteView | { readonly id: string }> {
  const { channels, invites } = await listAll(client, only)
  const found = theOne<ChannelView | InviteView>([...channels, ...invites], name)
  if (found !== null) return found
  if (channelId.safeParse(name).success) return { id: name }
  throw unknown(name)
}

/** Refuses a name that another channel or invite of the app has. @throws {CliError} NAME_TAKEN */
export async function checkFree(client: Client, name: string, app: string): Promise<void> {
  const { channels, invites } = await listAll(client, { app })
  if (![...channels, ...invites].some((each) => folded(each.name) === folded(name))) return
  throw new CliError('NAME_TAKEN', `a channel or an invite with the name ${escapeText(name)} exists already`, {
    hint: 'choose another name, or close that one',
    details: { channel: name },
  })
}

/** @throws {CliError} AMBIGUOUS */
function theOne<T extends { readonly id: string; readonly name: string }>(all: readonly T[], name: string): T | null {
  const found = all.filter((each) => each.id === name || folded(each.name) === folded(name))
  if (found.length <= 1) return found[0] ?? null
  const ids = found.map(({ id }) => id).join(', ')
  throw new CliError('AMBIGUOUS', `${found.length} channels have the name ${escapeText(name)}`, {
    hint: `add --app APP, or name one by its id: ${ids}`,
  })
}

function unknown(name: string): CliError {
  return new CliError('CHANNEL_UNKNOWN', `no channel has the name ${escapeText(name)}`)
}

/** Names as they are compared. As contacts: people type names without looking at capitals. */
export function folded(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** The command of the other side. An invite for another app is used by that app, or by hand with its name. */
export function acceptCommand(app: string): string {
  if (app === CHAT_APP) return 'persona chat accept INVITE'
  return `persona channel accept INVITE${app === HAND_APP ? '' : ` --app ${app}`}`
}
