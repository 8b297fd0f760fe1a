/** `persona chat ...`: lines between two people, on all of their devices. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import type { AcceptOptions } from '../channels/accept.ts'
import type { InviteOptions } from '../channels/invite.ts'
import type { ChatOptions } from '../chat/session.ts'
import type { KeyedOptions } from '../chat/keys.ts'
import { withOver, withShown } from './channel.ts'
import type { Runner } from './options.ts'

const MAX_SHOWN_LINES = 500 // sanity: one page of the daemon

export function addChat(chat: Command, run: Runner): void {
  chat.commandsGroup('Write:')
  chat
    .command('open [channel]', { isDefault: true })
    .description(
      'write to a person, whose lines come meanwhile; without a name, list the chats. The word "open" can be left out',
    )
    .addOption(
      new Option('--lines <number>', 'show so many lines of the history first (default: 20)').argParser(readCount),
    )
    .option('--no-marks', 'do not tell the other side which lines were shown here')
    .action((name: string | undefined, options: ChatOptions) =>
      run(async (context) =>
        name === undefined
          ? (await import('../chat/list.ts')).list(context)
          : (await import('../chat/session.ts')).chat(context, name, options),
      ),
    )
  chat.commandsGroup('Begin a chat:')
  withShown(chat.command('invite [name]').description('make an invite for one person; nothing else has to be traded'))
    .option('--for <contact>', 'only this contact or PersonaID can use the invite')
    .option('--expires <time>', 'end the invite after this time, such as 2h (default and most: 7d)')
    .option('--qr <file>', 'write the QR code into this PNG file')
    .option('--wait', 'wait until somebody has used it, and show the four words; --json then prints two lines')
    .action((name: string | undefined, options: InviteOptions) =>
      run(async (context) => (await import('../chat/meet.ts')).inviteToChat(context, name, options)),
    )
  withShown(chat.command('accept <invite>').description('use an invite (- for stdin), and show the four words'))
    .option('--name <name>', 'call the other side by this name (default: ask, or take the one in the invite)')
    .option('--no-wait', 'return at once; the daemon goes on')
    .action((invite: string, options: AcceptOptions) =>
      run(async (context) => (await import('../chat/meet.ts')).acceptChat(context, invite, options)),
    )
  chat.commandsGroup('Begin a chat with keys that you trade:')
  addKeys(chat, run)
  chat.commandsGroup('Look and change:')
  chat
    .command('list')
    .description('list the chats and the invites that nobody has used yet')
    .action(() => run(async (context) => (await import('../chat/list.ts')).list(context)))
  chat
    .command('forget <channel>')
    .description('delete the lines of a chat from this device; its channel stays')
    .action((name: string) => run(async (context) => (await import('../chat/list.ts')).forget(context, name)))
  chat.commandsGroup('Help:')
}

function addKeys(chat: Command, run: Runner): void {
  chat
    .command('keygen')
    .description('make your key for such chats, and show its public part')
    .action(() => run(async (context) => (await import('../chat/keys.ts')).keygen(context)))
  chat
    .command('add-friend <nickname> <key>')
    .description('note the public key of a friend')
    .action((name: string, key: string) =>
      run(async (context) => (await import('../chat/keys.ts')).addFriend(context, name, key)),
    )
  withPlace(chat.command('start <nickname>').description('make a chat key for a friend, and open the chat')).action(
    (name: string, options: KeyedOptions) =>
      run(async (context) => (await import('../chat/keys.ts')).start(context, name, options)),
  )
  withPlace(
    chat.command('respond <nickname> <chatkey>').description('use the chat key of a friend, and open the chat'),
  ).action((name: string, chatKey: string, options: KeyedOptions) =>
    run(async (context) => (await import('../chat/keys.ts')).respond(context, name, chatKey, options)),
  )
}

/** The carriers, and the place of veilid-server as the demo names it. */
function withPlace(command: Command): Command {
  return withOver(command)
    .option('--no-marks', 'do not tell the other side which lines were shown here')
    .option('--host <host>', 'go over the veilid-server at this host, which net.veilid of the configuration names')
    .option('--port <port>', 'and at this port (default: 5959)', readPort)
}

function readPort(text: string): number {
  const port = Number(text)
  if (/^[1-9][0-9]{0,4}$/.test(text) && port < 65_536) return port
  throw new InvalidArgumentError('A port is a number from 1 to 65535.')
}

function readCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 0 && count <= MAX_SHOWN_LINES) return count
  throw new InvalidArgumentError(`It must be a number up to ${MAX_SHOWN_LINES}.`)
}
