/** `persona device remove`: of a device that is lost the key is rotated away, one that is retired is only taken out of the table. */
import { withDaemon } from '../io/connect.ts'
import { tell, type Context } from '../io/context.ts'
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
    throw new CliError('USAGE', 'give either --lost or --retired, not both')
  }
  const isLost = options.lost === true || (options.retired !== true && (await askWhich(context, device)))
  if (isLost) return await rotate(context, options, device)
  checkNoRotation(options, '--retired')
  const result = await withDaemon(context, (client) => client.call('device.remove', { device }))
  return printEdit(context, `removed ${showName(device, null)}`, result)
}

/** @returns true if the device is lost */
async function askWhich(context: Context, device: string): Promise<boolean> {
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', `say whether ${device} is lost or retired`, {
      hint: '--lost rotates the key, which shuts out anybody who has the device; --retired only removes it from the table',
    })
  }
  tell(
    'lost:     somebody else may have it. This rotates your key, which shuts the device out. It needs your recovery words.\n' +
      'retired:  you have it and you keep it. This only removes it from your table.\n',
  )
  const answer = (await askLine(`Is ${showName(device, null)} lost or retired? `)).trim().toLowerCase()
  if (answer === 'lost' || answer === 'retired') return answer === 'lost'
  throw new CliError('CANCELLED', 'cancelled')
}
