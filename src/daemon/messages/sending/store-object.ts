/** Job: puts the object of a message into a store of the sender, then has its entries posted. */
import { within } from '../../../process/pulse.ts'
import { parseBase64url } from '../../../core/encoding/bytes.ts'
import { deleteObject, putObject } from '../../../relay/objects.ts'
import { RelayError } from '../../../relay/errors.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { numbered } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { OBJECT_PART, SENT_ID, type Job, type StoredSent, type Task } from '../records/kinds.ts'
import { objectsAt, withCard } from '../tasks/relays-at.ts'
import { GiveUp, type Queue } from '../tasks/queue.ts'
import { SENT_LIFE_SEC } from './sender.ts'
import { sealForInboxes, tryInboxes, type Posted, type PostTask, type SealedPost } from './post-entry.ts'
import { changeSent, deleteIfRead, laterState, sentOf } from './sent-states.ts'

const AT_ONCE_MS = 1000 // sanity: a slower inbox is asked by a job of its own, so that it keeps no other message from its store

/** @throws {GiveUp} the message is gone @throws {RelayError} of the last store that was tried */
export async function storeObject(
  { app, task }: Job & { readonly task: Extract<Task, { do: 'store' }> },
  device: AppDevice,
  finish: (stage: () => void) => Promise<void>,
  signal: AbortSignal,
  queue: Queue,
  means: MessagesMeans,
): Promise<void> {
  const sent = sentOf(app, task.sent, means)
  if (sent === undefined) throw new GiveUp('GONE')
  const entry: PostTask = { do: 'post', persona: sent.to, sent: task.sent, receipt: null, done: [] }
  // It is sealed while the object is on its way, and says in which store that lies. Its own job finds what stands in its way.
  const sealFor = async (store: string): Promise<SealedPost | null> =>
    await sealForInboxes(app, entry, { ...sent, store }, device, true, means).catch(() => null)
  const preferred = device.card.stores[0] ?? ''
  const sealed = sealFor(preferred)
  const store = await putSomewhere(app, task.sent, sent, device, signal, means)
  const posted = await postAtOnce(app, entry, store === preferred ? sealed : sealFor(store), device, signal, means)
  const parts = await Array.fromAsync(onDisk(means, OBJECT_PART).ids(`${numbered(app, task.sent)}/`))
  await finish(() => {
    const isPosted = posted !== null && (posted.problem === null || posted.done.length > 0)
    const state = isPosted ? 'notified' : 'stored'
    const after = changeSent(
      app,
      task.sent,
      (before) => ({
        store,
        state: laterState(before, state),
        reason: null,
        ...(isPosted ? { posted: { ...before.posted, peer: posted.mark } } : {}),
      }),
      means,
    )
    for (const part of parts) inChange(means, OBJECT_PART).delete(part)
    const untilSec = sent.sentSec + SENT_LIFE_SEC
    if (posted?.problem !== null) queue.add(app, { ...entry, done: posted?.done ?? [] }, untilSec)
    if (sent.devices.some(({ isOwn }) => isOwn)) queue.add(app, { ...entry, persona: device.personaId }, untilSec)
    // The receipts may have been faster.
    if (after !== undefined) deleteIfRead(app, after, queue)
  })
}

/**
 * Posts the entry before the disk knows where the object is: after a crash both are done again, which changes nothing at a relay.
 * @returns null if no inbox has it yet
 */
async function postAtOnce(
  app: string,
  entry: PostTask,
  sealed: Promise<SealedPost | null>,
  device: AppDevice,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<Posted | null> {
  const slow = new AbortController()
  const either = AbortSignal.any([signal, slow.signal])
  const post = async (): Promise<Posted | null> => {
    const ready = await sealed
    return ready === null ? null : await tryInboxes(app, entry, ready, device, either, means)
  }
  // The job of the entry finds the same problem.
  const posted = await within(
    means.clock,
    AT_ONCE_MS,
    post().catch(() => null),
  )
  slow.abort()
  return posted
}

/** Tries the stores of the card, the preferred first. @returns the address of the one that has it */
async function putSomewhere(
  app: string,
  number: number,
  sent: StoredSent,
  device: AppDevice,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<string> {
  let problem: unknown = new GiveUp('MESSAGE_NO_STORE')
  for (const url of device.card.stores) {
    try {
      const at = await objectsAt(url, device.personaId, means)
      const source = {
        bytes: sent.objectBytes,
        hash: parseBase64url(sent.hash)!,
        parts: () => partsOf(app, number, sent.objectBytes, means),
      }
      const put = async (): Promise<string> => await putObject(at, sent.id, source, device.token, { signal })
      const outcome = await withCard(url, device, put, means)
      if (outcome !== 'other') return url
      // No two objects have one id by chance. The message waits, and goes to another store that the owner names.
      problem = new RelayError('RELAY_STRANGE', `${url} has another object under the id of a new one`, {
        hint: 'name another store for the app',
      })
    } catch (error) {
      if (!(error instanceof RelayError)) throw error
      problem = error
    }
  }
  throw problem
}

async function* partsOf(
  app: string,
  number: number,
  totalBytes: number,
  means: MessagesMeans,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < totalBytes;) {
    const part = onDisk(means, OBJECT_PART).get(numbered(app, number, offset))
    if (part === undefined) throw new GiveUp('GONE')
    yield part
    offset += part.length
  }
}

/** Job: deletes an object that all its readers have. */
export async function deleteStored(
  { app, task }: Job & { readonly task: Extract<Task, { do: 'delete' }> },
  device: AppDevice,
  finish: (stage: () => void) => Promise<void>,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<void> {
  const at = await objectsAt(task.url, device.personaId, means)
  const remove = async (): Promise<boolean> => await deleteObject(at, task.id, device.token, { signal })
  await withCard(task.url, device, remove, means)
  const number = onDisk(means, SENT_ID).get(hashed(app, task.id, means.keeper.engine))
  await finish(() => {
    if (number !== undefined) changeSent(app, number, () => ({ store: null }), means)
  })
}
