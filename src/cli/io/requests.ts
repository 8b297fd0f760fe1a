/** Requests about messages that wait for an answer: people who are no contacts, of whom nothing is fetched before, and relays that apps propose. */
import type { Client } from '../../ipc/client.ts'
import { quoteWord } from '../../ipc/command-word.ts'
import type { CardView } from '../../ipc/methods/cards.ts'
import type { Mailbox, MessageRequest, PlacesProposal } from '../../ipc/methods/messages.ts'
import { escapeText } from './escape.ts'
import { countOf, formatTime } from './layout.ts'

export const REQUEST_DIGITS = 16 // sanity: nobody makes two personas with as many equal digits

/** Apps that propose relays as their inboxes and stores. */
export async function placesOf(client: Client): Promise<readonly Mailbox[]> {
  const { messages } = await client.call('status')
  if (messages.appsLocked || messages.proposals === 0) return []
  return (await client.call('message.list', {})).apps.filter(({ proposed }) => proposed !== null)
}

/** The relays that an app proposes, and the commands that answer. */
export function formatPlaces({ app, proposed }: Mailbox): string[] {
  const parts = proposed === null ? [] : placesLines(app, proposed)
  return [
    ...parts.flatMap(({ title, command }) => [title, `  to accept: ${command}`]),
    `  to reject: persona reject ${quoteWord(app)} --kind places`,
  ]
}

/** The commands name the relays: an app could propose other ones meanwhile. */
export function placesLines(app: string, { inboxes, stores }: PlacesProposal): { title: string; command: string }[] {
  const parts = [
    ['inbox', 'others leave messages for it', inboxes],
    ['store', 'its card and what it sends lie', stores],
  ] as const
  return parts.flatMap(([command, what, urls]) => {
    if (urls === null) return []
    const words = urls.length === 0 ? '--none' : urls.map(quoteWord).join(' ')
    return [
      {
        title: `${escapeText(app)} proposes where ${what}: ${urls.length === 0 ? 'nowhere' : escapeText(urls.join(', '))}`,
        command: `persona app ${command} ${quoteWord(app)} ${words}`,
      },
    ]
  })
}

export type PlacesKind = 'inboxes' | 'stores'

const PLACES: Readonly<Record<PlacesKind, (card: CardView) => string>> = {
  inboxes: ({ app, inboxes }) =>
    inboxes.length === 0
      ? `nobody can leave messages for ${app}: your card names no inbox`
      : `others leave messages for ${app} at ${inboxes.join(', ')}`,
  stores: ({ app, stores }) =>
    stores.length === 0
      ? `your card for ${app} lies at no relay: peers get it by channels alone`
      : `your card and your messages for ${app} lie at ${stores.join(', ')}`,
}

/** Where others reach an app now, or where its card and messages lie. */
export function describePlaces(kind: PlacesKind, card: CardView): string {
  return PLACES[kind](card)
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
