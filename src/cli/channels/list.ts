/** `persona channel list`, `show`, `rename` and `close`. */
import type { ChannelView, InviteView } from '../../ipc/methods/channel-values.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf, formatTable, formatTime } from '../io/layout.ts'
import { bold } from '../io/style.ts'
import { checkFree, findChannel, findEither, HAND_APP, listAll, type Listed, type WithApp } from './find.ts'
import { channelState, describeWays } from './states.ts'

export async function list(context: Context, options: WithApp): Promise<number> {
  const all = await withDaemon(context, (client) => listAll(client, options))
  print(context, all, formatList(all, context.nowSec))
  return EXIT_DONE
}

export function formatList({ channels, invites }: Listed, nowSec: number): string[] {
  if (channels.length + invites.length === 0) return ['no channels; make one with: persona channel invite NAME']
  const rows = [
    ...channels.map((channel) => [
      showName(channel.name, channel.peer.persona),
      channel.app,
      channel.unread === 0 ? '' : String(channel.unread),
      channel.waiting === 0 ? '' : String(channel.waiting),
      channelState(channel),
    ]),
    ...invites.map(({ name, app, expiresAtSec }) => [
      showName(name, null),
      app,
      '',
      '',
      `invited, good until ${formatTime(expiresAtSec, nowSec)}`,
    ]),
  ]
  const shown = rows.every(([, app]) => app === HAND_APP) ? rows.map((row) => row.toSpliced(1, 1)) : rows
  const headings = ['NAME', 'APP', 'NEW', 'UNSENT', 'STATE']
  const [first, ...lines] = formatTable(shown === rows ? headings : headings.toSpliced(1, 1), shown)
  return [bold(first!), ...lines]
}

export async function show(context: Context, name: string, options: WithApp): Promise<number> {
  const channel = await withDaemon(context, (client) => findChannel(client, name, options))
  print(context, channel, formatChannel(channel, context.nowSec))
  return EXIT_DONE
}

export function formatChannel(channel: ChannelView, nowSec: number): string[] {
  const { name, peer, app, id, words, verified, unread, waiting, carriers, direct, refused } = channel
  return [
    showName(name, peer.persona),
    ...(peer.name === null || peer.name === name ? [] : [`calls itself:  ${escapeText(peer.name)}`]),
    `state:         ${channelState(channel)}`,
    ...waitingAdvice(channel, nowSec),
    `persona:       ${peer.persona ?? 'none'}`,
    `verified:      ${verified ? 'yes' : 'no'}`,
    ...(words === null ? [] : [`words:         ${words.join(' ')}`, ...wordsAdvice(channel)]),
    `app:           ${app}`,
    `came:          ${lastTime(channel.lastReceivedSec, nowSec)}; ${countOf(unread, 'content')} not read`,
    `went:          ${lastTime(channel.lastDeliveredSec, nowSec)}; ${countOf(waiting, 'content')} not delivered`,
    `receives:      ${describeWays(carriers)}`,
    ...(direct === null ? [] : [`directly:      ${direct === 'open' ? 'yes, now' : 'not now'}`]),
    ...(refused === 0 ? [] : [`refused:       ${countOf(refused, 'damaged or forged message')}`]),
    `id:            ${id}`,
  ]
}

/** The host answers nothing to an invite that is not its own text, so a guest cannot know why nobody answers. */
function waitingAdvice({ state, reason, madeSec }: ChannelView, nowSec: number): string[] {
  if (state !== 'waiting' || reason !== null) return []
  const since = formatTime(madeSec, nowSec)
  return [`no answer since ${since}: their device may be off, or the invite was changed on its way`]
}

function lastTime(atSec: number | null, nowSec: number): string {
  return atSec === null ? 'nothing yet' : `last ${formatTime(atSec, nowSec)}`
}

/** The advice below words that nobody has compared yet. */
export function wordsAdvice({ verified, name }: Pick<ChannelView, 'verified' | 'name'>): string[] {
  if (verified) return []
  const command = `persona channel verify ${quoteWord(name)}`
  return [`compare them with ${escapeText(name)} by telephone or face to face: ${escapeText(command)}`]
}

export async function rename(context: Context, name: string, next: string, options: WithApp): Promise<number> {
  const channel = await withDaemon(context, async (client) => {
    const { id, app } = await findChannel(client, name, options)
    await checkFree(client, next, app)
    return await client.call('channel.rename', { id, name: next })
  })
  print(context, channel, [`renamed ${escapeText(name)} to ${escapeText(channel.name)}`])
  return EXIT_DONE
}

export async function close(context: Context, name: string, options: WithApp): Promise<number> {
  const { found, done } = await withDaemon(context, async (client) => {
    const found = await findEither(client, name, options)
    return { found, done: await client.call('channel.close', { id: found.id }) }
  })
  print(context, { id: found.id, ...done }, [describeClosed(found)])
  return EXIT_DONE
}

function describeClosed(found: ChannelView | InviteView | { readonly id: string }): string {
  if (!('name' in found)) return `removed ${found.id}`
  const who = escapeText(found.name)
  if (!('state' in found)) return `withdrew the invite for ${who}: nobody can use it any more`
  if (['broken', 'gone', 'closed'].includes(found.state)) return `removed the channel with ${who}`
  return `closed the channel with ${who}; its keys are erased, and the other side learns of it when it can be reached`
}
