/** Job: fetches the object of a message from the sender's stores, checks all of it, and then tells the app (docs/messages.md, section 5). */
import { formatHex, parseBase64url, parseHex } from '../../../core/encoding/bytes.ts'
import type { VerifiedCard } from '../../../card/verify.ts'
import { MessageError } from '../../../message/errors.ts'
import type { Header } from '../../../message/header.ts'
import { MAX_OBJECT_BYTES } from '../../../message/object-head.ts'
import { openObject } from '../../../message/open-object.ts'
import { RelayError } from '../../../relay/errors.ts'
import { getObject } from '../../../relay/objects.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { MessagesError } from '../records/errors.ts'
import type { MessagesMeans } from '../records/means.ts'
import { currentId } from '../../state/view.ts'
import { countsOf } from '../records/counts.ts'
import type { Job, Task } from '../records/kinds.ts'
import { senderKind } from '../records/senders.ts'
import { objectsAt } from '../tasks/relays-at.ts'
import { GiveUp, PartDone, type Queue } from '../tasks/queue.ts'
import { ArrivingParts, MAX_AGE_SEC, stageArrived, stageSeen } from './arrived.ts'
import { inboxUrls } from '../records/known-inboxes.ts'
import { sendReceipt } from './send-receipt.ts'

export type FetchTask = Extract<Task, { do: 'fetch' }>

const MAX_INVITE_BYTES: number = 16 << 10 // sanity: an invite has some hundred characters, and 6000 at most
const MAX_BAD_TRIES = 4 // sanity: within a minute or two; a store that gives something else each time is not going to mend
// sanity: some hours. Siblings that rotated apart read each other's cards hourly, and until then the card that counts may lack the sender's device
const MAX_UNKNOWN_TRIES = 12
const GONE_SEC = 3600 // sanity: an object is at its store before its entry comes, and a store that was set back by its operator is mended within an hour
const MAX_UNREAD = 10_000 // sanity: of an app that does not run; each is a record
const MAX_UNREAD_BYTES: number = 64 << 20 // sanity: three of the largest messages

/** @throws {GiveUp} the object is not the message that its entry names, at any store @throws {RelayError} no store gives it now */
export async function fetchObject(
  job: Job & { readonly task: FetchTask },
  device: AppDevice,
  finish: (stage: () => void) => Promise<void>,
  signal: AbortSignal,
  queue: Queue,
  means: MessagesMeans,
): Promise<void> {
  const { app, task } = job
  const sender = senderKind(task.from, app, means)
  // The owner has blocked or removed them meanwhile.
  if (sender === 'blocked' || sender === 'stranger') return await finish(() => {})
  checkRoom(app, means)
  const parts = new ArrivingParts(app, task, means)
  const read = async (anew: boolean): Promise<Header> =>
    await fromAnyStore(job, await senderCard(job, anew, device, means), device, parts, signal, means)
  try {
    const header = await read(job.tries > 0).catch(async (error: unknown) => {
      // The sender's device may be newer than the card that is kept.
      if (job.tries === 0 && error instanceof MessageError && error.code === 'UNKNOWN_DEVICE') return await read(true)
      throw error
    })
    if (isRepeated(header, means)) {
      await parts.begin()
      return await finish(() => void stageSeen(app, task, null, means))
    }
    // The other wing has it on disk before this one forgets it. It knows an invite that comes again.
    if (task.kind === 'invite')
      await means.takeInvite({ app, persona: task.from, device: formatHex(header.device), invite: parts.asText() })
    await finish(() => {
      if (task.kind === 'message') parts.stageRest()
      stageArrived(app, task, headerFacts(header), parts.bytes, means)
      sendReceipt(app, task, formatHex(header.device), device, queue, means)
    })
  } catch (error) {
    // The next try may be hours away, and objects of many senders may wait.
    await parts.begin()
    if (error instanceof MessageError) throw afterBad(task, error)
    throw isGone(error) ? afterDenial(task, error, means) : error
  }
}

/** It was read here, or is none of an honest relay: a store and an inbox that keep it longer may give it again once nobody remembers its id. */
function isRepeated({ issuedAtSec }: Header, { keeper }: MessagesMeans): boolean {
  return issuedAtSec + MAX_AGE_SEC <= keeper.nowSec
}

/** The end of a try that found a wrong object. Tries to which no store answered do not count. */
function afterBad(task: FetchTask, error: MessageError): GiveUp | PartDone {
  const bad = (task.bad ?? 0) + 1
  const most = error.code === 'UNKNOWN_DEVICE' ? MAX_UNKNOWN_TRIES : MAX_BAD_TRIES
  return bad >= most ? new GiveUp(error.code) : new PartDone({ ...task, bad }, error)
}

