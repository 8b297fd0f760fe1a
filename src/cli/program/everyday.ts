/** The words of the commands that are about this device and this shell; the file that does the work of each is loaded only when it is called. */
import type { Command } from 'commander'
import type { EraseOptions } from '../own/erase.ts'
import type { Runner } from './options.ts'
import type { ServiceCommandOptions } from '../daemon/service-commands.ts'

/** `erase` and `completion`. */
export function addEveryday(program: Command, run: Runner): void {
  program
    .command('erase')
    .description('erase everything that the daemon keeps on this device, and stop it; not the Tox profiles')
    .option('--persona <digits>', 'the first 8 digits of your PersonaID, instead of typing them')
    .action((options: EraseOptions) =>
      run(async (context) => (await import('../own/erase.ts')).erase(context, options)),
    )
  program
    .command('completion <shell> [words...]')
    .description('print the script by which bash, zsh or fish complete commands, options and names')
    .action((shell: string, words: string[]) =>
      run(async (context) => (await import('./completion.ts')).completion(context, program, shell, words)),
    )
}

/** `service ...`. */
export function addService(service: Command, run: Runner): void {
  service
    .command('install')
    .description('write the unit, enable it and start it')
    .option('--repair', 'also the unit that writes your table back into Tox profiles that lost it')
    .option('--tox', 'also give the companion its network, which the sandbox has not')
    .option('--force', 'replace a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('../daemon/service-commands.ts')).install(context, options)),
    )
  service
    .command('uninstall')
    .description('stop it and remove the unit; what the daemon keeps stays')
    .option('--force', 'remove a unit that persona did not write')
    .action((options: ServiceCommandOptions) =>
      run(async (context) => (await import('../daemon/service-commands.ts')).uninstall(context, options)),
    )
  service
    .command('status')
    .description('whether it is in place and runs')
    .action(() => run(async (context) => (await import('../daemon/service-commands.ts')).status(context)))
}
