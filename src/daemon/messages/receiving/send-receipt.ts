/** The receipts of this device: one when it has read an object, and again where its entry comes again, since the sender then lacks it. */
import { formatBase64url, parseBase64url } from '../../../core/encoding/bytes.ts'
import { makeReceipt } from '../../../message/receipt.ts'
import type { AppDevice } from '../../cards/cards.ts'
import { hashed } from '../../sealed/hashed.ts'
import { objectName } from '../records/ids.ts'
import { inChange, type MessagesMeans } from '../records/means.ts'
import { SEEN, type StoredSeen } from '../records/kinds.ts'
import type { Queue } from '../tasks/queue.ts'
import type { ArrivedFrom } from './arrived.ts'

const RECEIPT_LIFE_SEC: number = 30 * 86_400 // format: an object lives no longer
const MAX_AGAIN = 16 // sanity: a sender asks once for each change of the devices; a relay that gives an entry more often does so for itself

/** Inside of a change. @param to the key `sig` of the device that sent the message, hex */
export function sendReceipt(
  app: string,
  { from, id, hash }: Pick<ArrivedFrom, 'from' | 'id' | 'hash'>,
  to: string,
  device: AppDevice,
  queue: Queue,
  { keeper }: MessagesMeans,
): void {
  const { signature } = makeReceipt(parseBase64url(id)!, parseBase64url(hash)!, (message) => device.sign(message))
  const receipt = { id, signature: formatBase64url(signature), device: to }
  const task = { do: 'post', persona: from, sent: null, receipt, done: [] } as const
  queue.add(app, task, keeper.nowSec + RECEIPT_LIFE_SEC)
}

/** The entry of an object that was read here has come again: the first receipt may be lost. */
export async function repeatReceipt(
  app: string,
  object: ArrivedFrom,
  seen: StoredSeen | number,
  device: AppDevice,
  queue: Queue,
  means: MessagesMeans,
): Promise<void> {
  if (typeof seen === 'number' || seen.device === undefined || (seen.again ?? 0) >= MAX_AGAIN) return
  const { device: to, again = 0 } = seen
  await means.keeper.change(() => {
    inChange(means, SEEN).put(hashed(app, objectName(object), means.keeper.engine), { ...seen, again: again + 1 })
    sendReceipt(app, object, to, device, queue, means)
  })
}
