/** The total order of a persona's blobs, the verdict on an incoming blob, and the descent of a table (docs/format.md, sections 8 and 9). */
import { compareBytes, equalBytes } from './encoding/bytes.ts'
import { PREV_BYTES } from './blob.ts'
import type { DocumentErrorCode } from './errors.ts'
import { MAX_CLOCK_AHEAD_SEC, MAX_SEQ_STEP } from './limits.ts'
import type { VerifiedBlob } from './verify.ts'

/** Positive when `a` wins: by higher epoch, then higher seq, then fewer devices, then lower T. The time never decides. */
export function compareTables(a: VerifiedBlob, b: VerifiedBlob): number {
  return (
    a.epoch - b.epoch ||
    a.seq - b.seq ||
    b.deviceKeys.length - a.deviceKeys.length ||
    compareBytes(b.tableHash, a.tableHash)
  )
}

/**
 * Picks the head among blobs of one persona. If one table was signed twice, the later time wins, unless it is ahead of this clock.
 * The operation is commutative, associative and idempotent.
 */
export function pickHead(a: VerifiedBlob, b: VerifiedBlob, nowSec: number): VerifiedBlob {
  const order = compareTables(a, b)
  if (order !== 0) return order > 0 ? a : b
  const aTime = refreshTime(a, nowSec)
  const bTime = refreshTime(b, nowSec)
  if (aTime !== bTime) return aTime > bTime ? a : b
  return compareBytes(a.bytes, b.bytes) <= 0 ? a : b
}

// A time ahead of this clock refreshes nothing, so it counts as the oldest.
function refreshTime(blob: VerifiedBlob, nowSec: number): number {
  return isClockAhead(blob.timeSec, nowSec) ? -1 : blob.timeSec
}

/** Whether a blob is dated more than two hours ahead of this clock. It is reported, never refused. */
export function isClockAhead(timeSec: number, nowSec: number): boolean {
  return timeSec > nowSec + MAX_CLOCK_AHEAD_SEC
}

/** Everything known about a persona before a blob arrives. */
export interface KnownPersona {
  /** Pinned c_0, 32 bytes. */
  readonly root: Uint8Array
  /** Epoch of the contact link; blobs of lower epochs are stale. 0 without a link. */
  readonly minEpoch: number
  readonly head: VerifiedBlob | null
}

export type OrderVerdict =
  | { readonly verdict: 'new' }
  /** `forkBehind`: the blob has the next seq, but its prev is not the head's T. So somebody used the head's seq twice. */
  | { readonly verdict: 'accept'; readonly rotated: boolean; readonly forkBehind: boolean }
  /** `later`: its time is newer, so the head gets this time. */
  | { readonly verdict: 'refresh'; readonly later: boolean }
  /** Same seq, another table. `wins`: it becomes the head. */
  | { readonly verdict: 'fork'; readonly wins: boolean }
  | { readonly verdict: 'stale' }
  | { readonly verdict: 'held' }
  | { readonly verdict: 'violation' }
  /** Signature and chain are good, but the document is not. Refused within the head's epoch (docs/format.md, section 8). */
  | { readonly verdict: 'refused'; readonly code: DocumentErrorCode }

/**
 * Judges an incoming blob against what is known about its persona (docs/format.md, section 8). It tests for a violation before stale: a
 * second chain of a known PersonaID proves that K_0 was stolen, however old the blob claims to be.
 */
export function judge(incoming: VerifiedBlob, known: KnownPersona | null, nowSec: number): OrderVerdict {
  const verdict = judgeOrder(incoming, known, nowSec)
  return incoming.content.ok || countsUnread(verdict) ? verdict : { verdict: 'refused', code: incoming.content.code }
}

// Whether a blob with an unreadable document still gets this verdict. With a higher epoch it must: a rotation shuts a thief out, even
// when this version cannot read the names.
function countsUnread(verdict: OrderVerdict): boolean {
  if (verdict.verdict === 'accept') return verdict.rotated
  return verdict.verdict === 'refresh' || verdict.verdict === 'stale' || verdict.verdict === 'violation'
}