function isGone(error: unknown): error is MessagesError {
  return error instanceof MessagesError && error.code === 'MESSAGE_GONE'
}

/** The end of a try at which no store had the object. */
function afterDenial(task: FetchTask, error: MessagesError, { keeper }: MessagesMeans): GiveUp | PartDone {
  const { deniedSec = keeper.nowSec } = task
  return keeper.nowSec - deniedSec >= GONE_SEC ? new GiveUp(error.code) : new PartDone({ ...task, deniedSec }, error)
}

/** Whether an app that has read some has so much room that what waits for it may come. It does not look at each acknowledgement of a full one. */
export function hasRoomAgain(app: string, means: MessagesMeans): boolean {
  const { arrived, acked, unreadBytes } = countsOf(app, means)
  return arrived - acked <= MAX_UNREAD / 2 && unreadBytes <= MAX_UNREAD_BYTES / 2
}

/** The entry waits at the inbox meanwhile. @throws {MessagesError} MESSAGES_FULL */
function checkRoom(app: string, means: MessagesMeans): void {
  const { arrived, acked, unreadBytes } = countsOf(app, means)
  if (arrived - acked < MAX_UNREAD && unreadBytes < MAX_UNREAD_BYTES) return
  throw new MessagesError('MESSAGES_FULL', `${app} has not read its messages`, 'read and acknowledge some', { app })
}

function headerFacts({ to, count, device, issuedAtSec }: Header): {
  readonly to: string
  readonly count: number
  readonly device: string
  readonly sentSec: number
} {
  return { to: formatHex(to), count, device: formatHex(device), sentSec: issuedAtSec }
}

/** A device that the card does not list, and an object that is not there, may only mean that the card has changed. */
async function senderCard(
  { app, task }: Job & { readonly task: FetchTask },
  anew: boolean,
  device: AppDevice,
  means: MessagesMeans,
): Promise<VerifiedCard> {
  // A successor goes on with the keys of the same devices, and no card of the persona before counts.
  const from = currentId(task.from, means.keeper.onDisk)
  if (from === device.personaId && !anew) return device.card
  const alsoAt = inboxUrls(app, means)
  const card = await means.cards.find(from, app, { anew, alsoAt })
  if (card !== null) return card
  throw new RelayError('RELAY_UNREACHABLE', 'no card of the sender is found', { hint: 'try later' })
}

/** An invite is read from memory, and no app deletes its parts: so none goes to the disk. @throws {MessageError} TOO_LARGE */
async function take(part: Uint8Array, { kind }: FetchTask, parts: ArrivingParts): Promise<void> {
  const over = parts.bytes + part.length - MAX_INVITE_BYTES
  if (kind === 'invite' && over > 0) throw new MessageError('TOO_LARGE', `the invite has ${over} bytes too many`)
  await parts.take(part)
}

/** Tries each store of the card, the one that the entry names first. */
async function fromAnyStore(
  { app, task }: Job & { readonly task: FetchTask },
  { stores, devices }: VerifiedCard,
  device: AppDevice,
  parts: ArrivingParts,
  signal: AbortSignal,
  means: MessagesMeans,
): Promise<Header> {
  const expected = {
    entry: { kind: task.kind, id: parseBase64url(task.id)!, store: task.store, hash: parseBase64url(task.hash)! },
    route: { from: parseHex(task.from)!, reader: parseHex(task.to ?? device.personaId)!, app },
    devices: devices.map(({ sig }) => sig),
    pairs: device.pairs,
  }
  let problem: unknown = new MessagesError('MESSAGE_GONE', 'no store of the sender has the message', 'ask for it again')
  for (const url of [...stores.slice(task.store), ...stores.slice(0, task.store)]) {
    try {
      const at = await objectsAt(url, task.from, means)
      const found = await getObject(at, task.id, { maxBytes: MAX_OBJECT_BYTES, signal })
      if (found === null) continue
      await parts.begin()
      return await openObject(found.parts, expected, async (part) => await take(part, task, parts), means.keeper.engine)
    } catch (error) {
      if (!(error instanceof RelayError) && !(error instanceof MessageError)) throw error
      // One store may deny an object that another has. An object that is a wrong one says more than a store that does not answer.
      if (!(problem instanceof MessageError)) problem = error
    }
  }
  throw problem
}
