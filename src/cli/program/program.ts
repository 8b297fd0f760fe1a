/** The words of the command line, and which file does the work of each; that file is loaded only when its command is called. */
import { Command } from 'commander'
import { addApp } from './app.ts'
import { addBackup } from './backup.ts'
import { addContact } from './contact.ts'
import { addDevice, addPairing, addSibling } from './device.ts'
import { addEveryday, addService } from './everyday.ts'
import { addPending, addVerify } from './judge.ts'
import type { Runner } from './options.ts'
import { addPassphrase, addPersona, addRecovery } from './persona.ts'
import { addRotation } from './rotation.ts'
import { addTox } from './tox.ts'

const HELP_AFTER = `
--json prints exactly what the daemon's socket answers, as one JSON value (watch: one line an
event), and a failure as one line {"error":{"code","message","hint"}} on stderr. Codes are stable.

Exit status: 0 done; 1 refused, failed, not valid, or nobody found; 2 wrong usage; 3 no daemon runs.`

/** The whole command line; options that hold for all commands may stand before or behind the command. */
export function buildProgram(run: Runner): Command {
  const program = new Command('persona')
    .description('One person, many devices: keep, publish and look up signed tables of device keys.')
    .option('--json', 'print JSON, for programs')
    .option('-v, --verbose', 'show more: epoch and seq of tables, and other details')
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
  const contact = program.command('contact').description('the people you know')
  addContact(program, contact, run)
  addPending(program, contact, run)
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
