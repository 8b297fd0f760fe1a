/** `persona message ...`: messages that wait until every device of the other person has fetched them. */
import type { Command } from 'commander'
import type { ReadOptions } from '../messages/read.ts'
import type { SendOptions, WithApp } from '../messages/send.ts'
import type { RequestAnswer } from '../../ipc/methods/messages.ts'
import type { Runner } from './options.ts'

const OF_APP = ['--app <app>', 'the messages of this app (default: chat)'] as const

export function addMessage(message: Command, run: Runner): void {
  message.commandsGroup('Send and read:')
  addContents(message, run)
  message.commandsGroup('Receive:')
  message
    .command('open')
    .description('let your contacts send you messages; your card then names an inbox')
    .option(...OF_APP)
    .action((options: WithApp) => run(async (context) => (await import('../messages/list.ts')).open(context, options)))
  message
    .command('list')
    .description('list how many messages wait for each app, and the people who ask to send some')
    .option('--app <app>', 'only messages of this app (default: all)')
    .action((options: WithApp) => run(async (context) => (await import('../messages/list.ts')).list(context, options)))
  message.commandsGroup('Answer people who are no contacts:')
  addAnswer(message, run, 'accept', 'fetch the messages of somebody who is no contact, now and later')
  addAnswer(message, run, 'reject', 'do not fetch them; you are not asked again for 30 days')
  addAnswer(message, run, 'block', 'never fetch them')
  message.commandsGroup('Help:')
}

function addContents(message: Command, run: Runner): void {
  message
    .command('send <contact> [file]')
    .description('send a file, or all of stdin (-), up to almost 20 MiB; it waits until the other side fetches it')
    .option('--app <app>', 'send it to this app of theirs (default: chat)')
    .option('--wait', 'wait until every device of the other side has it')
    .action((name: string, file: string | undefined, options: SendOptions) =>
      run(async (context) => (await import('../messages/send.ts')).send(context, name, file, options)),
    )
  message
    .command('sent')
    .description('list what you have sent within a month, and what became of it')
    .option(...OF_APP)
    .action((options: WithApp) => run(async (context) => (await import('../messages/send.ts')).sent(context, options)))
  message
    .command('read')
    .description('print the messages that came, one line of JSON for each with --json')
    .option('--follow', 'go on printing what comes, until Ctrl-C')
    .option('--ack', 'delete from this device what was printed; the app does not get it any more')
    .option('--raw', 'print the bytes as they are')
    .option(...OF_APP)
    .action((options: ReadOptions) =>
      run(async (context) => (await import('../messages/read.ts')).read(context, options)),
    )
}

function addAnswer(message: Command, run: Runner, answer: RequestAnswer, description: string): void {
  message
    .command(`${answer} <persona>`)
    .description(description)
    .option('--app <app>', 'for this app (default: chat)')
    .action((persona: string, options: WithApp) =>
      run(async (context) => (await import('../messages/answer.ts')).answer(context, persona, answer, options)),
    )
}
