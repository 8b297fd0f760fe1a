/** `persona leave`: removes this device from the persona, and erases its secrets here. */
import { quoteWord } from '../../ipc/command-word.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, tell, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import type { LeaveResult } from '../../ipc/shapes/rotation.ts'
import { formatUnreached } from './unreached.ts'

export async function leave(context: Context, options: { readonly yes?: true }): Promise<number> {
  await withDaemon(context, async (client) => {
    const { persona } = await client.call('status')
    // Without a persona the daemon returns the error.
    if (options.yes !== true && persona !== null) await confirm(context, persona.personaId.slice(0, 8))
    const result = await client.call('persona.leave')
    print(context, result, [...formatLeft(result), ...formatUnreached(result.unreached)])
  })
  return EXIT_DONE
}

async function confirm(context: Context, digits: string): Promise<void> {
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', 'leave needs a terminal to ask you first', { hint: 'confirm with --yes' })
  }
  tell(
    'This removes the device from your table and erases its signing key. Its contacts stay.\n' +
      'It does not protect you from a thief: anybody who copied this device earlier can sign until you rotate on another device.\n',
  )
  const answer = await askLine(`Type the first 8 digits of your PersonaID, ${digits}, to confirm: `)
  if (answer.trim().toUpperCase() !== digits) {
    throw new CliError('CANCELLED', 'cancelled')
  }
}

export function formatLeft({ status, local, remaining, personaId }: LeaveResult): string[] {
  const names = remaining.map(({ name, key }) => showName(name, key)).join(', ')
  const stay =
    remaining.length === 0
      ? `persona ${personaId} has no devices left; you need the recovery words to use it again`
      : `persona ${personaId} still has ${countOf(remaining.length, 'device')}: ${names}`
  const done = ['this device has left the persona, and no longer holds any of its secrets', stay]
  if (status === null) return [...done, ...formatUnsigned(local, remaining)]
  return [
    ...done,
    'Your other devices and your friends do not know yet. Show this text once as your status message, here or on another',
    'device. Or give it to another of your devices: persona sibling sync -',
    '',
    escapeText(status),
  ]
}

/** This device could not sign a last table, so another device must remove it from the table. */
function formatUnsigned(local: readonly TableDevice[], remaining: readonly TableDevice[]): string[] {
  const listed = local.filter(({ key }) => remaining.some((device) => device.key === key))
  if (listed.length === 0) return ['the table did not list this device, so there is nothing to publish']
  return [
    'this device could not sign a new table, so your table still lists it. Run on another of your devices:',
    ...removals(listed),
  ]
}

/** Commands that remove devices which the owner still holds. The owner types them on another device. */
export function removals(devices: readonly TableDevice[]): string[] {
  return devices.map(({ name }) => `  persona device remove ${quoteWord(escapeText(name))} --retired`)
}
