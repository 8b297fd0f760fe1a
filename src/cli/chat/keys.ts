/** `persona chat keygen`, `add-friend`, `start` and `respond`: a chat between two keys that people have traded, as in the demo of Veilid. */
import { chatOf } from '../../core/encoding/chat-content.ts'
import { CHAT_APP } from '../../core/encoding/app-name.ts'
import { formatHostPort } from '../../core/encoding/host-port.ts'
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import { checkFree, folded } from '../channels/find.ts'
import { configured } from '../daemon/config.ts'
import { withDaemon } from '../io/connect.ts'
import { print, remark, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE, hasCode } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'
import { isInteractive } from '../io/prompt.ts'
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
  const before = await withDaemon(context, async (client) => {
    if ((await ownKey(client)) === known.key)
      throw new CliError('PAIR_KEY_OWN', `this is your own key, not that of ${escapeText(name)}`, {
        hint: 'note the key that they see at their keygen',
      })
    const earlier = await knownKey(client, name)
    await client.call('chat.add', known)
    return earlier
  })
  const what =
    before === null || before === known.key
      ? `added ${escapeText(name)}`
      : `${escapeText(name)} has another key from now on; the one before was ${before}`
  print(context, known, [`${what}; to begin: persona chat start ${escapeText(quoteWord(name))}`])
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
    if (!isInteractive())
      print(context, begun, [
        `the chat opens when ${escapeText(name)} can be reached; if it never does, compare your keys`,
      ])
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
  const key = await knownKey(client, name)
  if (key !== null) return key
  throw new CliError('FRIEND_UNKNOWN', `no key of ${escapeText(name)} is known`, {
    hint: 'ask them for the public key of their keygen, and note it',
    details: { name },
  })
}

/** The key that was noted under a name; null without one. */
async function knownKey(client: Client, name: string): Promise<string | null> {
  const { known } = await client.call('chat.known', {})
  return known.find((each) => folded(each.name) === folded(name))?.key ?? null
}

/** Null before `keygen`. */
async function ownKey(client: Client): Promise<string | null> {
  try {
    return (await client.call('channel.key', {})).key
  } catch (error) {
    if (hasCode(error, 'PAIR_KEY_NONE')) return null
    throw error
  }
}
