/** `persona completion`, which prints a script for the user's shell. */
import type { Command } from 'commander'
import type { Runner } from './options.ts'

export function addCompletion(program: Command, run: Runner): void {
  program
    .command('completion <shell> [words...]')
    .description('print the completion script for bash, zsh or fish')
    .action((shell: string, words: string[]) =>
      run(async (context) => (await import('./completion.ts')).completion(context, program, shell, words)),
    )
}
