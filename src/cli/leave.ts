/** `persona leave`: this device leaves the persona, and keeps no secret of it. */
import { withDaemon } from './connect.ts'
import { print, type Context } from './context.ts'
import { CliError, EXIT_DONE } from './errors.ts'
import { escapeText, showName } from './escape.ts'
import { countOf } from './layout.ts'
import { askLine, isInteractive } from './prompt.ts'
import type { LeaveResult } from '../ipc/shapes-rotation.ts'

export async function leave(context: Context, options: { readonly yes?: true }): Promise<number> {
  await withDaemon(context, async (client) => {
    const { persona } = await client.call('status')
    if (options.yes !== true) await confirm(context, persona?.personaId.slice(0, 8) ?? '')
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
  if (answer.trim().toUpperCase() !== digits || digits === '') {
    throw new CliError('CANCELLED', 'cancelled: nothing was done')
  }
}

function formatLeft({ status, remaining, personaId }: LeaveResult): string[] {
  const names = remaining.map(({ name, key }) => showName(name, key)).join(', ')
  const stay =
    remaining.length === 0
      ? `no device is left in the table of ${personaId}: only its recovery words bring it back`
      : `${countOf(remaining.length, 'device')} of ${personaId} ${remaining.length === 1 ? 'stays' : 'stay'}: ${names}`
  if (status === null) {
    return [
      'left: no secret of the persona is on this device any more',
      stay,
      'the table left it out already, or its key is superseded: there is nothing to publish',
    ]
  }
  return [
    'left: no secret of the persona is on this device any more',
    stay,
    'your other devices and your friends do not know yet. Let this text be shown once, here or on another device of yours:',
    '',
    escapeText(status),
  ]
}
