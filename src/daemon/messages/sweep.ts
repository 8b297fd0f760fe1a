/** Forgets what is over: sent messages after a month, ids that no entry can bring any more, and requests that nobody answered. */
import { inChange, onDisk, type MessagesMeans } from './records/means.ts'
import { numbersIn, numbered } from '../sealed/numbered.ts'
import { hashed } from '../sealed/hashed.ts'
import { appIn } from './records/ids.ts'
import {
  OBJECT_PART,
  REQUEST,
  SEEN,
  SENT,
  SENT_ID,
  SENT_KEY,
  type StoredSeen,
  type StoredSent,
} from './records/kinds.ts'
import { REQUEST_LIFE_SEC } from './receiving/take-entry.ts'
import { SENT_LIFE_SEC } from './sending/sender.ts'
import { changeSent, receivedIf } from './sending/sent-states.ts'

export const SWEEP_MS = 86_400_000 // sanity: nothing here is due to the hour
const FORGET_SENT_SEC: number = SENT_LIFE_SEC + 86_400 // sanity: the app has a day to see that a message has failed
const FAIL_SENT_SEC: number = SENT_LIFE_SEC + 7200 // sanity: the last try of a job is made within an hour, and knows why it failed
const SLICE = 200 // sanity: records in one change, while others wait

/** @throws {CustodyError} APPS_LOCKED @throws {StoreError} */
export async function sweep(means: MessagesMeans): Promise<void> {
  const { nowSec } = means.keeper
  const seen = await keysOf(onDisk(means, SEEN).iterate(), (seen) => untilOf(seen) <= nowSec)
  await inSlices(seen, (id) => inChange(means, SEEN).delete(id), means)
  const isOld = ({ lastSec, state }: { lastSec: number; state: string }): boolean =>
    (state === 'asks' || state === 'rejected') && lastSec + REQUEST_LIFE_SEC <= nowSec
  const requests = await keysOf(onDisk(means, REQUEST).iterate(), isOld)
  await inSlices(requests, (id) => inChange(means, REQUEST).delete(id), means)
  await sweepSent(means)
}

async function sweepSent(means: MessagesMeans): Promise<void> {
  const { nowSec } = means.keeper
  const received: [string, Partial<StoredSent>][] = []
  const expired: [string, StoredSent][] = []
  for await (const [id, sent] of onDisk(means, SENT).iterate()) {
    const change = receivedNow(appIn(id), sent, means)
    if (change !== null) received.push([id, change])
    else if (sent.sentSec + FAIL_SENT_SEC <= nowSec) expired.push([id, sent])
  }
  for (const [id, change] of received)
    await means.keeper.change(() => changeSent(appIn(id), numbersIn(id)[0]!, () => change, means))
  for (const [id, sent] of expired) {
    const [app, number] = [appIn(id), numbersIn(id)[0]!]
    const parts = await Array.fromAsync(onDisk(means, OBJECT_PART).ids(`${numbered(app, number)}/`))
    await means.keeper.change(() => {
      // This daemon may have been off when the month was over: the app hears of it first.
      const isOver = sent.state === 'received' || sent.state === 'failed'
      if (!isOver) changeSent(app, number, () => ({ state: 'failed', reason: 'EXPIRED' }), means)
      else if (sent.sentSec + FORGET_SENT_SEC <= nowSec) forget(app, number, sent, parts, means)
    })
  }
}

/** The recipient may have taken the last device out that had not sent its receipt. @returns null if nothing changes */
function receivedNow(app: string, sent: StoredSent, means: MessagesMeans): Partial<StoredSent> | null {
  if (sent.state === 'received' || sent.state === 'failed') return null
  const change = receivedIf(app, sent, means)
  return change.state === undefined ? null : change
}

function forget(app: string, number: number, sent: StoredSent, parts: readonly string[], means: MessagesMeans): void {
  const { engine } = means.keeper
  inChange(means, SENT).delete(numbered(app, number))
  inChange(means, SENT_ID).delete(hashed(app, sent.id, engine))
  if (sent.key !== null) inChange(means, SENT_KEY).delete(hashed(app, sent.key, engine))
  for (const part of parts) inChange(means, OBJECT_PART).delete(part)
}

function untilOf(seen: StoredSeen | number): number {
  return typeof seen === 'number' ? seen : seen.untilSec
}

/** The ids of the records that `isOver`. */
async function keysOf<T>(
  records: AsyncIterable<readonly [id: string, value: T]>,
  isOver: (value: T) => boolean,
): Promise<string[]> {
  const ids: string[] = []
  for await (const [id, value] of records) if (isOver(value)) ids.push(id)
  return ids
}

async function inSlices(ids: readonly string[], run: (id: string) => void, { keeper }: MessagesMeans): Promise<void> {
  for (let at = 0; at < ids.length; at += SLICE) await keeper.change(() => ids.slice(at, at + SLICE).forEach(run))
}
