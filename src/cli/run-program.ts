/** The grammar of the command line at work: from the arguments to the exit status of the command that they name. */
import { CommanderError, type Command } from 'commander'
import { contextOf, printFailure } from './io/context.ts'
import { chooseColor, type ColorChoice } from './io/style.ts'
import { CliError, EXIT_DONE, EXIT_USAGE } from './io/errors.ts'
import { ownVersion } from '../process/version.ts'
import type { Runner } from './program/options.ts'
import { buildProgram } from './program/program.ts'

interface Globals {
  readonly home?: string
  readonly verbose?: true
  readonly color?: ColorChoice
}

/**
 * Runs one command.
 * @param json whether the arguments ask for JSON. It was read before parsing, because usage errors are printed in the same form
 * @returns the exit status
 */
export async function runProgram(argv: readonly string[], json: boolean): Promise<number> {
  let status = EXIT_DONE
  let home: string | undefined
  const run: Runner = async (task) => {
    const { verbose = false, color = 'auto', ...rest } = program.opts<Globals>()
    home = rest.home
    chooseColor(color)
    status = await task(contextOf(home, json, verbose))
  }
  const program = buildProgram(run)
  quiet(program)
  program.hook('preAction', (_, command) => checkWords(command))
  program.on('option:version', () => {
    process.stdout.write(`${ownVersion()}\n`)
    throw new CommanderError(EXIT_DONE, 'commander.version', '')
  })
  try {
    const { operands, unknown } = program.parseOptions([...argv])
    if (operands.length === 0 && unknown.length === 0) {
      await run(async (context) => (await import('./daemon/overview.ts')).overview(context))
      return status
    }
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (error) {
    if (!(error instanceof CommanderError)) return printFailure(json, error, home)
    // A group without its command, such as `persona device`, shows its help; that is wrong usage.
    if (error.code === 'commander.help') return EXIT_USAGE
    return error.exitCode === EXIT_DONE ? EXIT_DONE : printFailure(json, usageError(error))
  }
}

const MAY_BE_EMPTY = ['nickname', 'text', 'value', 'words'] // other rules judge these, and say more

/** Refuses an empty name or file, which is usually an unset shell variable. @throws {CliError} USAGE */
function checkWords(command: Command): void {
  for (const [i, argument] of command.registeredArguments.entries()) {
    const words = argument.variadic ? command.args.slice(i) : command.args.slice(i, i + 1)
    if (MAY_BE_EMPTY.includes(argument.name()) || !words.includes('')) continue
    throw new CliError('USAGE', `the argument <${argument.name()}> is empty`, { hint: helpOf(command) })
  }
}

/** The command that an error of commander came from. */
const commandOf = new WeakMap<CommanderError, Command>()

/** Makes commander throw its errors instead of printing them and exiting. */
function quiet(command: Command): void {
  command.configureOutput({ outputError: () => {} }).exitOverride((error) => {
    commandOf.set(error, command)
    throw error
  })
  for (const sub of command.commands) quiet(sub)
}

function helpOf(command: Command | null): string {
  const words: string[] = []
  for (let at = command; at !== null; at = at.parent) words.unshift(at.name())
  return `run: ${words.length === 0 ? 'persona' : words.join(' ')} --help`
}

function usageError(error: CommanderError): CliError {
  const [message, suggestion] = error.message.replace(/^error: /, '').split('\n')
  // Commander suggests "(Did you mean log?)".
  const hint = suggestion?.replace(/^\(D(.*)\)$/, 'd$1') ?? helpOf(commandOf.get(error) ?? null)
  return new CliError('USAGE', message ?? 'wrong usage', { hint, cause: error })
}
