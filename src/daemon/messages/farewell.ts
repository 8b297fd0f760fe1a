/**
 * The owner leaves the persona, or erases everything: objects that wait at stores are deleted, and entries that wait for this device are
 * acknowledged, as far as the relays can be reached. They still know the device, because its last cards go there later.
 */
import type { Unreached } from '../../ipc/shapes/rotation.ts'
import { acknowledge, listEntries } from '../../relay/inboxes.ts'
import { deleteObject } from '../../relay/objects.ts'
import type { AppDevice } from '../cards/cards.ts'
import { FAREWELL_MS } from '../cards/farewell.ts'
import { OWN } from '../state/own-record.ts'
import { noteFailure, onDisk, type MessagesMeans } from './records/means.ts'
import type { Messages } from './messages.ts'
import { MAX_ACKED_AT_ONCE } from './receiving/inbox-reader.ts'
import { numbersIn } from '../sealed/numbered.ts'
import { appIn } from './records/ids.ts'
import { INBOXES, SENT, type KnownInbox } from './records/kinds.ts'
import { knownInboxes } from './records/known-inboxes.ts'
import { changeSent } from './sending/sent-states.ts'
import { inboxAt, objectsAt, withCard } from './tasks/relays-at.ts'

/** It never rejects. @returns the objects that may still lie at a store */
export async function sayFarewell(messages: Messages): Promise<Unreached[]> {
  const { means } = messages
  // Without the apps key nobody knows which objects there are.
  if (!means.sealed.key.isOpen) return []
  // Nothing is sent or read any more.
  await messages.close()
  const late = new AbortController()
  const cancel = means.clock.after(FAREWELL_MS, () => late.abort())
  const [left] = await Promise.all([removeObjects(late.signal, means), acknowledgeEntries(late.signal, means)])
  cancel()
  // After a leave there may be another persona some day.
  if (means.keeper.onDisk.own.get(OWN) === undefined) {
    await failUnread(means)
    messages.start()
  }
  return left
}

/** Nobody can fetch any more what was sent as the persona that is left. */
async function failUnread(means: MessagesMeans): Promise<void> {
  const unread: [app: string, number: number][] = []
  for await (const [id, { state }] of onDisk(means, SENT).iterate())
    if (state !== 'received' && state !== 'failed') unread.push([appIn(id), numbersIn(id)[0]!])
  if (unread.length === 0) return
  const failed = { state: 'failed', reason: 'MESSAGE_NO_PERSONA' } as const
  try {
    await means.keeper.change(() => unread.forEach(([app, number]) => changeSent(app, number, () => failed, means)))
  } catch (error) {
    noteFailure('message.farewell', error, means)
  }
}

async function removeObjects(signal: AbortSignal, means: MessagesMeans): Promise<Unreached[]> {
  const { cards } = means
  const left = new Map<string, Unreached>()
  const works: Promise<void>[] = []
  for await (const [recordId, { id, store, to, by }] of onDisk(means, SENT).iterate()) {
    if (store === null) continue
    const app = appIn(recordId)
    left.set(id, { kind: 'message', id: store, app, name: to })
    const device = cards.deviceAs(app, by?.persona)
    const work = remove(id, store, device, signal, means).then(() => void left.delete(id))
    works.push(work.catch((error: unknown) => noteFailure('message.farewell', error, means)))
  }
  await Promise.all(works)
  return [...left.values()]
}

async function remove(
  id: string,
  store: string,
  device: AppDevice | null,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<void> {
  if (device === null) throw noDevice()
  const at = await objectsAt(store, device.personaId, means)
  await withCard(store, device, async () => await deleteObject(at, id, device.token, { signal }), means)
}

async function acknowledgeEntries(signal: AbortSignal, means: MessagesMeans): Promise<void> {
  const apps = await Array.fromAsync(onDisk(means, INBOXES).ids())
  const works = apps.flatMap((app) =>
    knownInboxes(app, means).map((inbox) => acknowledgeAll(inbox, app, signal, means)),
  )
  for (const outcome of await Promise.allSettled(works))
    if (outcome.status === 'rejected') noteFailure('message.farewell', outcome.reason, means)
}

async function acknowledgeAll(
  { url, persona }: KnownInbox,
  app: string,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<void> {
  const device = means.cards.deviceAs(app, persona)
  if (device === null) throw noDevice()
  const { client, inbox } = await inboxAt(url, device.personaId, app, device, means)
  for (let next: number | null = 0; next !== null;) {
    const page = await listEntries(client, inbox, next, { limit: MAX_ACKED_AT_ONCE, signal })
    const numbers = page.entries.map(({ n }) => n)
    if (numbers.length > 0) await acknowledge(client, inbox, numbers, { signal })
    next = page.next
  }
}

function noDevice(): Error {
  return new Error('no keys of this device for the persona')
}
