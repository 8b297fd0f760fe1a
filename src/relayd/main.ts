/** The program `persona-relay`, from its arguments to its exit status. */
import process from 'node:process'
import { isOwnError } from '../process/describe-error.ts'
import { ownVersion } from '../process/version.ts'
import { readArguments, USAGE, UsageError, type Command } from './program/arguments.ts'
import { resolveRelayDir } from './program/relay-dir.ts'

const EXIT_FAILED = 1
const EXIT_USAGE = 2

/** Loads the code of a command only when it runs: `stats` needs no store. */
async function run(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      console.log(USAGE)
      return 0
    case 'version':
      console.log(`persona-relay ${ownVersion()}`)
      return 0
    case 'init':
      return (await import('./program/init.ts')).initRelay(command)
    case 'check':
      return await (await import('./program/check.ts')).checkRelay(command, (line) => console.log(line))
    case 'move':
      return await (await import('./program/run-move.ts')).runMove(command, resolveRelayDir(command.dir, process.env))
    case 'call':
      return await (
        await import('./program/print-call.ts')
      ).printCall(command, resolveRelayDir(command.dir, process.env))
    case 'serve':
      await (await import('./program/serve.ts')).serve(command, resolveRelayDir(command.dir, process.env))
      return 0
  }
}

async function main(): Promise<void> {
  // A reader that has enough, such as head, is no failure.
  process.stdout.on('error', (error) => {
    if (!('code' in error && error.code === 'EPIPE')) process.exitCode = EXIT_FAILED
  })
  try {
    process.exitCode = await run(readArguments(process.argv.slice(2)))
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`persona-relay: error: ${error.message}\n${USAGE}`)
      process.exitCode = EXIT_USAGE
      return
    }
    if (!isOwnError(error)) throw error
    console.error(`persona-relay: error: ${error.message}`)
    if (error.hint !== null) console.error(`persona-relay: hint: ${error.hint}`)
    process.exitCode = EXIT_FAILED
  }
}

// Deprecations are told to programmers. The client of PostgreSQL has one for each operator who keeps their password in a file.
process.noDeprecation = true
await main()
