/** The words of the command line, and which file does the work of each; that file is loaded only when its command is called. */
import { Command } from 'commander'
import type { Context } from './context.ts'
import type { AlarmOptions } from './alarms.ts'
import type { GrantOptions } from './app.ts'
import type { DeviceRekeyOptions } from './device-rekey.ts'
import type { KeyOptions } from './device.ts'
import type { JoinOptions } from './join.ts'
import type { PairOptions } from './pair.ts'
import type { LogOptions } from './log.ts'
import type { PassphraseOptions } from './passphrase.ts'
import type { AnswerOptions } from './pending.ts'
import type { InitOptions } from './persona.ts'
import { addBackup } from './program-backup.ts'
import { addEveryday } from './program-everyday.ts'
import { addContactCommands } from './program-contact.ts'
import { addRotation } from './program-rotation.ts'
import { PASSPHRASE_FILE, addTox, type WithPassphrase } from './program-tox.ts'
import type { ServiceCommandOptions } from './service-commands.ts'

/** What one command does: given where and how, it returns the exit status. */
export type Task = (context: Context) => Promise<number>
/** Called with the task of the command that was named. */
export type Runner = (task: Task) => Promise<void>

export const PROFILE_PASSPHRASE_FILE = [
  '--profile-passphrase-file <file>',
  "file with the profile's passphrase, - for stdin",
] as const
export const TOX_PROFILE = ['--tox-profile <file>', 'take the key from this Tox profile'] as const
export const KEY = ['--key <hex>', 'the ToxPk (64 hex digits) or whole Tox ID (76)'] as const

const HELP_AFTER = `
--json prints exactly what the daemon's socket answers, as one JSON value (watch: one line an
event), and a failure as one line {"error":{"code","message","hint"}} on stderr. Codes are stable.

Exit status: 0 done; 1 refused, failed, not valid, or nobody found; 2 wrong usage; 3 no daemon runs.`

/** The whole command line; options that hold for all commands may stand before or behind the command. */
export function buildProgram(run: Runner): Command {
  const program = new Command('persona')
    .description('One person, many devices: keep, publish and look up signed tables of device keys.')
    .option('--json', 'print JSON, for programs')
    .option('--home <dir>', 'keep state, config and sockets below this directory (also PERSONAD_HOME)')
    .option('-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', HELP_AFTER)
  addPersona(program, run)
  const device = program.command('device').description('your table of devices')
  addDevice(device, run)
  addSibling(program.command('sibling').description('your other devices'), run)
  addPairing(program, run)
  addTox(program.command('tox').description('Tox profiles'), run)
  addContact(program, run)
  addVerify(program, run)
  addBackup(program, run)
  const recovery = program
    .command('recovery')
    .description('the recovery words, which bring the persona back after a theft')
  addRecovery(recovery, run)
  addRotation(program, device, recovery, run)
  addApp(program.command('app').description('local apps, and what they may do'), run)
  addPassphrase(program.command('passphrase').description('the passphrase that seals your signing key'), run)
  addEveryday(program, run)
  addService(program.command('service').description('the daemon as a service of your systemd'), run)
  return program
}

function addPairing(program: Command, run: Runner): void {
  program
    .command('pair')
    .description('give your persona to a further device of yours: shows a one-time code')
    .option('--listen <host:port>', 'listen there, and not on every interface at a free port')
    .option('--file <path>', 'by files that you carry: path.1, path.2, path.3')
    .option('--cancel', 'end a pairing that was left behind')
    .action((options: PairOptions) => run(async (context) => (await import('./pair.ts')).pair(context, options)))
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
      run(async (context) => (await import('./join.ts')).join(context, code, options)),
    )
}

function addPassphrase(passphrase: Command, run: Runner): void {
  const fresh = ['--passphrase-file <file>', 'file with the new passphrase, - for stdin'] as const
  const present = ['--old-passphrase-file <file>', 'file with the present passphrase, - for stdin'] as const
  passphrase
    .command('set')
    .description('seal the signing key by a passphrase')
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('./passphrase.ts')).setPassphrase(context, options)),
    )
  passphrase
    .command('change')
    .description('seal it by another one; asks for the present one too')
    .option(...present)
    .option(...fresh)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('./passphrase.ts')).changePassphrase(context, options)),
    )
  passphrase
    .command('remove')
    .description('keep it without a passphrase')
    .option(...present)
    .action((options: PassphraseOptions) =>
      run(async (context) => (await import('./passphrase.ts')).removePassphrase(context, options)),
    )
}

