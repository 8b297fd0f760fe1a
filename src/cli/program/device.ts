/** Commands about the owner's devices. */
import type { Command } from 'commander'
import type { DeviceRekeyOptions } from '../own/rekey.ts'
import type { KeyOptions } from '../own/device.ts'
import type { EraseOptions } from '../own/erase.ts'
import type { JoinOptions } from '../pairing/join.ts'
import type { PairOptions } from '../pairing/pair.ts'
import { KEY, PROFILE_PASSPHRASE_FILE, SEAL, SEAL_FILE, TOX_PROFILE, YES, type Runner } from './options.ts'

/** `device ...` except `approve` and `remove`. */
export function addDevice(device: Command, run: Runner): void {
  device
    .command('add <nickname>')
    .description('add a device to the end of the table')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--again', 'add it even if it was removed before')
    .action((name: string, options: KeyOptions & { again?: true }) =>
      run(async (context) => (await import('../own/device.ts')).add(context, name, options)),
    )
  device
    .command('list')
    .description('list your devices; the first that chats is the active one')
    .option('--yaml', 'print YAML: nicknames and keys, in order')
    .action((options: { yaml?: true }) =>
      run(async (context) => (await import('../own/device.ts')).list(context, options)),
    )
  device
    .command('rename <device> <nickname>')
    .description('rename a device')
    .action((old: string, name: string) =>
      run(async (context) => (await import('../own/device.ts')).rename(context, old, name)),
    )
  device
    .command('activate <device>')
    .description('make a device the active one')
    .action((name: string) => run(async (context) => (await import('../own/device.ts')).activate(context, name)))
  device
    .command('rekey <device>')
    .description('give a device a new key, in the table and in its profile; repeat it after an interruption')
    .requiredOption('--tox-profile <file>', 'change the key in this Tox profile')
    .option('--out <file>', 'write the changed profile here, and leave the old one unchanged')
    .option('--nospam <which>', 'keep the old nospam, or draw a new one (default: new)')
    .option('--drop-relays', 'leave out the relays, which could link both keys')
    .option('--force', 'write even if a Tox client has the profile open')
    .option(...PROFILE_PASSPHRASE_FILE)
    .action((name: string, options: DeviceRekeyOptions) =>
      run(async (context) => (await import('../own/rekey.ts')).rekeyDevice(context, name, options)),
    )
}

/** `sibling ...`. */
export function addSibling(sibling: Command, run: Runner): void {
  sibling
    .command('sync <file>')
    .description('read a newer table from this file, if it has one, and write yours to it (- for stdin and stdout)')
    .action((file: string) => run(async (context) => (await import('../own/sibling.ts')).sync(context, file)))
}

/** `pair` and `join`. */
export function addPairing(program: Command, run: Runner): void {
  program
    .command('pair')
    .description('give your persona to another device; shows a one-time code')
    .option('--listen <host:port>', 'listen here (default: every interface, any free port)')
    .option('--file <path>', 'pair through files that you carry: path.1, path.2, path.3')
    .option('--qr <file>', 'write the QR code into this PNG file')
    .option('--cancel', 'cancel an unfinished pairing')
    .action((options: PairOptions) =>
      run(async (context) => (await import('../pairing/pair.ts')).pair(context, options)),
    )
  program
    .command('join [code...]')
    .description('take the persona from the device that shows this code (words or URI)')
    .option('--at <host:port>', 'connect here, if the other device is not found')
    .option('--file <path>', 'pair through files that you carry; use the same path there')
    .option('--device <name>', 'name this device')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option(...SEAL)
    .option(...SEAL_FILE)
    .action((code: string[], options: JoinOptions) =>
      run(async (context) => (await import('../pairing/join.ts')).join(context, code, options)),
    )
}

/** `leave` and `erase`. */
export function addLeaving(program: Command, run: Runner): void {
  program
    .command('leave')
    .description('remove this device from the table, and erase its signing key')
    .option(...YES)
    .action((options: { yes?: true }) =>
      run(async (context) => (await import('../own/leave.ts')).leave(context, options)),
    )
  program
    .command('erase')
    .description('erase everything the daemon keeps on this device, and stop it; Tox profiles stay')
    .option('--persona <digits>', 'give the first 8 digits of your PersonaID here instead of typing them')
    .action((options: EraseOptions) =>
      run(async (context) => (await import('../own/erase.ts')).erase(context, options)),
    )
}
