/** Commands about contacts. */
import type { Command } from 'commander'
import type { AddContactOptions } from '../contacts/add.ts'
import type { ImportContactsOptions } from '../contacts/cards.ts'
import type { ListOptions } from '../contacts/list.ts'
import type { LinkOptions } from '../contacts/link.ts'
import type { SplitOptions } from '../contacts/edit.ts'
import type { VerifyContactOptions } from '../contacts/number.ts'
import { PASSPHRASE_FILE, type Runner, type WithPassphrase } from './options.ts'

/** `contact ...` except `contact policy`; `link` and `lookup`. */
export function addContact(program: Command, contact: Command, run: Runner): void {
  addContactCommands(contact, run)
  program
    .command('link')
    .description('print your contact link, for people who should know you; on a terminal also as a QR code')
    .option('--name <name>', 'put your name into the link; earlier versions of persona cannot read such a link')
    .option('--qr <file>', 'write the QR code into this PNG file')
    .action((options: LinkOptions) =>
      run(async (context) => (await import('../contacts/link.ts')).link(context, options)),
    )
  program
    .command('lookup <query>')
    .description('find a person by ToxPk, Tox ID, PersonaID or name, or by the beginning of one')
    .action((query: string) => run(async (context) => (await import('../contacts/contacts.ts')).lookup(context, query)))
}

function addContactCommands(contact: Command, run: Runner): void {
  contact.commandsGroup('Look:')
  contact
    .command('list')
    .description('list the people you know; those that need you come first')
    .option('--all', 'include Tox friends without a persona')
    .option('--blocked', 'include blocked contacts')
    .option('--alarm', 'only contacts with an alarm')
    .option('--pending', 'only contacts with a change that needs your decision')
    .option('--unconfirmed', 'only contacts with unconfirmed devices')
    .action((options: ListOptions) =>
      run(async (context) => (await import('../contacts/list.ts')).list(context, options)),
    )
  contact
    .command('show <name>')
    .description('show a contact, by name or beginning of a PersonaID or ToxPk')
    .action((name: string) => run(async (context) => (await import('../contacts/contacts.ts')).show(context, name)))
  contact
    .command('refresh [name]')
    .description('look a contact up on the DHT now, or all who announce their table')
    .action((name: string | undefined) =>
      run(async (context) => (await import('../own/announce.ts')).refresh(context, name)),
    )
  contact.commandsGroup('Add and verify:')
  addLinks(contact, run)
  contact.commandsGroup('Change:')
  addEdits(contact, run)
  contact.commandsGroup('Move to another daemon:')
  contact
    .command('export [file]')
    .description('export contact links, names, policies and blocks for another daemon (default: to stdout)')
    .action((file: string | undefined) =>
      run(async (context) => (await import('../contacts/cards.ts')).exportContacts(context, file)),
    )
  contact
    .command('import <file>')
    .description('import exported contacts (- for stdin); contacts you already have stay unchanged')
    .option('--again', 'include contacts that you forgot')
    .option('--trust-verified', 'mark its verified contacts as verified here: the list is your own')
    .action((file: string, options: ImportContactsOptions) =>
      run(async (context) => (await import('../contacts/cards.ts')).importContacts(context, file, options)),
    )
  contact.commandsGroup('Help:')
}

function addLinks(contact: Command, run: Runner): void {
  contact
    .command('add <link>')
    .description('add a contact by their contact link (- for stdin)')
    .option('--name <name>', 'name the contact')
    .option('--repin', 'add it even if another chain of keys or a higher epoch is pinned')
    .action((link: string, options: AddContactOptions) =>
      run(async (context) => (await import('../contacts/add.ts')).add(context, link, options)),
    )
  contact
    .command('verify <name>')
    .description('compare safety numbers with a contact')
    .option('--number <digits>', "check the number that the contact's screen shows (- for stdin)")
    .option('--link <link>', "check the contact link that you scanned from the contact's screen (- for stdin)")
    .action((name: string, options: VerifyContactOptions) =>
      run(async (context) => (await import('../contacts/number.ts')).verify(context, name, options)),
    )
}

function addEdits(contact: Command, run: Runner): void {
  contact
    .command('rename <contact> <name>')
    .description('rename a contact')
    .action((old: string, name: string) =>
      run(async (context) => (await import('../contacts/edit.ts')).rename(context, old, name)),
    )
  contact
    .command('block <contact>')
    .description('block a contact: report nothing about it, but keep recording what its devices show')
    .action((name: string) => run(async (context) => (await import('../contacts/edit.ts')).block(context, name)))
  contact
    .command('unblock <contact>')
    .description('unblock a contact')
    .action((name: string) => run(async (context) => (await import('../contacts/edit.ts')).unblock(context, name)))
  contact
    .command('forget [contact]')
    .description('forget a contact; its chain of keys and newest table stay stored, hidden')
    .option('--from <file>', 'forget everything that only this profile has shown, such as after a wrong scan')
    .option(...PASSPHRASE_FILE)
    .action((name: string | undefined, { from, ...options }: WithPassphrase & { from?: string }) =>
      run(async (context) =>
        from === undefined
          ? (await import('../contacts/edit.ts')).forget(context, name)
          : (await import('../tox/forget-scan.ts')).forgetScan(context, from, options),
      ),
    )
  contact
    .command('join <contact> <other>')
    .description('join two contacts without a persona that are one person; the name of the first stays')
    .action((name: string, other: string) =>
      run(async (context) => (await import('../contacts/edit.ts')).join(context, name, other)),
    )
  contact
    .command('split <contact> <device>')
    .description('take away a device that the contact does not own, or undo a join')
    .option('--name <name>', 'name the device after the split')
    .action((name: string, device: string, options: SplitOptions) =>
      run(async (context) => (await import('../contacts/edit.ts')).split(context, name, device, options)),
    )
}
