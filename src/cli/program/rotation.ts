/** Commands that decide who may sign: approve and remove devices, and rotate the key. */
import type { Command } from 'commander'
import { collect, EPOCH, WORDS_FILE, YES, type Runner } from './options.ts'
import type { RemoveOptions } from '../own/remove.ts'
import type { RotateOptions } from '../own/rotate.ts'
import type { SucceedOptions } from '../own/succeed.ts'

function choosing(command: Command): Command {
  return command
    .option('--since <date>', 'leave out devices that were added on or after this date or time')
    .option('--keep <name>', 'keep this device, or put it back; may be repeated', collect)
    .option('--without <name>', 'leave out this device too; may be repeated', collect)
}

function rotating(command: Command): Command {
  return choosing(command)
    .option(...EPOCH)
    .option(...WORDS_FILE)
    .option(...YES)
    .option('--dry-run', 'show the table, but do not sign it')
}

/** `device approve` and `device remove`. */
export function addRemoval(device: Command, run: Runner): void {
  device
    .command('approve <device>')
    .description('approve a device that another of your devices added')
    .action((name: string) => run(async (context) => (await import('../own/device.ts')).approve(context, name)))
  const remove = device
    .command('remove <device>')
    .description('remove a device from the table')
    .option('--lost', 'rotate the key too, to shut out a lost or stolen device')
    .option('--retired', 'keep the key; a device that you still hold is not revoked')
  rotating(remove).action((name: string, options: RemoveOptions) =>
    run(async (context) => (await import('../own/remove.ts')).remove(context, name, options)),
  )
}

/** `succeed`. */
export function addSuccession(program: Command, run: Runner): void {
  const succeed = program
    .command('succeed')
    .description('make a new persona that follows this one, before its keys run out')
  choosing(succeed)
    .option(...WORDS_FILE)
    .option(...YES)
    .option('--dry-run', 'show the table, but do not make the persona')
    .option('--end', 'end the statement that your persona follows an earlier one')
    .action((options: SucceedOptions) =>
      run(async (context) => (await import('../own/succeed.ts')).succeed(context, options)),
    )
}

/** `rotate`. */
export function addRotation(program: Command, run: Runner): void {
  const rotate = program
    .command('rotate')
    .description('sign with the next key, and shut out everyone who has only the current one')
    .option('--follow', 'catch up after another of your devices rotated')
  rotating(rotate).action(({ follow, ...options }: RotateOptions & { follow?: true }) =>
    run(async (context) => {
      const commands = await import('../own/rotate.ts')
      return follow === true ? commands.follow(context, options) : commands.rotate(context, options)
    }),
  )
}
