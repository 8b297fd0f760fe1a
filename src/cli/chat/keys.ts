/** `persona chat keygen`, `add-friend`, `start` and `respond`: a chat between two keys that people have traded, as in the demo of Veilid. */
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import { formatHostPort } from '../../core/encoding/host-port.ts'
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import { checkFree, folded } from '../channels/find.ts'
import { configured } from '../daemon/config.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { isInteractive } from '../io/prompt.ts'
import { chatOf } from './peers.ts'
import { openChat } from './session.ts'

export interface KeyedOptions {
  /** Carriers. */
  readonly over?: string[]
  /** Where veilid-server listens. */
  readonly host?: string
  readonly port?: number
  /** false: the friend does not hear what was read here. */
  readonly marks?: boolean
}

const DEFAULT_PLACE = { host: 'localhost', port: 5959 } as const // format: of veilid-server, and of the demo

export async function keygen(context: Context): Promise<number> {
  const { key } = await withDaemon(context, (client) => client.call('channel.key', { make: true }))
  print(context, { key }, [`your new public key is: ${key}`, 'share it with your friends'])
  return EXIT_DONE
}

export async function addFriend(context: Context, name: string, key: string): Promise<number> {
  const known = { name, key: key.toUpperCase() }
  await withDaemon(context, (client) => client.call('chat.add', known))
  print(context, known, [`added ${escapeText(name)}; to begin: persona chat start ${escapeText(quoteWord(name))}`])
  return EXIT_DONE
}

/** Makes the chat key. At a terminal the chat is open then, and lines wait until the friend responds. */
export async function start(context: Context, name: string, options: KeyedOptions): Promise<number> {
  const ways = await waysOf(context, options)
  return await withDaemon(context, async (client) => {
    const friend = await friendKey(client, name)
    await checkFree(client, name, CHAT_APP)
    const made = await client.call('channel.invite', { app: CHAT_APP, name, persona: false, with: friend, ...ways })
    print(context, made, isInteractive() ? [`new chat key: ${made.invite}`] : [made.invite])
    remark(context, `give it to ${escapeText(name)}, who runs: persona chat respond YOU CHATKEY`)
    return await openAtTerminal(context, client, name, options)
  })
}

/** Uses the chat key of a friend. */
export async function respond(context: Context, name: string, chatKey: string, options: KeyedOptions): Promise<number> {
  const ways = await waysOf(context, options)
  return await withDaemon(context, async (client) => {
    const friend = await friendKey(client, name)
    await checkFree(client, name, CHAT_APP)
    const wishes = { app: CHAT_APP, name, persona: false, with: friend, invite: chatKey, ...ways }
    const begun = await client.call('channel.accept', wishes)
    if (!isInteractive()) print(context, begun, [`the chat opens when ${escapeText(name)} can be reached`])
    return await openAtTerminal(context, client, name, options)
  })
}

async function openAtTerminal(
  context: Context,
  client: Client,
  name: string,
  { marks = true }: KeyedOptions,
): Promise<number> {
  if (!context.json && isInteractive())
    await openChat(context, client, { chat: chatOf(null, name), name, persona: null, channels: [] }, { marks })
  return EXIT_DONE
}

/**
 * The carriers of a chat. The daemon connects to veilid-server, so a place that is named here must be the one of its configuration.
 * @throws {CliError} VEILID_ELSEWHERE
 */
async function waysOf(context: Context, { over, host, port }: KeyedOptions): Promise<{ over?: string[] }> {
  if (host === undefined && port === undefined) return over === undefined ? {} : { over }
  const place = formatHostPort({ host: host ?? DEFAULT_PLACE.host, port: port ?? DEFAULT_PLACE.port })
  const known = await configured(context, 'net.veilid')
  if (known === place) return { over: [...(over ?? []), 'veilid'] }
  const has = typeof known === 'string' ? `names ${escapeText(known)}` : 'names no host and port'
  throw new CliError(
    'VEILID_ELSEWHERE',
    `the daemon connects to veilid-server, and its configuration ${has}, not ${escapeText(place)}`,
    { hint: 'set it, and restart the daemon', details: { place } },
  )
}

/** @throws {CliError} FRIEND_UNKNOWN */
async function friendKey(client: Client, name: string): Promise<string> {
  const { known } = await client.call('chat.known', {})
  const friend = known.find((each) => folded(each.name) === folded(name))
  if (friend !== undefined) return friend.key
  throw new CliError('FRIEND_UNKNOWN', `no key of ${escapeText(name)} is known`)
}
