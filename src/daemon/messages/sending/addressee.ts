/** The card of a recipient, and the own device as a sender: both are there before a message is taken. */
import type { VerifiedCard } from '../../../card/verify.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { OWN } from '../../state/own-record.ts'
import { currentId } from '../../state/view.ts'
import { MessagesError } from '../records/errors.ts'
import type { MessagesMeans } from '../records/means.ts'
import { isBlocked } from '../records/senders.ts'

const MAX_ADDRESSES = 4 // format: docs/card.md, section 2

export interface Addressee {
  /** PersonaID of the recipient by now. */
  readonly to: string
  readonly card: VerifiedCard
}

/**
 * Finds the card of a recipient.
 * @throws {MessagesError} MESSAGE_SELF | MESSAGE_BLOCKED | MESSAGE_NO_CARD | MESSAGE_NO_DEVICE | MESSAGE_NO_INBOX
 */
export async function addresseeOf(persona: string, app: string, means: MessagesMeans): Promise<Addressee> {
  const { keeper, cards, relays } = means
  const to = currentId(persona, keeper.onDisk)
  if (to === keeper.onDisk.own.get(OWN)?.personaId)
    throw new MessagesError('MESSAGE_SELF', 'the message is to the own persona', 'name somebody else')
  if (isBlocked(to, app, means))
    throw new MessagesError('MESSAGE_BLOCKED', 'the owner blocks the recipient', 'unblock them first', { persona: to })
  const card = await cards.find(to, app, { alsoAt: relays.list().map(({ url }) => url) })
  if (card === null)
    throw new MessagesError(
      'MESSAGE_NO_CARD',
      `no card of ${to} for ${app} was found`,
      'ask them to use the app first, and to show their newest table',
      { persona: to, app },
    )
  // They have left: a last card of this kind counts until it expires.
  if (card.devices.length === 0)
    throw new MessagesError('MESSAGE_NO_DEVICE', `no device of ${to} uses ${app} any more`, 'reach them another way', {
      persona: to,
      app,
    })
  if (card.inboxes.length === 0)
    throw new MessagesError('MESSAGE_NO_INBOX', `the card of ${to} for ${app} names no inbox`, 'ask them to set one', {
      persona: to,
      app,
    })
  return { to, card }
}

/**
 * This device as a sender. Where the owner has said nothing about the places of an app, their relays are both inbox and store.
 * @throws {MessagesError} MESSAGE_NO_PERSONA | MESSAGE_NO_STORE and those of Cards.device()
 */
export async function senderFor(app: string, means: MessagesMeans): Promise<AppDevice> {
  const { cards, relays } = means
  const own = relays.list().map(({ url }) => url)
  await cards.catchUp(app, own)
  let device = await cards.device(app)
  if (device !== null && lacksPlaces(device) && (await takeUsualPlaces(app, device, means)))
    device = await cards.device(app)
  if (device === null)
    throw new MessagesError('MESSAGE_NO_PERSONA', 'messages are between personas', 'make a persona first')
  if (device.card.stores.length === 0)
    throw new MessagesError(
      'MESSAGE_NO_STORE',
      `nothing says where the messages of ${app} are to lie`,
      'add a relay, or name a store for the app',
      { app },
    )
  return device
}

function lacksPlaces({ card }: AppDevice): boolean {
  return card.stores.length === 0 || card.inboxes.length === 0
}

/** @returns whether it changed the card */
async function takeUsualPlaces(app: string, { card }: AppDevice, { cards, relays }: MessagesMeans): Promise<boolean> {
  const usual = relays
    .list()
    .map(({ url }) => url)
    .slice(0, MAX_ADDRESSES)
  if (usual.length === 0) return false
  // An owner who named none wants none.
  const { inboxes, stores } = cards.placesOf(app)
  const [needsStores, needsInboxes] = [
    card.stores.length === 0 && stores === null,
    card.inboxes.length === 0 && inboxes === null,
  ]
  if (needsStores) await cards.setStores(app, usual)
  if (needsInboxes) await cards.setInboxes(app, usual)
  return needsStores || needsInboxes
}
