/** `persona help`: the help of any command, by its words. */
import type { Command } from 'commander'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import type { Runner } from './options.ts'

/** Commander's own help command takes one word only, but `persona help device add` is what people type. */
export function addHelp(program: Command, run: Runner): void {
  program
    .helpCommand(false)
    .command('help [command...]')
    .description('show the help of a command')
    .action((words: string[]) =>
      run(() => {
        commandAt(program, words).outputHelp()
        return Promise.resolve(EXIT_DONE)
      }),
    )
}

/** @throws {CliError} USAGE: there is no such command */
export function commandAt(program: Command, words: readonly string[]): Command {
  let at = program
  for (const word of words) {
    const inner = at.commands.find((command) => command.name() === word)
    if (inner === undefined) {
      throw new CliError('USAGE', `there is no command "${words.join(' ')}"`, { hint: helpHint(at) })
    }
    at = inner
  }
  return at
}

function helpHint(command: Command): string {
  const words: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) words.unshift(at.name())
  return `run: ${words.join(' ')} --help`
}
