/** The relays of messages: stores and inboxes, with this device as the caller. */
import type { InboxAt } from '../../../relay/inboxes.ts'
import { RelayError, type RelayErrorCode } from '../../../relay/errors.ts'
import type { RelayClient } from '../../../relay/client.ts'
import type { ObjectsAt } from '../../../relay/objects.ts'
import type { AppDevice } from '../../cards/cards.ts'
import type { MessagesMeans } from '../records/means.ts'

/** Refusals that end once the relay has the newest card, put by right. */
const LACKS_CARD: ReadonlySet<string> = new Set(['RELAY_NO_CARD', 'RELAY_NO_RIGHT'] satisfies RelayErrorCode[])

/** The objects of a persona at a store. @throws {RelayError} RELAY_URL */
export async function objectsAt(url: string, persona: string, { relays }: MessagesMeans): Promise<ObjectsAt> {
  const clients = await relays.clients()
  return { client: clients.of(url), fetch: clients.fetch, persona }
}

/** An inbox, and this device as its caller. @param persona whose inbox it is @throws {RelayError} RELAY_URL */
export async function inboxAt(
  url: string,
  persona: string,
  app: string,
  device: AppDevice,
  { relays }: MessagesMeans,
): Promise<{ readonly client: RelayClient; readonly inbox: InboxAt }> {
  return { client: await relays.client(url), inbox: { persona, app, sign: device.token } }
}

/**
 * Makes a call with a device token. Where the relay has no card that lists this device, or has it only as that of a guest, it gets the newest
 * one, with the token of its operator if the owner has one by now. Then the call is made once more.
 * @throws whatever the call throws
 */
export async function withCard<T>(
  url: string,
  { personaId, card: { app } }: AppDevice,
  call: () => Promise<T>,
  { cards }: MessagesMeans,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof RelayError && LACKS_CARD.has(error.code))) throw error
    await cards.putTo(url, app, personaId)
    return await call()
  }
}
