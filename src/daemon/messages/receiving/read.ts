/** Messages for the app: read in the order in which they came, and deleted once the app has dealt with them. */
import { concatBytes } from '../../../core/encoding/bytes.ts'
import { MAX_PIECE_BYTES } from '../../../ipc/methods/app-params.ts'
import type { ReadMessage } from '../../../ipc/methods/messages.ts'
import { MessagesError } from '../records/errors.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { changeCounts, countsOf } from '../records/counts.ts'
import { numbered } from '../../sealed/numbered.ts'
import { ARRIVED, ARRIVED_PART, type StoredArrived } from '../records/kinds.ts'

const DEFAULT_LIMIT = 100
const MAX_ACKED_AT_ONCE = 200 // sanity: a change stays small

export interface ReadWishes {
  readonly after: number
  readonly limit?: number
  readonly offset?: number
}

/** Reads messages after a number, as many as fit. The first one may begin at an offset, and end before its end. */
export function readMessages(
  app: string,
  { after, limit = DEFAULT_LIMIT, offset = 0 }: ReadWishes,
  means: MessagesMeans,
): { messages: ReadMessage[]; next: number | null } {
  const { arrived: last, acked } = countsOf(app, means)
  const first = Math.max(after, acked) + 1
  const messages: ReadMessage[] = []
  let room = MAX_PIECE_BYTES
  let number = first
  for (; number <= last && messages.length < limit; number++) {
    const stored = onDisk(means, ARRIVED).get(numbered(app, number))
    // No key here opens it any more.
    if (stored === undefined) continue
    const from = Math.min(number === first ? offset : 0, stored.bytes)
    const content = contentOf(stored, from, room, means)
    if (content === null) {
      messages.push(viewOf(number, { ...stored, failed: 'MESSAGE_DAMAGED', bytes: 0 }, 0, new Uint8Array()))
      continue
    }
    const isWhole = from + content.length === stored.bytes
    if (!isWhole && messages.length > 0) break
    messages.push(viewOf(number, stored, from, content))
    room -= content.length
    if (isWhole && room > 0) continue
    number++
    break
  }
  return { messages, next: number <= last ? number - 1 : null }
}

function viewOf(
  number: number,
  { from, to, missing, sentSec, atSec, failed, bytes }: StoredArrived,
  offset: number,
  content: Uint8Array,
): ReadMessage {
  const base64 = Buffer.from(content).toString('base64')
  return { number, from, to, missing, sentSec, atSec, failed, bytes, offset, content: base64 }
}

/** At most so many bytes of a content, from an offset on; null where no key here opens a part of it. */
function contentOf(
  { parts, bytes }: StoredArrived,
  from: number,
  room: number,
  means: MessagesMeans,
): Uint8Array | null {
  const found: Uint8Array[] = []
  let have = 0
  let at = from - (from % MAX_PIECE_BYTES)
  while (at < bytes && have < room) {
    const part = onDisk(means, ARRIVED_PART).get(numbered(parts, at))
    if (part === undefined) return null
    const piece = part.subarray(Math.max(0, from - at), Math.max(0, from - at) + room - have)
    found.push(piece)
    have += piece.length
    at += part.length
  }
  return concatBytes(...found)
}

/**
 * Deletes messages up to a number.
 * @returns how many the app has not dealt with
 * @throws {MessagesError} MESSAGE_UNREAD
 */
export async function ackMessages(app: string, upTo: number, means: MessagesMeans): Promise<number> {
  for (;;) {
    const { arrived, acked } = countsOf(app, means)
    if (upTo > arrived)
      throw new MessagesError(
        'MESSAGE_UNREAD',
        `message ${upTo} has not come; the last one is ${arrived}`,
        'acknowledge only what was read',
      )
    if (acked >= upTo) return arrived - acked
    await ackSome(app, acked, Math.min(upTo, acked + MAX_ACKED_AT_ONCE), means)
  }
}

async function ackSome(app: string, from: number, to: number, means: MessagesMeans): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, i) => from + 1 + i)
  const stored = numbers.map((number) => onDisk(means, ARRIVED).get(numbered(app, number)))
  const parts: string[] = []
  for (const each of stored)
    if (each !== undefined) parts.push(...(await Array.fromAsync(onDisk(means, ARRIVED_PART).ids(`${each.parts}/`))))
  const bytes = stored.reduce((sum, each) => sum + (each?.bytes ?? 0), 0)
  await means.keeper.change(() => {
    for (const number of numbers) inChange(means, ARRIVED).delete(numbered(app, number))
    for (const part of parts) inChange(means, ARRIVED_PART).delete(part)
    changeCounts(
      app,
      (before) => ({ acked: Math.max(before.acked, to), unreadBytes: Math.max(0, before.unreadBytes - bytes) }),
      means,
    )
  })
}
