/** The owner answers somebody who is no contact and has left entries. */
import { formatHex } from '../../../core/encoding/bytes.ts'
import type { RequestAnswer } from '../../../ipc/methods/messages.ts'
import { getCard } from '../../../relay/cards.ts'
import { MessagesError } from '../records/errors.ts'
import { hashed } from '../../sealed/hashed.ts'
import { appIn } from '../records/ids.ts'
import { REQUEST, type StoredRequest } from '../records/kinds.ts'
import { inChange, noteFailure, onDisk, type MessagesMeans } from '../records/means.ts'
import { senderKind } from '../records/senders.ts'
import type { Queue } from '../tasks/queue.ts'
import { takeEntry } from './take-entry.ts'

const STATES: Readonly<Record<RequestAnswer, StoredRequest['state']>> = {
  accept: 'accepted',
  reject: 'rejected',
  block: 'blocked',
}

/**
 * Notes the answer. After a yes the card of the persona is read and pinned, and what they have sent is fetched.
 * @throws {MessagesError} MESSAGE_NO_REQUEST | MESSAGE_NO_CARD, and then they are still asking
 */
export async function answerRequest(
  app: string,
  persona: string,
  answer: RequestAnswer,
  queue: Queue,
  means: MessagesMeans,
): Promise<void> {
  const { keeper, cards } = means
  const id = hashed(app, persona, keeper.engine)
  const request = onDisk(means, REQUEST).get(id)
  if (request === undefined)
    throw new MessagesError('MESSAGE_NO_REQUEST', `${persona} has not asked`, 'list those who have', { persona, app })
  const card = answer === 'accept' ? await cardOf(app, request, means) : null
  const entries = answer === 'accept' ? request.entries : []
  await keeper.change(() => {
    if (card !== null) cards.meet(card)
    inChange(means, REQUEST).put(id, { ...request, state: STATES[answer], entries })
  })
  await takeKnown(app, id, queue, means)
}

/** Takes what people have left who are contacts by now, or whom the owner has accepted: a crash may have come between the answer and this. */
export async function takeAllKnown(queue: Queue, means: MessagesMeans): Promise<void> {
  for (const [id] of await Array.fromAsync(onDisk(means, REQUEST).iterate()))
    await takeKnown(appIn(id), id, queue, means)
}

async function takeKnown(app: string, id: string, queue: Queue, means: MessagesMeans): Promise<void> {
  const request = onDisk(means, REQUEST).get(id)
  const device = means.cards.deviceNow(app)
  if (request === undefined || request.entries.length === 0 || device === null) return
  if (senderKind(request.persona, app, means) !== 'known') return
  const entries: string[] = []
  for (const encId of request.entries) {
    const found = { from: request.persona, encId, card: request.card, isAtInbox: false }
    const taken = await takeEntry(app, found, device, queue, means)
    if (taken === 'later') entries.push(encId)
  }
  await means.keeper.change(() => inChange(means, REQUEST).put(id, { ...request, state: 'accepted', entries }))
}

/** A relay keeps the card of whoever left an entry there. @throws {MessagesError} MESSAGE_NO_CARD */
async function cardOf(
  app: string,
  { persona, card: { url, at } }: StoredRequest,
  means: MessagesMeans,
): Promise<string> {
  try {
    const text = await getCard(await means.relays.client(url), { at })
    const facts = text === null ? null : means.cards.judge(text, app)
    if (text !== null && facts !== null && formatHex(facts.personaId) === persona) return text
  } catch (error) {
    noteFailure('message.card', error, means)
  }
  throw new MessagesError(
    'MESSAGE_NO_CARD',
    `${url} does not give the card of ${persona} now`,
    'try again later; or add them as a contact, by their link',
    { persona, app, wants: 'link' },
  )
}
