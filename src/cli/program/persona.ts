/** The words of the command line about the own persona and its daemon. */
import type { Command } from 'commander'
import type { LogOptions } from '../events/log.ts'
import type { PassphraseOptions } from '../own/passphrase.ts'
import type { InitOptions } from '../own/persona.ts'
import {
  KEY,
  PASSPHRASE_FILE,
  PROFILE_PASSPHRASE_FILE,
  TOX_PROFILE,
  type Runner,
  type WithPassphrase,
} from './options.ts'

/** `init`, `status` and what else stands alone. */
export function addPersona(program: Command, run: Runner): void {
  program
    .command('init')
    .description('make your persona, with its first device or without any')
    .option('--device <name>', 'nickname of the first device')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--unnamed', 'publish the table without nicknames: every friend can read them')
    .option('--passphrase', 'ask for a passphrase that seals your signing key')
    .option('--passphrase-file <file>', 'seal your signing key with the passphrase in this file, - for stdin')
    .action((options: InitOptions) =>
      run(async (context) => (await import('../own/persona.ts')).init(context, options)),
    )
  program
    .command('lock')
    .description('wipe your signing key from memory until you unlock it')
    .action(() => run(async (context) => (await import('../own/passphrase.ts')).lock(context)))
  program
    .command('unlock')
    .description('open your signing key after a start of the daemon')
    .option(...PASSPHRASE_FILE)
    .action((options: WithPassphrase) =>
      run(async (context) => (await import('../own/persona.ts')).unlock(context, options)),
    )
  program
    .command('status')
    .description('persona, store, sockets, counts')
    .action(() => run(async (context) => (await import('../daemon/status.ts')).status(context)))
  program
    .command('doctor')
    .description('what is not as it should be, and what to do about it; also without a running daemon')
    .action(() => run(async (context) => (await import('../daemon/doctor.ts')).doctor(context)))
  program
    .command('blob')
    .description('the status message to show on all your devices')
    .option('--text <words>', 'your own words before the token')
    .action((options: { text?: string }) =>
      run(async (context) => (await import('../own/blob.ts')).blob(context, options)),
    )
  program
    .command('watch')
    .description('events as they happen, until Ctrl-C')
    .option('--after <number>', 'and before them those behind this number')
    .action((options: { after?: string }) =>
      run(async (context) => (await import('../events/watch.ts')).watch(context, options)),
    )
  program
    .command('log [name]')
    .description('what changed, of everybody or of one contact or device')
    .option('--limit <count>', 'so many of the newest entries, 50 when left out')
    .option('--verify', 'check that no entry was altered or taken out')
    .action((name: string | undefined, options: LogOptions) =>
      run(async (context) => (await import('../events/log.ts')).log(context, name, options)),
    )
}

/** `passphrase ...`. */
export function addPassphrase(passphrase: Command, run: Runner): void {
  const fresh = ['--passphrase-file <file>', 'file with the new passphrase, - for stdin'] as const
  const present = ['--old-passphrase-file <file>', 'file with the present passphrase, - for stdin'] as const
  passphrase
    .command('set')
    .description('seal the signing key by a passphrase')
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).setPassphrase(context, options)),
    )
  passphrase
    .command('change')
    .description('seal it by another one; asks for the present one too')
    .option(...present)
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).changePassphrase(context, options)),
    )
  passphrase
    .command('remove')
    .description('keep it without a passphrase')
    .option(...present)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).removePassphrase(context, options)),
    )
}

/** `recovery show` and `recovery confirm`. */
export function addRecovery(recovery: Command, run: Runner): void {
  recovery
    .command('show')
    .description('show the words; possible until they are confirmed')
    .action(() => run(async (context) => (await import('../own/recovery.ts')).show(context)))
  recovery
    .command('confirm')
    .description('type three of them back; without a terminal, lines such as "7 abandon" on stdin')
    .action(() => run(async (context) => (await import('../own/recovery.ts')).confirm(context)))
}
