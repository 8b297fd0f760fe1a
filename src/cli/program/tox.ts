/** The words of `persona tox ...`; the file that does the work of each is loaded only when its command is called. */
import type { Command } from 'commander'
import type { NewOptions } from '../tox/encrypt.ts'
import type { FollowOptions } from '../tox/follow.ts'
import type { FriendsOptions } from '../tox/friends.ts'
import type { InspectOptions } from '../tox/inspect.ts'
import type { EditOptions } from '../tox/edit.ts'
import { PASSPHRASE_FILE, type Runner, type WithPassphrase } from './options.ts'
import type { PublishOptions } from '../tox/publish.ts'
import type { RekeyCommandOptions } from '../tox/rekey.ts'
import type { RepairCommandOptions } from '../tox/repair.ts'

const FORCE = ['--force', 'although a Tox client runs on it'] as const

export function addTox(tox: Command, run: Runner): void {
  addCompanion(tox, run)
  addStatus(tox, run)
  addDevices(tox, run)
  addEdits(tox, run)
}

/** The daemon's own Tox node. */
function addCompanion(tox: Command, run: Runner): void {
  tox
    .command('up')
    .description('start the companion, a Tox node of the daemon that carries the tables; the first time it is made')
    .option('--name <name>', 'its nickname in your table, the first time')
    .action((options: { name?: string }) =>
      run(async (context) => (await import('../tox/companion.ts')).up(context, options)),
    )
  tox
    .command('down')
    .description('stop the companion, until it is started again or the daemon is')
    .action(() => run(async (context) => (await import('../tox/companion.ts')).down(context)))
  tox
    .command('peers')
    .description('the friends of the companion, and who asked to be one')
    .action(() => run(async (context) => (await import('../tox/companion.ts')).peers(context)))
  tox
    .command('add <id>')
    .description('befriend a device: a Tox ID is sent a request; a ToxPk has, or will have, the companion as a friend')
    .action((id: string) => run(async (context) => (await import('../tox/companion.ts')).add(context, id)))
}

/** What the status messages of a profile say to and about personas. */
function addStatus(tox: Command, run: Runner): void {
  tox
    .command('publish <profile>')
    .description('write your table into a profile, as its status message')
    .option('--text <words>', 'your own words, instead of those that are there')
    .option(...FORCE)
    .option('--unlisted', 'although it is the profile of no device of yours')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: PublishOptions) =>
      run(async (context) => (await import('../tox/publish.ts')).publish(context, file, options)),
    )
  tox
    .command('watch [places...]')
    .description('what the daemon watches; or watch these files and directories from here, until Ctrl-C')
    .option(...PASSPHRASE_FILE)
    .action((places: string[], options: WithPassphrase) =>
      run(async (context) => (await import('../tox/watch.ts')).profileWatch(context, places, options)),
    )
  tox
    .command('repair')
    .description('write your table into the watched profiles of yours that lost it, whenever no client runs on them')
    .option('--once', 'what can be written now, and end')
    .option(...PASSPHRASE_FILE)
    .action((options: RepairCommandOptions) =>
      run(async (context) => (await import('../tox/repair.ts')).repair(context, options)),
    )
  tox
    .command('follow <profile>')
    .description('add the devices of your contacts that this profile does not have among its friends')
    .option('--ask', 'ask for each of them')
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: FollowOptions) =>
      run(async (context) => (await import('../tox/follow.ts')).follow(context, file, options)),
    )
  tox
    .command('scan <profiles...>')
    .description('read what all friends in these profiles show, and keep it')
    .option(...PASSPHRASE_FILE)
    .action((files: string[], options: WithPassphrase) =>
      run(async (context) => (await import('../tox/scan.ts')).scan(context, files, options)),
    )
  tox
    .command('inspect <profile>')
    .description('show all that a profile holds and judge what its friends show; needs no daemon')
    .option('--yaml', 'as YAML, with everything')
    .option('--secrets', 'with secret keys and passwords')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: InspectOptions) =>
      run(async (context) => (await import('../tox/inspect.ts')).inspect(context, file, options)),
    )
}

function addDevices(tox: Command, run: Runner): void {
  tox
    .command('rekey <profile> <new>')
    .description('make a second device out of a profile: all friends under a key of its own')
    .requiredOption('--device <name>', 'nickname of the new device')
    .option('--nospam <which>', 'keep that of the old device, or new, which is the default')
    .option('--drop-relays', 'without the relays that the old device used')
    .option('--force', 'replace a file that is there; a backup of it is kept')
    .option('--plain', 'do not encrypt the new profile although the old one is')
    .option('--new-passphrase-file <file>', 'encrypt the new profile with the passphrase in this file')
    .option(...PASSPHRASE_FILE)
    .action((from: string, file: string, options: RekeyCommandOptions) =>
      run(async (context) => (await import('../tox/rekey.ts')).rekey(context, from, file, options)),
    )
  tox
    .command('new <profile>')
    .description('make a profile with new keys and no friends')
    .requiredOption('--name <name>', 'what friends will see')
    .option('--status <words>', 'status message')
    .option('--encrypt', 'ask for a passphrase')
    .option('--passphrase-file <file>', 'encrypt it with the passphrase in this file, - for stdin')
    .option('--force', 'replace a file that is there; a backup of it is kept')
    .action((file: string, options: NewOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).create(context, file, options)),
    )
}

function addEdits(tox: Command, run: Runner): void {
  tox
    .command('set <profile> <field> <value>')
    .description(
      'set name, status (your own words; the token stays), nospam (8 hex digits or new), or away (none, away, busy)',
    )
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, field: string, value: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/set.ts')).set(context, file, field, value, options)),
    )
  tox
    .command('friends <profile> <action> [who...]')
    .description('add a Tox ID or ToxPk, remove names or keys, merge the contacts of other profiles, or export')
    .option('--name <name>', 'add: what to call the friend until it shows a name')
    .option('--request <text>', 'add: let the client send a friend request with this text')
    .option('--yaml', 'export: as YAML, which is the default')
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, action: string, who: string[], options: FriendsOptions) =>
      run(async (context) => (await import('../tox/friends.ts')).friends(context, file, action, who, options)),
    )
  tox
    .command('encrypt <profile>')
    .description('encrypt a profile with a new passphrase, in place')
    .option(...FORCE)
    .option('--passphrase-file <file>', 'file with the new passphrase, - for stdin (else it is asked for)')
    .action((file: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).encrypt(context, file, options)),
    )
  tox
    .command('decrypt <profile>')
    .description('decrypt a profile, in place')
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).decrypt(context, file, options)),
    )
}
