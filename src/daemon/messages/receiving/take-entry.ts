/** An entry of an own inbox: it leads to work, is a receipt, or waits as a request of somebody who is no contact (docs/messages.md, section 8). */
import { formatBase64url, parseBase64url, parseHex } from '../../../core/encoding/bytes.ts'
import { openEntry, type Entry } from '../../../message/entry.ts'
import { MessageError } from '../../../message/errors.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { OWN } from '../../state/own-record.ts'
import { inChange, noteFailure, onDisk, type MessagesMeans } from '../records/means.ts'
import { hashed } from '../../sealed/hashed.ts'
import { objectName } from '../records/ids.ts'
import { REQUEST, SEEN, type StoredRequest } from '../records/kinds.ts'
import { takeReceipt } from '../sending/sent-states.ts'
import type { Queue } from '../tasks/queue.ts'
import { senderKind } from '../records/senders.ts'
import { repeatReceipt } from './send-receipt.ts'

export interface FoundEntry {
  /** PersonaID of the sender. */
  readonly from: string
  /** base64url */
  readonly encId: string
  /** The address of the inbox's relay, and the place of the sender's card there. */
  readonly card: StoredRequest['card']
  /** It stays at the inbox until this device has acknowledged it. */
  readonly isAtInbox: boolean
}

/**
 * `done`: this device has done with the entry. `later`: too much of the sender is on its way. Otherwise it is done once the object with this name was
 * read or has failed, or is to be taken again with the newest card of this persona, and is of no use if that changes nothing.
 */
export type Taken = 'done' | 'later' | { readonly waitsFor: string } | { readonly needsCardOf: string }

/** Objects of one sender that are on their way together, by entries of one inbox. A relay can make entries up, and shuts none out of another inbox so. */
export const MAX_FETCHES_OF_SENDER = 1000 // format: as many as an inbox has room for; each is a job

const FETCH_LIFE_SEC: number = 30 * 86_400 // format: an object lives no longer
const MAX_REQUESTS = 100 // sanity: of an app; the owner looks through them
const MAX_REQUEST_ENTRIES = 5 // format: as many as an inbox takes of one stranger
export const REQUEST_LIFE_SEC: number = 30 * 86_400 // format: as long as what they lead to

/**
 * Takes an entry.
 * @throws {CustodyError} APPS_LOCKED @throws {StoreError}
 */
export async function takeEntry(
  app: string,
  found: FoundEntry,
  device: AppDevice,
  queue: Queue,
  means: MessagesMeans,
): Promise<Taken> {
  const sender = senderKind(found.from, app, means)
  if (sender === 'blocked') return 'done'
  if (sender === 'stranger') {
    await ask(app, found, means)
    return 'done'
  }
  const entry = await opened(app, found, device, means)
  if (entry === null) return 'done'
  if (entry.kind !== 'receipt') return await announce(app, found, entry, device, queue, means)
  const unsure = await takeReceipt(app, entry, queue, means)
  return unsure === null ? 'done' : { needsCardOf: unsure }
}

/** @returns null for one that is of no use here: it may be older than this device, or of a later version */
async function opened(
  app: string,
  { from, encId }: FoundEntry,
  device: AppDevice,
  means: MessagesMeans,
): Promise<Entry | null> {
  const bytes = parseBase64url(encId)
  const route = { from: parseHex(from)!, reader: parseHex(device.personaId)!, app }
  try {
    return bytes === null ? null : await openEntry(bytes, route, device.pairs)
  } catch (error) {
    if (!(error instanceof MessageError)) throw error
    noteFailure('message.entry', error, means)
    return null
  }
}

async function announce(
  app: string,
  { from, card: { url: at }, isAtInbox }: FoundEntry,
  { id, kind, store, hash }: Exclude<Entry, { kind: 'receipt' }>,
  device: AppDevice,
  queue: Queue,
  means: MessagesMeans,
): Promise<Taken> {
  const { keeper } = means
  const to = device.personaId
  const isToFormer = to !== keeper.onDisk.own.get(OWN)?.personaId
  const object = { from, at, id: formatBase64url(id), kind, store, hash: formatBase64url(hash) }
  const task = { do: 'fetch', ...object, ...(isToFormer ? { to } : {}) } as const
  const name = objectName(task)
  const seen = onDisk(means, SEEN).get(hashed(app, name, keeper.engine))
  if (seen !== undefined) {
    await repeatReceipt(app, object, seen, device, queue, means)
    return 'done'
  }
  // The same entry lies in each inbox of the card, and is listed again after a start.
  if (queue.fetches(app, name)) return { waitsFor: name }
  if (queue.fetchesOf(app, at, from) >= MAX_FETCHES_OF_SENDER) return 'later'
  const untilSec = keeper.nowSec + FETCH_LIFE_SEC
  if (isAtInbox) queue.fetch(app, task, untilSec)
  else await keeper.change(() => queue.add(app, task, untilSec))
  return { waitsFor: name }
}

/** Keeps an entry of a stranger, without looking into it. */
async function ask(app: string, { from, encId, card }: FoundEntry, means: MessagesMeans): Promise<void> {
  const { keeper } = means
  const id = hashed(app, from, keeper.engine)
  const before = onDisk(means, REQUEST).get(id)
  if (before?.state === 'rejected') return
  const entries = before?.entries ?? []
  if (entries.length >= MAX_REQUEST_ENTRIES || entries.includes(encId)) return
  if (before === undefined && (await countRequests(app, means)) >= MAX_REQUESTS) return
  const { nowSec } = keeper
  const after: StoredRequest = {
    persona: from,
    state: 'asks',
    firstSec: before?.firstSec ?? nowSec,
    lastSec: nowSec,
    card,
    entries: [...entries, encId],
  }
  await keeper.change(() => {
    inChange(means, REQUEST).put(id, after)
    if (before === undefined) keeper.state.emit({ event: 'message.request', data: { app, persona: from } })
  })
}

async function countRequests(app: string, means: MessagesMeans): Promise<number> {
  let count = 0
  for await (const [, { state }] of onDisk(means, REQUEST).iterate(`${app}/`)) if (state === 'asks') count++
  return count
}
