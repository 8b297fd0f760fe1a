/** `persona channel ...`: encrypted lines to other people's apps. */
import { Option, type Command } from 'commander'
import type { AcceptOptions } from '../channels/accept.ts'
import type { ReadOptions } from '../channels/contents.ts'
import type { WithApp } from '../channels/find.ts'
import type { InviteOptions } from '../channels/invite.ts'
import type { VerifyOptions } from '../channels/verify.ts'
import { collect, type Runner } from './options.ts'

const OF_APP = ['--app <app>', 'only channels of this app (default: all)'] as const

export function addChannel(channel: Command, run: Runner): void {
  channel.commandsGroup('Make a channel:')
  addMeeting(channel, run)
  channel
    .command('verify <channel>')
    .description('compare the four words that you and the other side see')
    .option('--words <words>', 'confirm with the words that the other side sees, in quotes')
    .option(...OF_APP)
    .action((name: string, options: VerifyOptions) =>
      run(async (context) => (await import('../channels/verify.ts')).verify(context, name, options)),
    )
  channel.commandsGroup('Use it:')
  addContents(channel, run)
  channel.commandsGroup('Look and change:')
  addOthers(channel, run)
  channel.commandsGroup('Help:')
}

function addMeeting(channel: Command, run: Runner): void {
  withApp(
    channel
      .command('invite [name]')
      .description('make an invite for one person, whom you call by this name; on a terminal also as a QR code'),
  )
    .option('--for <contact>', 'only this contact or PersonaID can use the invite')
    .option('--expires <time>', 'end the invite after this time, such as 2h (default and most: 7d)')
    .option('--qr <file>', 'write the QR code into this PNG file')
    .option('--wait', 'wait until somebody has used it, and show the four words; --json then prints two lines')
    .action((name: string | undefined, options: InviteOptions) =>
      run(async (context) => (await import('../channels/invite.ts')).invite(context, name, options)),
    )
  withApp(
    channel
      .command('accept <invite>')
      .description('use an invite (- for stdin), wait for the other side, and show the four words'),
  )
    .option('--name <name>', 'call the other side by this name (default: ask, or take the one in the invite)')
    .option('--no-wait', 'return at once; the daemon goes on')
    .action((invite: string, options: AcceptOptions) =>
      run(async (context) => (await import('../channels/accept.ts')).accept(context, invite, options)),
    )
}

function withApp(command: Command): Command {
  return withShown(command.option('--app <app>', 'make it for this app', 'chat'))
}

/** The options that both sides of an invite have. */
export function withShown(command: Command): Command {
  return withOver(command)
    .option('--direct', 'go directly where both sides allow it; shows the addresses of this machine to the other side')
    .option('--as <name>', 'the name by which the other side sees you')
    .option('--no-persona', 'show no persona, only a key of this channel')
}

export function withOver(command: Command): Command {
  return command.addOption(
    new Option(
      '--over <way>',
      'receive by "folder", "folder:DIR", "dht", "veilid" or the URL of a relay; may be repeated',
    ).argParser(collect),
  )
}

function addContents(channel: Command, run: Runner): void {
  channel
    .command('send <channel> [text]')
    .description('send a text, or all of stdin (-); it leaves when the other side can be reached')
    .option(...OF_APP)
    .action((name: string, text: string | undefined, options: WithApp) =>
      run(async (context) => (await import('../channels/contents.ts')).send(context, name, text, options)),
    )
  channel
    .command('read <channel>')
    .description('print what came, one line of JSON for each with --json; printed contents count as read')
    .option('--follow', 'go on printing what comes, until Ctrl-C')
    .option('--peek', 'leave the contents unread')
    .option('--raw', 'print the bytes as they are')
    .option(...OF_APP)
    .action((name: string, options: ReadOptions) =>
      run(async (context) => (await import('../channels/contents.ts')).read(context, name, options)),
    )
}

function addOthers(channel: Command, run: Runner): void {
  channel
    .command('list')
    .description('list channels and the invites that nobody has used yet')
    .option(...OF_APP)
    .action((options: WithApp) => run(async (context) => (await import('../channels/list.ts')).list(context, options)))
  channel
    .command('show <channel>')
    .description('show how a channel is')
    .option(...OF_APP)
    .action((name: string, options: WithApp) =>
      run(async (context) => (await import('../channels/list.ts')).show(context, name, options)),
    )
  channel
    .command('rename <channel> <name>')
    .description('call the other side by another name')
    .option(...OF_APP)
    .action((name: string, next: string, options: WithApp) =>
      run(async (context) => (await import('../channels/list.ts')).rename(context, name, next, options)),
    )
  channel
    .command('close <channel>')
    .description('close a channel and erase its keys on both sides, or withdraw an invite')
    .option(...OF_APP)
    .action((name: string, options: WithApp) =>
      run(async (context) => (await import('../channels/list.ts')).close(context, name, options)),
    )
}
