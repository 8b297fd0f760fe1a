/** Commands about the owner's persona and its signing key. */
import type { Command } from 'commander'
import type { BlobOptions } from '../own/blob.ts'
import type { PassphraseOptions } from '../own/passphrase.ts'
import type { InitOptions } from '../own/persona.ts'
import type { PublishOptions } from '../tox/publish.ts'
import {
  KEY,
  PASSPHRASE_FILE,
  PROFILE_PASSPHRASE_FILE,
  SEAL,
  SEAL_FILE,
  TOX_PROFILE,
  WORDS_FILE,
  type Runner,
  type WithPassphrase,
} from './options.ts'

/** `init`, `status`, `blob`, `publish`, `lock`, `unlock`. */
export function addPersona(program: Command, run: Runner): void {
  program
    .command('init')
    .description('create your persona')
    .option('--device <name>', 'name the first device')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--unnamed', 'publish the table without nicknames, which every friend could read')
    .option(...SEAL)
    .option(...SEAL_FILE)
    .action((options: InitOptions) =>
      run(async (context) => (await import('../own/persona.ts')).init(context, options)),
    )
  program
    .command('status')
    .description('show your persona and the daemon')
    .action(() => run(async (context) => (await import('../daemon/status.ts')).status(context)))
  program
    .command('blob')
    .description('print the status message that all your devices should show')
    .option('--text <words>', 'put your own words before the token')
    .option('--short', 'print a short status in place of the table; friends find the table by announcements')
    .action((options: BlobOptions) => run(async (context) => (await import('../own/blob.ts')).blob(context, options)))
  program
    .command('publish')
    .description('write your table into the profiles of all your devices that are known here')
    .option('--text <words>', 'put these words before the token, instead of the present ones')
    .option('--drop-words', 'leave your words out if they do not fit; a later publish puts them back')
    .option('--force', 'write even if a Tox client has the profile open')
    .option(...PASSPHRASE_FILE)
    .action((options: PublishOptions) =>
      run(async (context) => (await import('../tox/publish-own.ts')).publishOwn(context, options)),
    )
  program
    .command('lock')
    .description('wipe the signing key from memory until you unlock it')
    .action(() => run(async (context) => (await import('../own/passphrase.ts')).lock(context)))
  program
    .command('unlock')
    .description('open the signing key with its passphrase')
    .option(...PASSPHRASE_FILE)
    .action((options: WithPassphrase) =>
      run(async (context) => (await import('../own/persona.ts')).unlock(context, options)),
    )
}

/** `passphrase ...`. */
export function addPassphrase(passphrase: Command, run: Runner): void {
  const fresh = ['--passphrase-file <file>', 'read the new passphrase from this file (- for stdin)'] as const
  const present = ['--old-passphrase-file <file>', 'read the current passphrase from this file (- for stdin)'] as const
  passphrase
    .command('set')
    .description('seal the signing key with a passphrase')
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).setPassphrase(context, options)),
    )
  passphrase
    .command('change')
    .description('change the passphrase')
    .option(...present)
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).changePassphrase(context, options)),
    )
  passphrase
    .command('remove')
    .description('store the signing key without a passphrase')
    .option(...present)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('../own/passphrase.ts')).removePassphrase(context, options)),
    )
}

/** `recovery ...`. */
export function addRecovery(recovery: Command, run: Runner): void {
  recovery
    .command('show')
    .description('show the recovery words; possible until you confirm them')
    .action(() => run(async (context) => (await import('../own/recovery.ts')).show(context)))
  recovery
    .command('confirm')
    .description('type three of the words back (without a terminal: lines such as "7 abandon" on stdin)')
    .action(() => run(async (context) => (await import('../own/recovery.ts')).confirm(context)))
  recovery
    .command('check')
    .description('check whether recovery words belong to your persona; changes nothing')
    .option(...WORDS_FILE)
    .action((options: { wordsFile?: string }) =>
      run(async (context) => (await import('../own/recovery.ts')).check(context, options)),
    )
}
