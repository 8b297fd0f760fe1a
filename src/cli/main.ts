/** Runs the command line `persona`: from its arguments to its exit status. */
import { printFailure } from './io/context.ts'
import { writeWhole } from './io/whole-output.ts'
import { CliError, EXIT_DONE } from './io/errors.ts'
import { plainCommand } from './plain-command.ts'

/** Whether the options ask for JSON. A word after `--` is no option. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end < 0 ? argv.length : end).includes('--json')
}

const argv = process.argv.slice(2)
const json = asksForJson(argv)
writeWhole(process.stdout)
process.stdout.on('error', (error) => {
  const code = 'code' in error ? String(error.code) : 'unknown error'
  // `persona contact list | head` closes the pipe: its reader has what it wants.
  if (code === 'EPIPE') process.exit(process.exitCode ?? EXIT_DONE)
  process.exit(printFailure(json, new CliError('OUTPUT_FAILED', `the output could not be written (${code})`)))
})
// Nobody is left to read an error, and the exit status stays.
process.stderr.on('error', () => {})
const plain = plainCommand(argv)
process.exitCode = await (plain === null ? (await import('./run-program.ts')).runProgram(argv, json) : plain())
