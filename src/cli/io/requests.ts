/** People who are no contacts and send messages: nothing of theirs is fetched before the owner answers. */
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import type { Mailbox, MessageRequest } from '../../ipc/methods/messages.ts'
import { escapeText } from './escape.ts'
import { countOf, formatTime } from './layout.ts'

export const REQUEST_DIGITS = 16 // sanity: nobody makes two personas with as many equal digits

/** Apps that propose relays as their inboxes and stores. */
export async function placesOf(client: Client): Promise<readonly Mailbox[]> {
  const { messages } = await client.call('status')
  if (messages.appsLocked || messages.proposals === 0) return []
  return (await client.call('message.list', {})).apps.filter(({ proposed }) => proposed !== null)
}

/** The relays that an app proposes, and the commands that answer. They name the relays: an app could propose other ones meanwhile. */
export function formatPlaces({ app, proposed }: Mailbox): string[] {
  const parts = [
    ['inbox', 'others leave messages for it', proposed?.inboxes ?? null],
    ['store', 'what it sends lies', proposed?.stores ?? null],
  ] as const
  return parts.flatMap(([command, what, urls]) =>
    urls === null
      ? []
      : [
          `${escapeText(app)} proposes where ${what}: ${urls.length === 0 ? 'nowhere' : escapeText(urls.join(', '))}`,
          `  to accept: persona app ${command} ${quoteWord(app)} ${urls.length === 0 ? '--none' : urls.map(quoteWord).join(' ')}`,
          `  to reject: persona reject ${quoteWord(app)} --kind places`,
        ],
  )
}

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
