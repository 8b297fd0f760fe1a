/** The grammar of the command line. The module that does the work of a command is loaded only when that command runs. */
import { Command, Option } from 'commander'
import { COLOR_CHOICES } from '../io/style.ts'
import { addAnnounce } from './announce.ts'
import { addApp } from './app.ts'
import { addBackup } from './backup.ts'
import { addChannel } from './channel.ts'
import { addChat } from './chat.ts'
import { addCompletion } from './completion-command.ts'
import { addContact } from './contact.ts'
import { addConfig, addDaemon, addService, addStore } from './daemon.ts'
import { addDevice, addLeaving, addPairing, addSibling } from './device.ts'
import { EXAMPLES } from './examples.ts'
import { addHelp } from './help.ts'
import { addMessage } from './message.ts'
import { addPending, addVerify } from './judge.ts'
import type { Runner } from './options.ts'
import { addPassphrase, addPersona, addRecovery } from './persona.ts'
import { addRelay } from './relay.ts'
import { addRemoval, addRotation, addSuccession } from './rotation.ts'
import { addTox } from './tox.ts'

const HELP_AFTER = `
--json prints exactly what the daemon answers, as one JSON value (watch: one line
for each event), and failures as {"error":{"code","message","hint"}} on stderr.
Error codes never change.

Exit status: 0 done; 1 refused, failed, not valid or not found; 2 wrong usage;
3 the daemon does not run.`

/** The whole command line. Global options may stand before or after the command. */
export function buildProgram(run: Runner): Command {
  const program = new Command('persona')
    .description('One person, many devices: keep, publish and look up signed tables of device keys.')
    .option('--json', 'print JSON, for programs')
    .option('-v, --verbose', 'show more, such as the epoch and seq of tables')
    .option('--home <dir>', 'keep all files and sockets below this directory')
    .addOption(new Option('--color <when>', 'use colours (default: auto)').choices(COLOR_CHOICES))
    .option('-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .configureHelp({
      showGlobalOptions: true,
      commandDescription: (command) => sentence(command.description()),
      // Names only, so that most descriptions fit on one line of 80 columns.
      subcommandTerm: (command) => command.name(),
    })
  addOwn(program, run)
  addAnnounce(program.command('announce').description('announce your table on the DHT, or show how it is'), run)
  program.commandsGroup('Contacts:')
  const contact = program.command('contact').description('manage the people you know')
  addContact(program, contact, run)
  addPending(program, contact, run)
  addVerify(program, run)
  addChat(program.command('chat').description('write to people, line by line'), run)
  addChannel(program.command('channel').description('make and use encrypted lines to other people'), run)
  addMessage(
    program.command('message').description('send messages, which wait until they are fetched, and read them'),
    run,
  )
  program.commandsGroup('Tox:')
  addTox(program.command('tox').description('work with Tox profiles and the companion'), run)
  program.commandsGroup('The daemon:')
  addDaemon(program, run)
  addApp(program.command('app').description('allow local apps to use the daemon'), run)
  addRelay(program.command('relay').description('choose the relays where you receive'), run)
  addConfig(program.command('config').description('read and change the configuration of the daemon'), run)
  addStore(program.command('store').description('rescue what a damaged store still holds'), run)
  addService(program.command('service').description('run the daemon as a systemd user service'), run)
  program.commandsGroup('Shell and help:')
  addCompletion(program, run)
  addHelp(program, run)
  for (const command of [program, ...program.commands]) {
    if (command !== program && command.commands.length > 0)
      command.helpCommand('help [command]', 'show the help of a command')
    addExamples(command)
  }
  return program.addHelpText('after', HELP_AFTER)
}

/** The commands about the owner's own persona. */
function addOwn(program: Command, run: Runner): void {
  program.commandsGroup('Your persona:')
  addPersona(program, run)
  addPassphrase(program.command('passphrase').description('manage the passphrase of the signing key'), run)
  program.commandsGroup('Your devices:')
  const device = program.command('device').description('manage the devices in your table')
  addDevice(device, run)
  addRemoval(device, run)
  addPairing(program, run)
  addSibling(program.command('sibling').description('exchange tables with your other devices'), run)
  addLeaving(program, run)
  program.commandsGroup('Loss and theft:')
  addRecovery(program.command('recovery').description('show, confirm or check the 24 recovery words'), run)
  addRotation(program, run)
  addSuccession(program, run)
  addBackup(program, run)
}

function addExamples(command: Command): void {
  const examples = EXAMPLES[command.parent === null ? '' : command.name()]
  if (examples !== undefined)
    command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
}

function sentence(description: string): string {
  return `${description.charAt(0).toUpperCase()}${description.slice(1).replace(/\.$/, '')}.`
}
