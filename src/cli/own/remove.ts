/** `persona device remove`: of a device that is lost the key is rotated away, one that is retired is only taken out of the table. */
import { withDaemon } from '../io/connect.ts'
import type { Context } from '../io/context.ts'
import { printEdit } from './device.ts'
import { CliError } from '../io/errors.ts'
import { showName } from '../io/escape.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import { checkNoRotation, rotate, type RotateOptions } from './rotate.ts'

export interface RemoveOptions extends RotateOptions {
  readonly lost?: true
  readonly retired?: true
}

export async function remove(context: Context, device: string, options: RemoveOptions): Promise<number> {
  if (options.lost === true && options.retired === true) {
    throw new CliError('USAGE', 'a device is either --lost or --retired')
  }
  const isLost = options.lost === true || (options.retired !== true && (await askWhich(context, device)))
  if (isLost) return await rotate(context, options, device)
  checkNoRotation(options, '--retired')
  const result = await withDaemon(context, (client) => client.call('device.remove', { device }))
  return printEdit(context, `removed ${showName(device, null)}`, result, [
    `if it is not in your hands, rotate: persona rotate`,
  ])
}

/** @returns whether it is lost */
async function askWhich(context: Context, device: string): Promise<boolean> {
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', 'is the device lost, or retired and in your hands?', {
      hint: '--lost rotates the key, which shuts out whoever has the device; --retired only takes it out of the table',
    })
  }
  process.stderr.write(
    'lost:     it was stolen, or nobody knows: the key is rotated, which shuts it out; the recovery words are needed\n' +
      'retired:  it is in your hands, and stays so: it is only taken out of the table\n',
  )
  const answer = (await askLine(`Is ${showName(device, null)} lost or retired? `)).trim().toLowerCase()
  if (answer === 'lost' || answer === 'retired') return answer === 'lost'
  throw new CliError('CANCELLED', 'cancelled: nothing was done')
}
