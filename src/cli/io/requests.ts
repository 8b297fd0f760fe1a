/** People who are no contacts and send messages: nothing of theirs is fetched before the owner answers. */
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import type { MessageRequest } from '../../ipc/methods/messages.ts'
import { countOf, formatTime } from './layout.ts'

export const REQUEST_DIGITS = 16 // sanity: nobody makes two personas with as many equal digits

/** Those who wait for an answer. While the apps key is closed nobody can know them. */
export async function requestsOf(client: Client): Promise<readonly MessageRequest[]> {
  const { messages } = await client.call('status')
  if (messages.appsLocked || messages.requests === 0) return []
  return (await client.call('message.list', {})).requests
}

/** One who asks, and the commands that answer. */
export function formatRequest({ app, persona, entries, firstSec }: MessageRequest, nowSec: number): string[] {
  const answer = `${persona.slice(0, REQUEST_DIGITS)} --app ${quoteWord(app)}`
  return [
    `persona ${persona} is no contact, and sends messages for ${app}`,
    `  ${countOf(entries, 'message')} since ${formatTime(firstSec, nowSec)}; nothing was fetched`,
    `  to take them: persona message accept ${answer}`,
    `  to refuse them: persona message reject ${answer}`,
    `  to refuse all that comes: persona message block ${answer}`,
  ]
}
