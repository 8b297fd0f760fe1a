/** The words of the command line about who may sign: devices approved and removed, the key rotated, this device leaving. */
import type { Command } from 'commander'
import type { Runner } from './options.ts'
import type { RemoveOptions } from '../own/remove.ts'
import type { RotateOptions } from '../own/rotate.ts'

export const WORDS_FILE = [
  '--words-file <file>',
  'file with the recovery words, - for stdin, /dev/fd/3 for a file descriptor; else they are asked for',
] as const
export const YES = ['--yes', 'sign without asking'] as const

export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

function rotating(command: Command): Command {
  return command
    .option('--since <date>', 'leave out devices that came at or after this day or time')
    .option('--keep <name>', 'keep a device that would be left out, or put one back; may be repeated', collect)
    .option('--without <name>', 'leave out one more device; may be repeated', collect)
    .option('--epoch <number>', 'the epoch to rotate to, up to 16; else one more than the highest seen')
    .option(...WORDS_FILE)
    .option(...YES)
    .option('--dry-run', 'show the table that would be signed, and stop')
}

/** `device approve`, `device remove`, `rotate`, `leave`, `recovery check`. */
export function addRotation(program: Command, device: Command, recovery: Command, run: Runner): void {
  device
    .command('approve <device>')
    .description('say that a device which another device of yours added is yours')
    .action((name: string) => run(async (context) => (await import('../own/device.ts')).approve(context, name)))
  const remove = device
    .command('remove <device>')
    .description('take a device out of the table')
    .option('--lost', 'it was stolen, or nobody knows: rotate the key, so that it is shut out')
    .option('--retired', 'it is in your hands: this does not revoke it')
  rotating(remove).action((name: string, options: RemoveOptions) =>
    run(async (context) => (await import('../own/remove.ts')).remove(context, name, options)),
  )
  const rotate = program
    .command('rotate')
    .description('sign by the next key from now on, and shut out whoever has the present one')
    .option('--follow', 'another device has rotated: take its key from the recovery words')
  rotating(rotate).action(({ follow, ...options }: RotateOptions & { follow?: true }) =>
    run(async (context) => {
      const commands = await import('../own/rotate.ts')
      return follow === true ? commands.follow(context, options) : commands.rotate(context, options)
    }),
  )
  program
    .command('leave')
    .description('take this device out of the table, and erase its signing key')
    .option(...YES)
    .action((options: { yes?: true }) =>
      run(async (context) => (await import('../own/leave.ts')).leave(context, options)),
    )
  recovery
    .command('check')
    .description('whether recovery words are those of your persona; nothing is changed')
    .option(...WORDS_FILE)
    .action((options: { wordsFile?: string }) =>
      run(async (context) => (await import('../own/recovery.ts')).check(context, options)),
    )
}
