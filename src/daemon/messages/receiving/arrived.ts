/** Messages that have come, as they lie on the disk: their parts as they are opened, and their number once all of it is verified. */
import { concatBytes, decodeUtf8 } from '../../../core/encoding/bytes.ts'
import type { MessageKind } from '../../../message/header.ts'
import { inChange, onDisk, type MessagesMeans } from '../records/means.ts'
import { changeCounts } from '../records/counts.ts'
import { numbered } from '../../sealed/numbered.ts'
import { hashed } from '../../sealed/hashed.ts'
import { objectName } from '../records/ids.ts'
import { ARRIVED, ARRIVED_PART, PEER, SEEN, type StoredArrived } from '../records/kinds.ts'

const PART_BYTES: number = 192 << 10 // format: as much as a call reads
export const MAX_AGE_SEC: number = 62 * 86_400 // format: a sender tries for 30 days, and then a store has the object, and an inbox its entry, for 31
const SEEN_SEC: number = MAX_AGE_SEC + 2 * 86_400 // sanity: the clock of a sender may be ahead by a day or two

/** The parts of one content. Nobody reads them before the message has its number. */
export class ArrivingParts {
  readonly #id: string
  readonly #means: MessagesMeans
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #offset = 0

  constructor(app: string, object: ArrivedFrom, means: MessagesMeans) {
    this.#id = hashed(app, objectName(object), means.keeper.engine)
    this.#means = means
  }

  get bytes(): number {
    return this.#offset + this.#waitingBytes
  }

  /** Forgets the parts of an earlier try. */
  async begin(): Promise<void> {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#offset = 0
    const ids = await Array.fromAsync(onDisk(this.#means, ARRIVED_PART).ids(`${this.#id}/`))
    if (ids.length === 0) return
    await this.#means.keeper.change(() => {
      for (const id of ids) inChange(this.#means, ARRIVED_PART).delete(id)
    })
  }

  async take(part: Uint8Array): Promise<void> {
    this.#waiting.push(part)
    this.#waitingBytes += part.length
    if (this.#waitingBytes >= PART_BYTES) await this.#means.keeper.change(() => this.#stage(PART_BYTES))
  }

  /** A content that is less than a part. */
  asText(): string {
    return decodeUtf8(concatBytes(...this.#waiting)) ?? ''
  }

  /** Inside of a change. */
  stageRest(): void {
    while (this.#waitingBytes > 0) this.#stage(PART_BYTES)
  }

  #stage(bytes: number): void {
    const all = concatBytes(...this.#waiting)
    const part = all.subarray(0, bytes)
    inChange(this.#means, ARRIVED_PART).put(numbered(this.#id, this.#offset), part)
    this.#offset += part.length
    this.#waiting = [all.subarray(part.length)]
    this.#waitingBytes = all.length - part.length
  }
}

/** The facts of a header. */
export interface ArrivedFacts {
  readonly to: string
  /** Counts the messages of the device to the same persona. */
  readonly count: number
  /** The key `sig` of the device, hex. */
  readonly device: string
  readonly sentSec: number
}

export interface ArrivedFrom {
  readonly from: string
  readonly id: string
  readonly hash: string
  readonly kind: MessageKind
}

/** Gives a message its number, and tells the app; an invite is not for the app. Inside of a change. */
export function stageArrived(
  app: string,
  object: ArrivedFrom,
  { to, count, device, sentSec }: ArrivedFacts,
  bytes: number,
  means: MessagesMeans,
): void {
  const missing = noteCount(app, to, device, count, means)
  stage(app, object, { to, sentSec, atSec: means.keeper.nowSec, missing, failed: null, bytes }, device, means)
}

/** Tells the app of a message that cannot be read. Inside of a change. */
export function stageFailed(app: string, object: ArrivedFrom, to: string, reason: string, means: MessagesMeans): void {
  const { nowSec } = means.keeper
  stage(app, object, { to, sentSec: nowSec, atSec: nowSec, missing: 0, failed: reason, bytes: 0 }, null, means)
}

function stage(
  app: string,
  object: ArrivedFrom,
  arrived: Omit<StoredArrived, 'parts' | 'from' | 'kind'>,
  device: string | null,
  means: MessagesMeans,
): void {
  const { keeper } = means
  const { from, kind } = object
  const parts = stageSeen(app, object, device, means)
  if (kind === 'invite') return
  const { arrived: number } = changeCounts(
    app,
    (before) => ({ arrived: before.arrived + 1, unreadBytes: before.unreadBytes + arrived.bytes }),
    means,
  )
  inChange(means, ARRIVED).put(numbered(app, number), { ...arrived, from, kind, parts })
  keeper.state.emit({ event: 'message.arrived', data: { app, number } })
}

/**
 * Knows the object if its entry comes again. Inside of a change.
 * @param device that gets a receipt; null for none
 * @returns the id of its records
 */
export function stageSeen(app: string, object: ArrivedFrom, device: string | null, means: MessagesMeans): string {
  const id = hashed(app, objectName(object), means.keeper.engine)
  const untilSec = means.keeper.nowSec + SEEN_SEC
  inChange(means, SEEN).put(id, { untilSec, ...(device === null ? {} : { device }) })
  return id
}

/** @returns how many messages of the device are missing between the last one and this */
function noteCount(app: string, to: string, device: string, count: number, means: MessagesMeans): number {
  const peers = inChange(means, PEER)
  // A device counts for each recipient: those that siblings sent to somebody else have counts of their own.
  const id = hashed(app, `${to} heard`, means.keeper.engine)
  const before = peers.get(id) ?? { sent: 0, heard: {} }
  const last = before.heard[device]
  if (last !== undefined && last >= count) return 0
  peers.put(id, { ...before, heard: bounded({ ...before.heard, [device]: count }) })
  // The first one that comes may not be the first one that was sent: this device may be new.
  return last === undefined ? 0 : count - last - 1
}

const MAX_HEARD = 256 // sanity: devices that send; those that were heard of first are forgotten first

function bounded(heard: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(heard).slice(-MAX_HEARD))
}
