/** Contents of an end for its app: read in order, and deleted once the app has dealt with them. */
import { taken } from '../../channel/exchange/life.ts'
import { contentCost } from '../../channel/exchange/send.ts'
import { concatBytes } from '../../core/encoding/bytes.ts'
import { MAX_PIECE_BYTES } from '../../ipc/methods/app-params.ts'
import type { ReadContent } from '../../ipc/methods/channels.ts'
import { ChannelsError } from './errors.ts'
import type { End } from './ends/end.ts'
import type { EndState } from './ends/end-state.ts'
import type { Means } from './ends/means.ts'
import { forgetParts, knownParts } from './known-parts.ts'
import { numbered } from '../sealed/numbered.ts'
import { IN } from './records/kinds.ts'

const MAX_ACKED_AT_ONCE = 500 // sanity: a change stays small
const DEFAULT_LIMIT = 100

/** The number of the last content of the peer that is whole. */
export function wholeUpTo({ channel }: EndState): number {
  return channel.begun === null ? channel.inNumber : channel.inNumber - 1
}

export interface ReadWishes {
  readonly after: number
  readonly limit?: number
  readonly offset?: number
}

/** Reads contents after a number, as many as fit. The first one may begin at an offset, and end before its end. */
export function readContents(
  end: End,
  { after, limit = DEFAULT_LIMIT, offset = 0 }: ReadWishes,
  means: Means,
): { contents: ReadContent[]; next: number | null } {
  const state = end.peek()
  const [last, first] = [wholeUpTo(state), Math.max(after, state.ackedIn) + 1]
  const contents: ReadContent[] = []
  let room = MAX_PIECE_BYTES
  let number = first
  for (; number <= last && contents.length < limit; number++) {
    const from = number === first ? offset : 0
    const found = readContent(end, number, from, room, means)
    const isWhole = found.offset + found.bytes.length === found.totalBytes
    if (!isWhole && contents.length > 0) break
    contents.push({
      number,
      atSec: found.atSec,
      bytes: found.totalBytes,
      offset: found.offset,
      content: Buffer.from(found.bytes).toString('base64'),
    })
    room -= found.bytes.length
    if (!isWhole || room <= 0) {
      number++
      break
    }
  }
  return { contents, next: number <= last ? number - 1 : null }
}

interface Found {
  readonly atSec: number
  readonly totalBytes: number
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Reads at most so many bytes of a content, from an offset on. The parts follow each other, each under its offset. */
function readContent(end: End, number: number, from: number, room: number, { sealed }: Means): Found {
  const parts = sealed.onDisk(IN)
  const bytes: Uint8Array[] = []
  const known = knownParts(end, number)
  let [have, totalBytes, atSec] = [0, 0, 0]
  let at = known.startOf(from)
  do {
    const part = parts.get(numbered(end.id, number, at))
    if (part === undefined) throw new Error(`a part of content ${number} of the channel ${end.id} is gone`)
    known.note(at, part)
    ;({ totalBytes, atSec } = part)
    const skip = Math.max(0, from - at)
    const piece = part.bytes.subarray(skip, skip + room - have)
    bytes.push(piece)
    have += piece.length
    at += part.bytes.length
  } while (at < totalBytes && have < room)
  return { atSec, totalBytes, offset: Math.min(from, totalBytes), bytes: concatBytes(...bytes) }
}

/**
 * Deletes contents up to a number, and lets the peer send more.
 * @returns how many the app has not dealt with
 * @throws {ChannelsError} CONTENT_UNREAD
 */
export async function ackContents(end: End, upTo: number, means: Means): Promise<number> {
  for (;;) {
    const unread = await end.run((turn) => {
      const last = wholeUpTo(turn.state)
      if (upTo > last)
        throw new ChannelsError(
          'CONTENT_UNREAD',
          `content ${upTo} has not come; the last whole one is ${last}`,
          'acknowledge only what was read',
        )
      const { ackedIn } = turn.state
      const to = Math.min(upTo, ackedIn + MAX_ACKED_AT_ONCE)
      if (to <= ackedIn) return last - ackedIn
      let cost = 0
      const ids: string[] = []
      for (let number = ackedIn + 1; number <= to; number++) cost += contentCost(collect(end, number, ids, means))
      turn.step(taken(turn.channel, cost, turn.nowMs, means.keeper.engine))
      turn.set({ ackedIn: to })
      turn.alongside.push(() => {
        const parts = means.sealed.inChange(IN)
        for (const id of ids) parts.delete(id)
      })
      return last - to
    })
    forgetParts(end, end.peek().ackedIn)
    if (end.peek().ackedIn >= upTo) return unread
  }
}

/** Names the records of a content. @returns its bytes */
function collect(end: End, number: number, ids: string[], { sealed }: Means): number {
  const parts = sealed.onDisk(IN)
  const known = knownParts(end, number)
  while (!known.isWhole) {
    const part = parts.get(numbered(end.id, number, known.endAt))
    // A content that no key opens any more is nobody's: only its cost is unknown.
    if (part === undefined) break
    known.note(known.endAt, part)
  }
  ids.push(...known.starts.map((at) => numbered(end.id, number, at)))
  return known.endAt
}
