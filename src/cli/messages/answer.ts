/** `persona message accept|reject|block`: answers to people who are no contacts, and send messages. */
import { COMMAND_LINE_APP } from '../../core/encoding/app-name.ts'
import type { Client } from '../../ipc/client.ts'
import type { RequestAnswer } from '../../ipc/methods/messages.ts'
import { withDaemon } from '../io/connect.ts'
import { print, type Context } from '../io/context.ts'
import { CliError, EXIT_DONE } from '../io/errors.ts'
import { escapeText, isEndOf, KEY_TAIL_DIGITS, keyTail } from '../io/escape.ts'
import type { WithApp } from './send.ts'

const OUTCOMES: Readonly<Record<RequestAnswer, string>> = {
  accept: 'are fetched from now on, with those that wait',
  reject: 'are not fetched; you are not asked again for 30 days',
  block: 'are not fetched any more; to undo it: persona message accept',
}

export async function answer(
  context: Context,
  who: string,
  given: RequestAnswer,
  { app = COMMAND_LINE_APP }: WithApp,
): Promise<number> {
  const persona = await withDaemon(context, async (client) => {
    const found = await requesterOf(client, app, who)
    await client.call('message.answer', { app, persona: found, answer: given })
    return found
  })
  print(context, { app, persona, answer: given }, [
    `messages of persona ${keyTail(persona)} for ${escapeText(app)} ${OUTCOMES[given]}`,
  ])
  return EXIT_DONE
}

/**
 * Finds one who asks by the first digits of their PersonaID or by its end. A whole PersonaID stands alone: they may have been answered before.
 * @throws {CliError} MESSAGE_NO_REQUEST | AMBIGUOUS
 */
export async function requesterOf(client: Client, app: string, who: string): Promise<string> {
  const digits = who.toUpperCase()
  if (/^[0-9A-F]{64}$/.test(digits)) return digits
  const { requests } = await client.call('message.list', { app })
  const isFirst = (persona: string): boolean => digits.length >= KEY_TAIL_DIGITS && persona.startsWith(digits)
  const found = requests.filter(({ persona }) => isFirst(persona) || isEndOf(persona, who))
  if (found.length === 1) return found[0]!.persona
  if (found.length > 1)
    throw new CliError(
      'AMBIGUOUS',
      `${found.length} of those who ask have a PersonaID with the digits ${escapeText(who)}`,
      {
        hint: 'give the whole PersonaID',
      },
    )
  throw new CliError(
    'MESSAGE_NO_REQUEST',
    `nobody with the PersonaID ${escapeText(who)} asks to send messages for ${escapeText(app)}`,
    {
      hint: 'block a contact by persona contact block NAME, or list those who ask',
    },
  )
}
