/** Commands about what others show: pending changes, alarms, and single status messages. */
import type { Command } from 'commander'
import type { AlarmOptions } from '../contacts/alarms.ts'
import type { AnswerOptions } from '../contacts/pending.ts'
import type { Runner } from './options.ts'

/** `pending`, `accept`, `reject`, and `contact policy`. */
export function addPending(program: Command, contact: Command, run: Runner): void {
  const kind = [
    '--kind <kind>',
    'choose update, upgrade, held, elsewhere or successor, if the contact has several pending changes; or proposal; or places, with the name of an app that proposes relays',
  ] as const
  const app = ['--app <app>', 'the app in which a contact is proposed'] as const
  program
    .command('pending')
    .description(
      'list what needs your decision: changes of contacts, messages of people who are no contacts, proposed contacts, and relays that apps propose',
    )
    .action(() => run(async (context) => (await import('../contacts/pending.ts')).pending(context)))
  program
    .command('accept <contact>')
    .description('accept a pending change')
    .option(...kind)
    .option(...app)
    .option('--table <digits>', 'accept this table, as "persona pending" shows it (default: ask)')
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('../contacts/pending.ts')).accept(context, name, options)),
    )
  program
    .command('reject <contact>')
    .description('reject a pending change; a newer table can ask again')
    .option(...kind)
    .option(...app)
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('../contacts/pending.ts')).reject(context, name, options)),
    )
  contact
    .command('policy <contact> <policy>')
    .helpGroup('Change:')
    .description('accept newer tables (auto), ask before (ask), or also keep dropped devices (pin)')
    .action((name: string, policy: string) =>
      run(async (context) => (await import('../contacts/pending.ts')).policy(context, name, policy)),
    )
}

/** `alarms`, `verify` and `observe`. */
export function addVerify(program: Command, run: Runner): void {
  program
    .command('alarms [contact]')
    .description('show what went wrong with tables, and what to do about it')
    .option('--dismiss <id>', 'dismiss this alarm')
    .option('--export <file>', 'write the evidence about the contact, or about your own persona, for others to check')
    .option('--force', 'replace an existing file')
    .action((contact: string | undefined, options: AlarmOptions) =>
      run(async (context) => (await import('../contacts/alarms.ts')).alarms(context, contact, options)),
    )
  program
    .command('verify [text]')
    .description('judge a status message without storing it (default: stdin)')
    .option('--from <toxpk>', 'judge it as the status message of this device')
    .option('--evidence <file>', 'check an evidence file instead')
    .action((text: string | undefined, options: { from?: string; evidence?: string }) =>
      run(async (context) =>
        options.evidence === undefined
          ? (await import('../contacts/verify.ts')).verify(context, text, options)
          : (await import('../contacts/alarms.ts')).verifyEvidence(context, options.evidence, text ?? options.from),
      ),
    )
  program
    .command('observe <text>')
    .description('report the status message that a device shows now (- for stdin)')
    .requiredOption('--from <toxpk>', 'report it for this device')
    .option('--name <name>', 'name the contact if it is new, as the Tox client shows it')
    .action((text: string, options: { from: string }) =>
      run(async (context) => (await import('../contacts/verify.ts')).observe(context, text, options)),
    )
}
