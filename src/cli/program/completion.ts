/** `persona completion SHELL` prints a script that completes commands, options and names. The script calls `persona completion names`. */
import type { Command } from 'commander'
import { connect, type Client } from '../../ipc/client.ts'
import { MAX_PAGE } from '../../ipc/shapes/limits.ts'
import { bashScript, fishScript, zshScript } from './completion-scripts.ts'
import { commandTree } from './command-tree.ts'
import type { Context } from '../io/context.ts'
import { CliError, EXIT_DONE, EXIT_FAILED } from '../io/errors.ts'
import { escapeText } from '../io/escape.ts'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const
const TIMEOUT_MS = 1000 // sanity: after a second of waiting for the Tab key, people type on
const MAX_NAMES = 200 // sanity: shells ask before they show more

/**
 * @param program the whole tree of commands
 * @param words kind and beginning of the names; only the scripts pass them
 */
export async function completion(
  context: Context,
  program: Command,
  shell: string,
  words: readonly string[],
): Promise<number> {
  if (shell === 'names') return await printNames(context, words[0] ?? '', words[1] ?? '')
  if (words.length > 0 || !Object.hasOwn(SCRIPTS, shell)) {
    throw new CliError('USAGE', 'completion needs one shell: bash, zsh or fish', {
      hint: 'run: persona completion bash',
    })
  }
  const tree = commandTree(program)
  process.stdout.write(SCRIPTS[shell as keyof typeof SCRIPTS](tree))
  return EXIT_DONE
}

/** Without a daemon it prints nothing, not even an error: the user is in the middle of a line. */
async function printNames(context: Context, kind: string, prefix: string): Promise<number> {
  let client: Client | null = null
  try {
    client = await connect({ socketPath: context.paths.adminSocket, timeoutMs: TIMEOUT_MS })
    const names = (await namesOf(client, kind, prefix)).filter((name) => name.startsWith(prefix)).filter(isTypeable)
    process.stdout.write(
      names
        .slice(0, MAX_NAMES)
        .map((name) => `${name}\n`)
        .join(''),
    )
    return EXIT_DONE
  } catch {
    return EXIT_FAILED
  } finally {
    await client?.close()
  }
}

async function namesOf(client: Client, kind: string, prefix: string): Promise<string[]> {
  switch (kind) {
    case 'contacts':
      return await contactNames(client, prefix)
    case 'devices':
      return (await client.call('device.list')).devices.map(({ name }) => name)
    case 'apps':
      return (await client.call('app.list')).apps.map(({ name }) => name)
    case 'channels':
      return await channelNames(client)
    default:
      return []
  }
}

/**
 * One page is enough, because it starts at the prefix. A contact named exactly like the prefix comes before that page, so it is looked up.
 * Blocked contacts are included: somebody may want to unblock them.
 */
async function contactNames(client: Client, prefix: string): Promise<string[]> {
  const page = { limit: MAX_PAGE, blocked: true }
  if (prefix === '') return (await client.call('contact.list', page)).contacts.map(({ name }) => name)
  const folded = prefix.normalize('NFC').toLowerCase()
  const [{ contact }, { contacts }] = await Promise.all([
    client.call('lookup', { query: prefix }),
    client.call('contact.list', { ...page, after: folded }),
  ])
  return [...(contact === null ? [] : [contact]), ...contacts].map(({ name }) => name)
}

/** Channels, and the invites that can be withdrawn. */
async function channelNames(client: Client): Promise<string[]> {
  const { channels, invites } = await client.call('channel.list', { limit: MAX_PAGE })
  return [...new Set([...channels, ...invites].map(({ name }) => name))]
}

/** Anybody chooses their own name. Names that a shell or a terminal would not take literally are left out. */
function isTypeable(name: string): boolean {
  return name !== '' && !name.startsWith('-') && escapeText(name) === name
}
