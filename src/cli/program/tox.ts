/** `persona tox ...`: commands about Tox profiles and the companion. */
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
import type { RestoreOptions } from '../tox/restore.ts'

const FORCE_PASSPHRASE = "write even if a client has the profile open or qTox's files beside it need the passphrase"
const FORCE = ['--force', 'write even if a Tox client has the profile open'] as const

export function addTox(tox: Command, run: Runner): void {
  tox.commandsGroup('Your table and your friends:')
  addStatus(tox, run)
  tox.commandsGroup('Look into profiles, watch and repair them:')
  addWatching(tox, run)
  tox.commandsGroup('Make and edit profiles:')
  addDevices(tox, run)
  addEdits(tox, run)
  tox.commandsGroup('The companion:')
  addCompanion(tox, run)
  tox.commandsGroup('Help:')
}

/** Commands about the companion, the daemon's own Tox device. */
function addCompanion(tox: Command, run: Runner): void {
  tox
    .command('up')
    .description("start the companion, the daemon's own Tox device; creates it the first time")
    .option('--name <name>', 'name it in your table, the first time')
    .action((options: { name?: string }) =>
      run(async (context) => (await import('../tox/companion.ts')).up(context, options)),
    )
  tox
    .command('down')
    .description('stop the companion until you start it or the daemon again')
    .action(() => run(async (context) => (await import('../tox/companion.ts')).down(context)))
  tox
    .command('peers')
    .description('list the friends of the companion and its friend requests')
    .action(() => run(async (context) => (await import('../tox/companion.ts')).peers(context)))
  tox
    .command('add <id>')
    .description('add a friend to the companion: it sends a request to a Tox ID; a ToxPk must add it too')
    .action((id: string) => run(async (context) => (await import('../tox/companion.ts')).add(context, id)))
}

/** Commands about the status messages in profiles. */
function addStatus(tox: Command, run: Runner): void {
  tox
    .command('publish <profile>')
    .description('write your table into a profile as its status message')
    .option('--short', 'write a short status in place of the table; friends find the table by announcements')
    .option('--text <words>', 'put these words before the token, instead of the present ones')
    .option('--drop-words', 'leave your words out if they do not fit; a later publish puts them back')
    .option(...FORCE)
    .option('--unlisted', 'write even if the profile belongs to none of your devices')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: PublishOptions) =>
      run(async (context) => (await import('../tox/publish.ts')).publish(context, file, options)),
    )
  tox
    .command('scan <profiles...>')
    .description('read and record the status messages of all friends in these profiles')
    .option(...PASSPHRASE_FILE)
    .action((files: string[], options: WithPassphrase) =>
      run(async (context) => (await import('../tox/scan.ts')).scan(context, files, options)),
    )
  tox
    .command('follow <profile>')
    .description('add devices of your contacts that are missing among the friends of this profile')
    .option('--ask', 'ask about each device')
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: FollowOptions) =>
      run(async (context) => (await import('../tox/follow.ts')).follow(context, file, options)),
    )
}

/** Commands about profiles as files. */
function addWatching(tox: Command, run: Runner): void {
  tox
    .command('inspect <profile>')
    .description("show everything in a profile, and judge its friends' status messages; needs no daemon")
    .option('--yaml', 'print YAML, with every detail')
    .option('--secrets', 'include secret keys and passwords')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: InspectOptions) =>
      run(async (context) => (await import('../tox/inspect.ts')).inspect(context, file, options)),
    )
  tox
    .command('watch [places...]')
    .description('show the watched profiles; with places, watch these files and directories until Ctrl-C')
    .option(...PASSPHRASE_FILE)
    .action((places: string[], options: WithPassphrase) =>
      run(async (context) => (await import('../tox/watch.ts')).profileWatch(context, places, options)),
    )
  tox
    .command('repair')
    .description('write your table back into watched profiles that lost it, when no Tox client has them open')
    .option('--once', 'write what is possible now, then stop')
    .option(...PASSPHRASE_FILE)
    .action((options: RepairCommandOptions) =>
      run(async (context) => (await import('../tox/repair.ts')).repair(context, options)),
    )
  tox
    .command('restore <profile>')
    .description('put back a good copy of an own profile that is gone, empty, damaged or replaced')
    .option('--list', 'list the copies that the daemon kept')
    .option('--copy <file>', 'put back this copy or backup, not the newest copy of the daemon')
    .option('--missing-friends', 'add the friends that the daemon saw in this profile and that the copy lacks')
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: RestoreOptions) =>
      run(async (context) => (await import('../tox/restore.ts')).restore(context, file, options)),
    )
}

/** Commands that make profiles. */
function addDevices(tox: Command, run: Runner): void {
  tox
    .command('rekey <profile> <new>')
    .description('make a profile for a second device: the same friends, a new key')
    .requiredOption('--device <name>', 'name the new device')
    .option('--nospam <which>', 'keep the old nospam, or draw a new one (default: new)')
    .option('--drop-relays', 'leave out the relays of the old device')
    .option('--force', 'replace an existing file; keeps a backup of it')
    .option('--plain', 'do not encrypt the new profile even if the old one is encrypted')
    .option('--new-passphrase-file <file>', 'encrypt the new profile with the passphrase in this file')
    .option(...PASSPHRASE_FILE)
    .action((from: string, file: string, options: RekeyCommandOptions) =>
      run(async (context) => (await import('../tox/rekey.ts')).rekey(context, from, file, options)),
    )
  tox
    .command('new <profile>')
    .description('create a profile with new keys and no friends')
    .requiredOption('--name <name>', 'set the name that friends see')
    .option('--status <words>', 'set the status message')
    .option('--encrypt', 'ask for a passphrase to encrypt it')
    .option('--passphrase-file <file>', 'encrypt it with the passphrase in this file (- for stdin)')
    .option('--force', 'replace an existing file; keeps a backup of it')
    .action((file: string, options: NewOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).create(context, file, options)),
    )
}

/** Commands that edit a profile in place. */
function addEdits(tox: Command, run: Runner): void {
  tox
    .command('set <profile> <field> <value>')
    .description(
      'set name, status (your own words; the token stays), nospam (8 hex digits or new) or away (none, away or busy)',
    )
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, field: string, value: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/set.ts')).set(context, file, field, value, options)),
    )
  tox
    .command('friends <profile> <action> [who...]')
    .description('add a Tox ID or ToxPk, remove names or keys, merge the friends of other profiles, or export')
    .option('--name <name>', 'add: name the friend until it shows a name')
    .option('--request <text>', 'add: let the client send a friend request with this text')
    .option('--yaml', 'export: print YAML (the default)')
    .option(...FORCE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, action: string, who: string[], options: FriendsOptions) =>
      run(async (context) => (await import('../tox/friends.ts')).friends(context, file, action, who, options)),
    )
  tox
    .command('encrypt <profile>')
    .description('encrypt a profile in place, with a new passphrase')
    .option('--force', FORCE_PASSPHRASE)
    .option('--passphrase-file <file>', 'read the new passphrase from this file (- for stdin; default: ask)')
    .action((file: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).encrypt(context, file, options)),
    )
  tox
    .command('decrypt <profile>')
    .description('decrypt a profile in place')
    .option('--force', FORCE_PASSPHRASE)
    .option(...PASSPHRASE_FILE)
    .action((file: string, options: EditOptions) =>
      run(async (context) => (await import('../tox/encrypt.ts')).decrypt(context, file, options)),
    )
}