function addPersona(program: Command, run: Runner): void {
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
    .action((options: InitOptions) => run(async (context) => (await import('./persona.ts')).init(context, options)))
  program
    .command('lock')
    .description('wipe your signing key from memory until you unlock it')
    .action(() => run(async (context) => (await import('./passphrase.ts')).lock(context)))
  program
    .command('unlock')
    .description('open your signing key after a start of the daemon')
    .option(...PASSPHRASE_FILE)
    .action((options: WithPassphrase) =>
      run(async (context) => (await import('./persona.ts')).unlock(context, options)),
    )
  program
    .command('status')
    .description('persona, store, sockets, counts')
    .action(() => run(async (context) => (await import('./status.ts')).status(context)))
  program
    .command('doctor')
    .description('what is not as it should be, and what to do about it; also without a running daemon')
    .action(() => run(async (context) => (await import('./doctor.ts')).doctor(context)))
  program
    .command('blob')
    .description('the status message to show on all your devices')
    .option('--text <words>', 'your own words before the token')
    .action((options: { text?: string }) => run(async (context) => (await import('./blob.ts')).blob(context, options)))
  program
    .command('watch')
    .description('events as they happen, until Ctrl-C')
    .option('--after <number>', 'and before them those behind this number')
    .action((options: { after?: string }) =>
      run(async (context) => (await import('./watch.ts')).watch(context, options)),
    )
  program
    .command('log [name]')
    .description('what changed, of everybody or of one contact or device')
    .option('--limit <count>', 'so many of the newest entries, 50 when left out')
    .option('--verify', 'check that no entry was altered or taken out')
    .action((name: string | undefined, options: LogOptions) =>
      run(async (context) => (await import('./log.ts')).log(context, name, options)),
    )
}

function addDevice(device: Command, run: Runner): void {
  device
    .command('add <nickname>')
    .description('add a device at the end of the table')
    .option(...TOX_PROFILE)
    .option(...KEY)
    .option(...PROFILE_PASSPHRASE_FILE)
    .option('--again', 'although it was removed before')
    .action((name: string, options: KeyOptions & { again?: true }) =>
      run(async (context) => (await import('./device.ts')).add(context, name, options)),
    )
  device
    .command('list')
    .description('the table; the first device that chats is the active one')
    .option('--yaml', 'as YAML: nickname and key, in order')
    .action((options: { yaml?: true }) => run(async (context) => (await import('./device.ts')).list(context, options)))
  device
    .command('rename <device> <nickname>')
    .description('give a device another nickname')
    .action((old: string, name: string) =>
      run(async (context) => (await import('./device.ts')).rename(context, old, name)),
    )
  device
    .command('activate <device>')
    .description('make a device the active one')
    .action((name: string) => run(async (context) => (await import('./device.ts')).activate(context, name)))
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
      run(async (context) => (await import('./device-rekey.ts')).rekeyDevice(context, name, options)),
    )
}

function addSibling(sibling: Command, run: Runner): void {
  sibling
    .command('sync <file>')
    .description('take the newer table in a file, if it is there, and write yours into it; - for stdin and stdout')
    .action((file: string) => run(async (context) => (await import('./sibling.ts')).sync(context, file)))
}

function addContact(program: Command, run: Runner): void {
  const contact = program.command('contact').description('the people you know')
  addContactCommands(contact, run)
  program
    .command('link')
    .description('your contact link, for people who are to know you; on a terminal also as a QR code')
    .action(() => run(async (context) => (await import('./link.ts')).link(context)))
  addPending(program, contact, run)
  program
    .command('lookup <query>')
    .description('who is this ToxPk, Tox ID, PersonaID, name, or beginning of one')
    .action((query: string) => run(async (context) => (await import('./contact.ts')).lookup(context, query)))
}

