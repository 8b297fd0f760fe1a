/** The words of the command line about the people one knows. */
import type { Command } from 'commander'
import type { AddContactOptions } from '../contacts/add.ts'
import type { ImportContactsOptions } from '../contacts/cards.ts'
import type { SplitOptions } from '../contacts/edit.ts'
import type { VerifyContactOptions } from '../contacts/number.ts'
import type { Runner } from './options.ts'

/** `contact ...` but for policies, `link` and `lookup`. */
export function addContact(program: Command, contact: Command, run: Runner): void {
  addContactCommands(contact, run)
  program
    .command('link')
    .description('your contact link, for people who are to know you; on a terminal also as a QR code')
    .action(() => run(async (context) => (await import('../contacts/link.ts')).link(context)))
  program
    .command('lookup <query>')
    .description('who is this ToxPk, Tox ID, PersonaID, name, or beginning of one')
    .action((query: string) => run(async (context) => (await import('../contacts/contacts.ts')).lookup(context, query)))
}

function addContactCommands(contact: Command, run: Runner): void {
  contact
    .command('list')
    .description('all of them, by name')
    .option('--blocked', 'also those that are blocked')
    .action((options: { blocked?: true }) =>
      run(async (context) => (await import('../contacts/contacts.ts')).list(context, options)),
    )
  contact
    .command('show <name>')
    .description('one of them, by name or by the beginning of a PersonaID or ToxPk')
    .action((name: string) => run(async (context) => (await import('../contacts/contacts.ts')).show(context, name)))
  addLinks(contact, run)
  addEdits(contact, run)
  contact
    .command('export [file]')
    .description('contact links, names, policies and blocks, as a file for another daemon; to stdout without a name')
    .action((file: string | undefined) =>
      run(async (context) => (await import('../contacts/cards.ts')).exportContacts(context, file)),
    )
  contact
    .command('import <file>')
    .description('take such a file, - for stdin; what is known here stays as it is')
    .option('--again', 'also contacts that you forgot')
    .option('--trust-verified', 'the list is your own: who is verified in it is verified here')
    .action((file: string, options: ImportContactsOptions) =>
      run(async (context) => (await import('../contacts/cards.ts')).importContacts(context, file, options)),
    )
}

function addLinks(contact: Command, run: Runner): void {
  contact
    .command('add <link>')
    .description('know somebody by a contact link; - reads it from stdin')
    .option('--name <name>', 'what you call the contact')
    .option('--repin', 'although another chain of keys, or a higher epoch, is pinned')
    .action((link: string, options: AddContactOptions) =>
      run(async (context) => (await import('../contacts/add.ts')).add(context, link, options)),
    )
  contact
    .command('verify <name>')
    .description('compare safety numbers: shows both, and takes the one that the contact reads to you')
    .option('--number <digits>', 'what the screen of the contact shows as the own number; - reads it from stdin')
    .option('--link <link>', 'the contact link, scanned from the screen of the contact; - reads it from stdin')
    .action((name: string, options: VerifyContactOptions) =>
      run(async (context) => (await import('../contacts/number.ts')).verify(context, name, options)),
    )
}

function addEdits(contact: Command, run: Runner): void {
  contact
    .command('rename <contact> <name>')
    .description('call a contact otherwise')
    .action((old: string, name: string) =>
      run(async (context) => (await import('../contacts/edit.ts')).rename(context, old, name)),
    )
  contact
    .command('block <contact>')
    .description('hear nothing of a contact; what its devices show is kept all the same')
    .action((name: string) => run(async (context) => (await import('../contacts/edit.ts')).block(context, name)))
  contact
    .command('unblock <contact>')
    .description('take a block back')
    .action((name: string) => run(async (context) => (await import('../contacts/edit.ts')).unblock(context, name)))
  contact
    .command('forget <contact>')
    .description('forget a contact; its chain of keys and newest table are kept out of sight')
    .action((name: string) => run(async (context) => (await import('../contacts/edit.ts')).forget(context, name)))
  contact
    .command('split <contact> <device>')
    .description('take a device from a contact that it was wrongly taken for')
    .option('--name <name>', 'what the device is called then')
    .action((name: string, device: string, options: SplitOptions) =>
      run(async (context) => (await import('../contacts/edit.ts')).split(context, name, device, options)),
    )
}
