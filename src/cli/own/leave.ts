/** `persona leave`: this device leaves the persona, and keeps no secret of it. */
import { quoteWord } from '../../ipc/command-word.ts'
import type { TableDevice } from '../../ipc/shapes/contact.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, showName } from '../io/escape.ts'
import { countOf } from '../io/layout.ts'
import { askLine, isInteractive } from '../io/prompt.ts'
import type { LeaveResult } from '../../ipc/shapes/rotation.ts'

export async function leave(context: Context, options: { readonly yes?: true }): Promise<number> {
  await withDaemon(context, async (client) => {
    const { persona } = await client.call('status')
    // Without a persona the daemon says so.
    if (options.yes !== true && persona !== null) await confirm(context, persona.personaId.slice(0, 8))
    const result = await client.call('persona.leave')
    print(context, result, formatLeft(result))
  })
  return EXIT_DONE
}

async function confirm(context: Context, digits: string): Promise<void> {
  if (context.json || !isInteractive()) {
    throw new CliError('USAGE', 'nobody is there to say that this device is to leave', { hint: 'give --yes' })
  }
  process.stderr.write(
    'This device is taken out of your table, and its signing key is erased. What it knows of your friends stays.\n' +
      'It is no protection from a thief: whoever copied this device before can sign until you rotate on another one.\n',
  )
  const answer = await askLine(`Type the first 8 digits of your PersonaID, ${digits}, to say yes: `)
  if (answer.trim().toUpperCase() !== digits) {
    throw new CliError('CANCELLED', 'cancelled: nothing was done')
  }
}

export function formatLeft({ status, local, remaining, personaId }: LeaveResult): string[] {
  const names = remaining.map(({ name, key }) => showName(name, key)).join(', ')
  const stay =
    remaining.length === 0
      ? `no device is left in the table of ${personaId}: only its recovery words bring it back`
      : `${countOf(remaining.length, 'device')} of ${personaId} ${remaining.length === 1 ? 'stays' : 'stay'}: ${names}`
  const done = ['left: no secret of the persona is on this device any more', stay]
  if (status === null) return [...done, ...formatUnsigned(local, remaining)]
  return [
    ...done,
    'your other devices and your friends do not know yet. Let this text be shown once, here or on another device of yours;',
    'another one takes it with "persona sibling sync -"',
    '',
    escapeText(status),
  ]
}

/** No last table could be signed: whoever can sign has to take out what is listed still. */
function formatUnsigned(local: readonly TableDevice[], remaining: readonly TableDevice[]): string[] {
  const listed = local.filter(({ key }) => remaining.some((device) => device.key === key))
  if (listed.length === 0) return ['the table left it out already: there is nothing to publish']
  return [
    'no table could be signed here, so yours lists this device still. On another device of yours:',
    ...removals(listed),
  ]
}

/** What takes devices that are in the owner's hands out of the table, to be typed elsewhere. */
export function removals(devices: readonly TableDevice[]): string[] {
  return devices.map(({ name }) => `  persona device remove ${quoteWord(escapeText(name))} --retired`)
}