function judgeOrder(incoming: VerifiedBlob, known: KnownPersona | null, nowSec: number): OrderVerdict {
  if (known === null) return { verdict: 'new' }
  if (!equalBytes(incoming.root, known.root)) return { verdict: 'violation' }
  if (incoming.epoch < known.minEpoch) return { verdict: 'stale' }
  const head = known.head
  if (head === null) return { verdict: 'new' }
  if (incoming.epoch !== head.epoch) {
    return incoming.epoch > head.epoch ? { verdict: 'accept', rotated: true, forkBehind: false } : { verdict: 'stale' }
  }
  if (incoming.seq < head.seq) return { verdict: 'stale' }
  if (incoming.seq > head.seq + MAX_SEQ_STEP) return { verdict: 'held' }
  if (incoming.seq > head.seq) {
    const isNext = incoming.seq === head.seq + 1
    const forkBehind = isNext && !equalBytes(incoming.prev, head.tableHash.subarray(0, PREV_BYTES))
    return { verdict: 'accept', rotated: false, forkBehind }
  }
  if (!equalBytes(incoming.tableHash, head.tableHash)) {
    return { verdict: 'fork', wins: compareTables(incoming, head) > 0 }
  }
  return { verdict: 'refresh', later: refreshTime(incoming, nowSec) > refreshTime(head, nowSec) }
}

/** Picks the higher of two held blobs. The caller judges it again whenever the head changes. */
export function pickHeld(held: VerifiedBlob | null, incoming: VerifiedBlob): VerifiedBlob {
  return held === null || compareTables(incoming, held) > 0 ? incoming : held
}

export type Freshness = 'fresh' | 'stale' | 'expired'

const DAY_SEC = 86_400
export const FRESH_SEC: number = 14 * DAY_SEC // format: two missed weekly re-signs
export const STALE_SEC: number = 60 * DAY_SEC // format: a long absence; age alone deletes nothing
export const RESIGN_AFTER_SEC: number = 7 * DAY_SEC // format: the first device re-signs a week after the last signature
export const RESIGN_STEP_SEC: number = 6 * 3600 // format: each following device waits this much longer, so that only one re-signs

/** How old the last signature is by the writer's clock. A blob that a device keeps showing forever looks old. */
export function freshness(timeSec: number, nowSec: number): Freshness {
  const age = nowSec - timeSec
  if (age <= FRESH_SEC) return 'fresh'
  return age <= STALE_SEC ? 'stale' : 'expired'
}

/**
 * When the k-th device of the table re-signs it, if no other device has.
 * @param k position in the table, from 0
 * @returns unix seconds
 */
export function resignAtSec(timeSec: number, k: number): number {
  return timeSec + RESIGN_AFTER_SEC + RESIGN_STEP_SEC * k
}

// Which table descends from which, as far as the tables known here tell (section 9).

/** The position of a table in the order; `tableHash` is T, 64 hex digits. */
export interface TablePoint {
  readonly epoch: number
  readonly seq: number
  readonly tableHash: string
}

/** A table that names the one before it. */
export interface LinkedPoint extends TablePoint {
  /** First 16 bytes of the previous T, as 32 hex digits. */
  readonly prev: string
}

export interface Ancestry {
  /** The table whose hash begins with `prev`, if it was seen. */
  ancestor(prev: string): LinkedPoint | undefined
}

/**
 * Whether the head's writer may have known a table. It is impossible only if the `prev` chain leads past that table. If we have not seen a
 * table in between, it is possible, and then a missing device counts as removed by a sibling.
 */
export function mayDescend(head: LinkedPoint, table: TablePoint | null, context: Ancestry): boolean {
  return table !== null && descent(head, table, context) !== 'no'
}

export function descent(head: LinkedPoint, table: TablePoint, context: Ancestry): 'yes' | 'no' | 'unknown' {
  let point = head
  while (isAfter(point, table)) {
    if (table.tableHash.startsWith(point.prev)) return 'yes'
    const before = context.ancestor(point.prev)
    if (before === undefined) return isDirectSuccessor(point, table) ? 'no' : 'unknown'
    if (!isAfter(point, before)) return 'unknown' // hashes cannot form a cycle, but a wrong index must not hang the daemon
    point = before
  }
  return point.tableHash === table.tableHash ? 'yes' : 'no'
}

function isAfter(point: TablePoint, other: TablePoint): boolean {
  return point.epoch > other.epoch || (point.epoch === other.epoch && point.seq > other.seq)
}

function isDirectSuccessor(point: TablePoint, table: TablePoint): boolean {
  return point.epoch === table.epoch && point.seq === table.seq + 1
}
