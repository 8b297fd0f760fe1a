/** The words of the command line about what others show: what waits, what is wrong, what a status message is worth. */
import type { Command } from 'commander'
import type { AlarmOptions } from '../contacts/alarms.ts'
import type { AnswerOptions } from '../contacts/pending.ts'
import type { Runner } from './options.ts'

/** `pending`, its answers, and `contact policy`. */
export function addPending(program: Command, contact: Command, run: Runner): void {
  const kind = ['--kind <kind>', 'update, upgrade or held, where more than one thing of the contact waits'] as const
  program
    .command('pending')
    .description('what waits for your answer, and what it would change')
    .action(() => run(async (context) => (await import('../contacts/pending.ts')).pending(context)))
  program
    .command('accept <contact>')
    .description('take what waits')
    .option(...kind)
    .option('--table <digits>', 'the table that "persona pending" showed; asked about on a terminal when left out')
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('../contacts/pending.ts')).accept(context, name, options)),
    )
  program
    .command('reject <contact>')
    .description('leave it as it is, until there is a newer table')
    .option(...kind)
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('../contacts/pending.ts')).reject(context, name, options)),
    )
  contact
    .command('policy <contact> <policy>')
    .description('auto, ask or pin: whether newer tables are taken by themselves')
    .action((name: string, policy: string) =>
      run(async (context) => (await import('../contacts/pending.ts')).policy(context, name, policy)),
    )
}

/** `verify`, `alarms` and `observe`. */
export function addVerify(program: Command, run: Runner): void {
  program
    .command('verify [text]')
    .description('judge a status message, storing nothing; from stdin when it is - or left out')
    .option('--from <toxpk>', 'the device that shows it')
    .option('--evidence <file>', 'check a file of evidence instead')
    .action((text: string | undefined, options: { from?: string; evidence?: string }) =>
      run(async (context) =>
        options.evidence === undefined
          ? (await import('../contacts/verify.ts')).verify(context, text, options)
          : (await import('../contacts/alarms.ts')).verifyEvidence(context, options.evidence, text ?? options.from),
      ),
    )
  program
    .command('alarms [contact]')
    .description('what went wrong with tables, what it means, and what to do')
    .option('--dismiss <id>', 'this one is dealt with')
    .option('--export <file>', 'write the evidence of the contact, or of your own persona, for others to check')
    .option('--force', 'replace the file')
    .action((contact: string | undefined, options: AlarmOptions) =>
      run(async (context) => (await import('../contacts/alarms.ts')).alarms(context, contact, options)),
    )
  program
    .command('observe <text>')
    .description('report the status message that a device shows now; - reads it from stdin')
    .requiredOption('--from <toxpk>', 'the device that shows it')
    .option('--name <name>', 'the name that the Tox client shows, for a contact seen for the first time')
    .action((text: string, options: { from: string }) =>
      run(async (context) => (await import('../contacts/verify.ts')).observe(context, text, options)),
    )
}
