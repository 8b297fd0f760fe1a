/** The words of the commands that are about this device and this shell; the file that does the work of each is loaded only when it is called. */
import type { Command } from 'commander'
import type { EraseOptions } from './erase.ts'
import type { Runner } from './program.ts'

export function addEveryday(program: Command, run: Runner): void {
  program
    .command('erase')
    .description('erase everything that the daemon keeps on this device, and stop it; not the Tox profiles')
    .option('--persona <digits>', 'the first 8 digits of your PersonaID, instead of typing them')
    .action((options: EraseOptions) => run(async (context) => (await import('./erase.ts')).erase(context, options)))
  program
    .command('completion <shell> [words...]')
    .description('print the script by which bash, zsh or fish complete commands, options and names')
    .action((shell: string, words: string[]) =>
      run(async (context) => (await import('./completion.ts')).completion(context, shell, words)),
    )
}
