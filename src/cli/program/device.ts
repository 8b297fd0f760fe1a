/** The words of the command line about the own devices. */
import type { Command } from 'commander'
import type { DeviceRekeyOptions } from '../own/rekey.ts'
import type { KeyOptions } from '../own/device.ts'
import type { JoinOptions } from '../pairing/join.ts'
import type { PairOptions } from '../pairing/pair.ts'
import { KEY, PROFILE_PASSPHRASE_FILE, TOX_PROFILE, type Runner } from './options.ts'

/** `device ...` but for what concerns a theft. */
export function addDevice(device: Command, run: Runner): void {
  device
    .command('add <nickname>')
    .description('add a device at the end of the table')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--again', 'although it was removed before')
    .action((name: string, options: KeyOptions & { again?: true }) =>
      run(async (context) => (await import('../own/device.ts')).add(context, name, options)),
    )
  device
    .command('list')
    .description('the table; the first device that chats is the active one')
    .option('--yaml', 'as YAML: nickname and key, in order')
    .action((options: { yaml?: true }) =>
      run(async (context) => (await import('../own/device.ts')).list(context, options)),
    )
  device
    .command('rename <device> <nickname>')
    .description('give a device another nickname')
    .action((old: string, name: string) =>
      run(async (context) => (await import('../own/device.ts')).rename(context, old, name)),
    )
  device
    .command('activate <device>')
    .description('make a device the active one')
    .action((name: string) => run(async (context) => (await import('../own/device.ts')).activate(context, name)))
  device
    .command('rekey <device>')
    .description(
      'give a device another key, in the table and in its profile; if it was interrupted, the same again ends it',
    )
    .requiredOption('--tox-profile <file>', 'the profile of the device')
    .option('--out <file>', 'write the profile with the new key there, and leave the old one as it is')
    .option('--nospam <which>', 'keep or new; new when left out')
    .option('--drop-relays', 'leave out the relays, by which both keys could be linked')
    .option('--force', 'although a Tox client runs on the profile')
    .option(...PROFILE_PASSPHRASE_FILE)
    .action((name: string, options: DeviceRekeyOptions) =>
      run(async (context) => (await import('../own/rekey.ts')).rekeyDevice(context, name, options)),
    )
}

/** `sibling ...`. */
export function addSibling(sibling: Command, run: Runner): void {
  sibling
    .command('sync <file>')
    .description('take the newer table in a file, if it is there, and write yours into it; - for stdin and stdout')
    .action((file: string) => run(async (context) => (await import('../own/sibling.ts')).sync(context, file)))
}

/** `pair` and `join`. */
export function addPairing(program: Command, run: Runner): void {
  program
    .command('pair')
    .description('give your persona to a further device of yours: shows a one-time code')
    .option('--listen <host:port>', 'listen there, and not on every interface at a free port')
    .option('--file <path>', 'by files that you carry: path.1, path.2, path.3')
    .option('--cancel', 'end a pairing that was left behind')
    .action((options: PairOptions) =>
      run(async (context) => (await import('../pairing/pair.ts')).pair(context, options)),
    )
  program
    .command('join [code...]')
    .description('take the persona from the device that shows the code: twelve words or the URI')
    .option('--at <host:port>', 'where the other device listens, when it is not found')
    .option('--file <path>', 'by files that you carry: the same path as there')
    .option('--device <name>', 'have this device listed under this nickname')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--passphrase', 'ask for a passphrase that seals the signing key here')
    .option('--passphrase-file <file>', 'seal it with the passphrase in this file')
    .action((code: string[], options: JoinOptions) =>
      run(async (context) => (await import('../pairing/join.ts')).join(context, code, options)),
    )
}