function addPending(program: Command, contact: Command, run: Runner): void {
  const kind = ['--kind <kind>', 'update, upgrade or held, where more than one thing of the contact waits'] as const
  program
    .command('pending')
    .description('what waits for your answer, and what it would change')
    .action(() => run(async (context) => (await import('./pending.ts')).pending(context)))
  program
    .command('accept <contact>')
    .description('take what waits')
    .option(...kind)
    .option('--table <digits>', 'the table that "persona pending" showed; asked about on a terminal when left out')
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('./pending.ts')).accept(context, name, options)),
    )
  program
    .command('reject <contact>')
    .description('leave it as it is, until there is a newer table')
    .option(...kind)
    .action((name: string, options: AnswerOptions) =>
      run(async (context) => (await import('./pending.ts')).reject(context, name, options)),
    )
  contact
    .command('policy <contact> <policy>')
    .description('auto, ask or pin: whether newer tables are taken by themselves')
    .action((name: string, policy: string) =>
      run(async (context) => (await import('./pending.ts')).policy(context, name, policy)),
    )
}

function addVerify(program: Command, run: Runner): void {
  program
    .command('verify [text]')
    .description('judge a status message, storing nothing; from stdin when it is - or left out')
    .option('--from <toxpk>', 'the device that shows it')
    .option('--evidence <file>', 'check a file of evidence instead')
    .action((text: string | undefined, options: { from?: string; evidence?: string }) =>
      run(async (context) =>
        options.evidence === undefined
          ? (await import('./verify.ts')).verify(context, text, options)
          : (await import('./alarms.ts')).verifyEvidence(context, options.evidence),
      ),
    )
  program
    .command('alarms [contact]')
    .description('what went wrong with tables, what it means, and what to do')
    .option('--dismiss <id>', 'this one is dealt with')
    .option('--export <file>', 'write the evidence of the contact, or of your own persona, for others to check')
    .option('--force', 'replace the file')
    .action((contact: string | undefined, options: AlarmOptions) =>
      run(async (context) => (await import('./alarms.ts')).alarms(context, contact, options)),
    )
  program
    .command('observe <text>')
    .description('report the status message that a device shows now; - reads it from stdin')
    .requiredOption('--from <toxpk>', 'the device that shows it')
    .option('--name <name>', 'the name that the Tox client shows, for a contact seen for the first time')
    .action((text: string, options: { from: string }) =>
      run(async (context) => (await import('./verify.ts')).observe(context, text, options)),
    )
}

function addRecovery(recovery: Command, run: Runner): void {
  recovery
    .command('show')
    .description('show the words; possible until they are confirmed')
    .action(() => run(async (context) => (await import('./recovery.ts')).show(context)))
  recovery
    .command('confirm')
    .description('type three of them back; without a terminal, lines such as "7 abandon" on stdin')
    .action(() => run(async (context) => (await import('./recovery.ts')).confirm(context)))
}

function addApp(app: Command, run: Runner): void {
  const can = ['--can <list>', 'any of read, observe, publish, with commas between them'] as const
  const span = ['--for <time>', 'such as 12h or 30d; until it is revoked when left out'] as const
  app
    .command('allow <name>')
    .description('allow a new app something, and show its token, this once')
    .option(...can)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('./app.ts')).allow(context, name, options)),
    )
  app
    .command('list')
    .description('the apps that have a token')
    .action(() => run(async (context) => (await import('./app.ts')).list(context)))
  app
    .command('pending')
    .description('the apps that ask to be allowed something')
    .action(() => run(async (context) => (await import('./app.ts')).pending(context)))
  app
    .command('accept <name>')
    .description('allow what an app asks for, or the part of it that --can names')
    .option(...can)
    .option(...span)
    .action((name: string, options: GrantOptions) =>
      run(async (context) => (await import('./app.ts')).accept(context, name, options)),
    )
  app
    .command('reject <name>')
    .description('refuse what an app asks for')
    .action((name: string) => run(async (context) => (await import('./app.ts')).reject(context, name)))
  app
    .command('revoke <name>')
    .description('take back what an app may do, and all that it reported')
    .action((name: string) => run(async (context) => (await import('./app.ts')).revoke(context, name)))
}

function addService(service: Command, run: Runner): void {
  service
    .command('install')
    .description('write the unit, enable it and start it')
    .option('--repair', 'also the unit that writes your table back into Tox profiles that lost it')
    .option('--tox', 'also give the companion its network, which the sandbox has not')
    .option('--force', 'replace a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('./service-commands.ts')).install(context, options)),
    )
  service
    .command('uninstall')
    .description('stop it and remove the unit; what the daemon keeps stays')
    .option('--force', 'remove a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('./service-commands.ts')).uninstall(context, options)),
    )
  service
    .command('status')
    .description('whether it is in place and runs')
    .action(() => run(async (context) => (await import('./service-commands.ts')).status(context)))
}
