/** Runs the command line `persona`: from its arguments to its exit status. */
import { CommanderError, type Command } from 'commander'
import { resolvePaths } from '../ipc/paths.ts'
import { printFailure } from './io/context.ts'
import { writeWhole } from './io/whole-output.ts'
import { chooseColor, type ColorChoice } from './io/style.ts'
import { CliError, EXIT_DONE, EXIT_USAGE } from './io/errors.ts'
import type { Runner } from './program/options.ts'
import { buildProgram } from './program/program.ts'
import { ownVersion } from '../process/version.ts'

interface Globals {
  readonly home?: string
  readonly verbose?: true
  readonly color?: ColorChoice
}

/** Runs one command and returns its exit status. */
async function main(argv: readonly string[]): Promise<number> {
  // Read before parsing, because usage errors are printed in the same form.
  const json = argv.slice(0, endOfOptions(argv)).includes('--json')
  let status = EXIT_DONE
  let home: string | undefined
  const run: Runner = async (task) => {
    const { verbose = false, color = 'auto', ...rest } = program.opts<Globals>()
    home = rest.home
    chooseColor(color)
    const paths = resolvePaths({ home, env: process.env })
    status = await task({ json, verbose, home, paths, nowSec: Math.floor(Date.now() / 1000) })
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

function endOfOptions(argv: readonly string[]): number {
  const end = argv.indexOf('--')
  return end < 0 ? argv.length : end
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

writeWhole(process.stdout)
process.stdout.on('error', (error) => {
  const code = 'code' in error ? String(error.code) : 'unknown error'
  // `persona contact list | head` closes the pipe: its reader has what it wants.
  if (code === 'EPIPE') process.exit(process.exitCode ?? EXIT_DONE)
  const json = process.argv.slice(2, 2 + endOfOptions(process.argv.slice(2))).includes('--json')
  process.exit(printFailure(json, new CliError('OUTPUT_FAILED', `the output could not be written (${code})`)))
})
// Nobody is left to read an error, and the exit status stays.
process.stderr.on('error', () => {})
process.exitCode = await main(process.argv.slice(2))
