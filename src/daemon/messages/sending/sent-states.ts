/** States of sent messages (docs/messages.md, section 8): each step is on disk before the app hears of it. */
import { MessageError } from '../../../message/errors.ts'
import type { Receipt } from '../../../message/entry.ts'
import { verifyReceipt } from '../../../message/receipt.ts'
import { formatBase64url, formatHex, parseBase64url, parseHex } from '../../../core/encoding/bytes.ts'
import { SENT_STATES } from '../../../ipc/methods/messages.ts'
import { inChange, noteFailure, onDisk, type MessagesMeans } from '../records/means.ts'
import { currentId } from '../../state/view.ts'
import { numbered } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { SENT, SENT_ID, type SealedTo, type StoredSent } from '../records/kinds.ts'
import type { Queue } from '../tasks/queue.ts'

export function sentOf(app: string, number: number, means: MessagesMeans): StoredSent | undefined {
  return onDisk(means, SENT).get(numbered(app, number))
}

/** Changes the record of a sent message, and tells of a new state. Inside of a change. @returns the record; undefined if there is none */
export function changeSent(
  app: string,
  number: number,
  change: (before: StoredSent) => Partial<StoredSent>,
  means: MessagesMeans,
): StoredSent | undefined {
  const records = inChange(means, SENT)
  const before = records.get(numbered(app, number))
  if (before === undefined) return undefined
  const after = { ...before, ...change(before) }
  records.put(numbered(app, number), after)
  const { state, reason } = after
  if (state !== before.state)
    means.keeper.state.emit({ event: 'message.changed', data: { app, number, state, reason } })
  return after
}

/** The later of two states: a receipt may come before the answer of an inbox. */
export function laterState(before: StoredSent, next: StoredSent['state']): StoredSent['state'] {
  return SENT_STATES.indexOf(next) > SENT_STATES.indexOf(before.state) ? next : before.state
}

/** Devices of the recipient: those to which a message was sealed, and those that have it. */
export function reachOf({ devices, receipts, restored = [] }: StoredSent): {
  readonly devices: number
  readonly received: number
} {
  const theirs = devices.filter(({ isOwn }) => !isOwn)
  const has = theirs.filter(({ sig }) => receipts.includes(sig)).length + restored.length
  return { devices: theirs.length, received: Math.min(has, theirs.length) }
}

/**
 * Takes a receipt of a device. Its signature tells which one made it, whoever left it. A restored device of the recipient opens with its keys of before,
 * and signs with a new one, which the newest card lists.
 * @returns the PersonaID of the recipient if no device made it that is known here; null if it is taken, or of no message
 */
export async function takeReceipt(
  app: string,
  receipt: Receipt,
  queue: Queue,
  means: MessagesMeans,
): Promise<string | null> {
  const { keeper, cards } = means
  const number = onDisk(means, SENT_ID).get(hashed(app, formatBase64url(receipt.id), keeper.engine))
  const sent = number === undefined ? undefined : sentOf(app, number, means)
  // Another own device sent it, or it is long over.
  if (number === undefined || sent === undefined) return null
  const persona = currentId(sent.to, keeper.onDisk)
  const listed = cards.counting(persona, app)?.devices ?? []
  const keys = [...sent.devices.map(({ sig }) => parseHex(sig)!), ...listed.map(({ sig }) => sig)]
  const sig = signerOf(receipt, sent, keys, means)
  if (sig === null) return persona
  await keeper.change(() => {
    const after = changeSent(app, number, (before) => withReceipt(app, before, sig, means), means)
    if (after !== undefined) deleteIfRead(app, after, queue)
  })
  return null
}

/** The key `sig` of the device that made a receipt, hex; null if it is none of these. */
function signerOf(
  receipt: Receipt,
  { hash }: StoredSent,
  keys: readonly Uint8Array[],
  { keeper, log }: MessagesMeans,
): string | null {
  try {
    return formatHex(verifyReceipt(receipt, parseBase64url(hash)!, keys, keeper.engine))
  } catch (error) {
    if (!(error instanceof MessageError && error.code === 'WRONG_RECEIPT')) throw error
    noteFailure('message.receipt', error, { log })
    return null
  }
}

/** The object goes once all devices have it. Inside of a change. */
export function deleteIfRead(app: string, { devices, receipts, store, id, sentSec }: StoredSent, queue: Queue): void {
  if (store === null || !devices.every(({ sig }) => receipts.includes(sig))) return
  queue.add(app, { do: 'delete', url: store, id }, sentSec + OBJECT_LIFE_SEC)
}

const OBJECT_LIFE_SEC: number = 31 * 86_400 // format: docs/relay.md, section 11: a store deletes an object by itself then

function withReceipt(app: string, before: StoredSent, sig: string, means: MessagesMeans): Partial<StoredSent> {
  const list = before.devices.some((device) => device.sig === sig) ? 'receipts' : 'restored'
  const having = before[list] ?? []
  const after = { ...before, [list]: having.includes(sig) ? having : [...having, sig] }
  return { [list]: after[list], ...receivedIf(app, after, means) }
}

/**
 * The change to `received`, where each device of the recipient has the message that their card still lists. One that was taken out, or came back with
 * other keys, sends no receipt. The object waits on for it: it may only be out for a while.
 */
export function receivedIf(
  app: string,
  { to, devices, receipts, restored = [] }: StoredSent,
  { cards, keeper }: MessagesMeans,
): Partial<StoredSent> {
  const theirs = devices.filter(({ isOwn }) => !isOwn)
  const has = ({ sig }: SealedTo): boolean => receipts.includes(sig)
  const persona = currentId(to, keeper.onDisk)
  const isOut = ({ sig }: SealedTo): boolean => cards.standing(persona, app, parseHex(sig)!) === 'unlisted'
  const isReceived = (theirs.some(has) || restored.length > 0) && theirs.every((device) => has(device) || isOut(device))
  return isReceived ? { state: 'received', reason: null } : {}
}
