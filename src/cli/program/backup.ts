/** Commands that save a persona and bring it back. */
import type { Command } from 'commander'
import type { BackupOptions, ReconcileOptions } from '../own/backup.ts'
import type { RecoverOptions } from '../own/recover.ts'
import {
  collect,
  EPOCH,
  KEY,
  PASSPHRASE_FILE,
  PROFILE_PASSPHRASE_FILE,
  SEAL,
  SEAL_FILE,
  TOX_PROFILE,
  WORDS_FILE,
  YES,
  type Runner,
} from './options.ts'

/** `recover`, `backup`, `restore`, `reconcile`. */
export function addBackup(program: Command, run: Runner): void {
  program
    .command('recover')
    .description('rebuild your persona from the recovery words alone; rotates the key')
    .option(
      '--from <file>',
      "read copies of your status message from a text or a friend's Tox profile; may be repeated",
      collect,
    )
    .option('--keep <name>', 'keep this device of the table that was found (default: none); may be repeated', collect)
    .option(...EPOCH)
    .option('--device <name>', 'name this device')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--unnamed', 'publish the table without nicknames')
    .option(...SEAL)
    .option(...SEAL_FILE)
    .option(...WORDS_FILE)
    .option(...YES)
    .action((options: RecoverOptions) =>
      run(async (context) => (await import('../own/recover.ts')).recover(context, options)),
    )
  program
    .command('backup <file>')
    .description('back up everything except the recovery words, sealed with a passphrase')
    .option(...PASSPHRASE_FILE)
    .option('--force', 'replace an existing file')
    .action((file: string, options: BackupOptions) =>
      run(async (context) => (await import('../own/backup.ts')).backup(context, file, options)),
    )
  program
    .command('restore <file>')
    .description('restore a backup on a device without a persona')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: BackupOptions) =>
      run(async (context) => (await import('../own/backup.ts')).restore(context, file, options)),
    )
  program
    .command('reconcile [files...]')
    .description(
      'catch up after a restore, from copies of your status message; reads texts and Tox profiles (- for stdin)',
    )
    .option(...PASSPHRASE_FILE)
    .option('--force', 'continue without a copy; changes made after the backup are lost')
    .action((files: string[], options: ReconcileOptions) =>
      run(async (context) => (await import('../own/backup.ts')).reconcile(context, files, options)),
    )
}
