/** The words of the command line about backups, and about a persona that comes back from one or from its words. */
import type { Command } from 'commander'
import type { BackupOptions, ReconcileOptions } from '../own/backup.ts'
import { KEY, PASSPHRASE_FILE, PROFILE_PASSPHRASE_FILE, TOX_PROFILE, type Runner } from './options.ts'
import { collect, WORDS_FILE, YES } from './rotation.ts'
import type { RecoverOptions } from '../own/recover.ts'

/** `backup`, `restore`, `reconcile`, `recover`. */
export function addBackup(program: Command, run: Runner): void {
  program
    .command('backup <file>')
    .description('everything in one file, sealed by a passphrase; without the recovery words')
    .option(...PASSPHRASE_FILE)
    .option('--force', 'replace a file that is there')
    .action((file: string, options: BackupOptions) =>
      run(async (context) => (await import('../own/backup.ts')).backup(context, file, options)),
    )
  program
    .command('restore <file>')
    .description('put a backup back, where there is no persona')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: BackupOptions) =>
      run(async (context) => (await import('../own/backup.ts')).restore(context, file, options)),
    )
  program
    .command('reconcile [files...]')
    .description('after a restore, read copies of your status message out of texts or Tox profiles; - is stdin')
    .option(...PASSPHRASE_FILE)
    .option('--force', 'go on although there is no copy: what the backup lacks is lost')
    .action((files: string[], options: ReconcileOptions) =>
      run(async (context) => (await import('../own/backup.ts')).reconcile(context, files, options)),
    )
  program
    .command('recover')
    .description('bring your persona back from the recovery words alone, where there is none; the key is rotated')
    .option(
      '--from <file>',
      'copies of your status message: a text, or a Tox profile of a friend; may be repeated',
      collect,
    )
    .option(
      '--keep <name>',
      'keep a device of the table that is found: all others are left out; may be repeated',
      collect,
    )
    .option('--epoch <number>', 'the epoch to rotate to, up to 16; else one more than the highest seen')
    .option('--device <name>', 'nickname of this device')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--unnamed', 'publish the table without nicknames')
    .option('--passphrase', 'ask for a passphrase that seals your signing key')
    .option('--passphrase-file <file>', 'seal your signing key with the passphrase in this file')
    .option(...WORDS_FILE)
    .option(...YES)
    .action((options: RecoverOptions) =>
      run(async (context) => (await import('../own/recover.ts')).recover(context, options)),
    )
}
