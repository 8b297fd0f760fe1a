/** The known values of a record, and the verdict on what the network gives (docs/record.md, section 3). */
import { MAX_DHT_SEQ } from '../core/announce/signed-value.ts'
import { equalBytes } from '../core/encoding/bytes.ts'
import { RecordError } from './errors.ts'
import type { KnownSlots, SlotValue } from './record-engine.ts'

export class SlotMemory {
  /** Null for a slot that was found empty. */
  readonly #known: Map<number, SlotValue | null>

  constructor(known: KnownSlots = new Map()) {
    this.#known = new Map(known)
  }

  /** @returns undefined if nobody has looked yet */
  of(slot: number): SlotValue | null | undefined {
    return this.#known.get(slot)
  }

  note(slot: number, value: SlotValue): void {
    this.#known.set(slot, value)
  }

  /**
   * Takes what a reader found, and remembers it.
   * @throws {RecordError} RECORD_VANISHED | RECORD_ROLLED_BACK | RECORD_SECOND_WRITER
   */
  takeRead(slot: number, found: SlotValue | null): void {
    const known = this.#known.get(slot) ?? null
    if (known !== null && (found === null || found.seq < known.seq))
      throw found === null ? vanished(slot, known.seq) : rolledBack(slot, known.seq, found.seq)
    if (known !== null && isOther(known, found!)) throw secondWriter(slot)
    this.#known.set(slot, found)
  }

  /**
   * Takes what the writer found in front of a new value. An older value, or none, is no obstacle: the network has lost something.
   * @param above the seq of something unreadable that lies there
   * @returns the seq that is free
   * @throws {RecordError} RECORD_SECOND_WRITER, once for each value of somebody else; RECORD_SPENT
   */
  takeBeforeWrite(slot: number, found: SlotValue | null, above: bigint = -1n): bigint {
    const known = this.#known.get(slot)
    const isNews = found !== null && (found.seq > (known?.seq ?? -1n) || (!!known && isOther(known, found)))
    if (isNews) this.#known.set(slot, found)
    if (isNews && known !== undefined) throw secondWriter(slot)
    const knownSeq = this.#known.get(slot)?.seq ?? -1n
    const free = (above > knownSeq ? above : knownSeq) + 1n
    if (free <= MAX_DHT_SEQ) return free
    throw new RecordError(
      'RECORD_SPENT',
      `slot ${slot} holds the highest seq there is`,
      'whoever has the key has spent this slot; make a new record',
    )
  }

  /**
   * Takes what the writer found afterwards.
   * @throws {RecordError} RECORD_SECOND_WRITER | RECORD_AWAY
   */
  takeAfterWrite(slot: number, written: SlotValue, found: SlotValue | null): void {
    if (found === null || found.seq < written.seq)
      throw new RecordError('RECORD_AWAY', `the network has not kept the new value of slot ${slot}`, 'try again later')
    this.#known.set(slot, found)
    if (found.seq > written.seq || isOther(written, found)) throw secondWriter(slot)
  }
}

function isOther(a: SlotValue, b: SlotValue): boolean {
  return a.seq === b.seq && !equalBytes(a.bytes, b.bytes)
}

export function vanished(slot: number, knownSeq: bigint): RecordError {
  return new RecordError(
    'RECORD_VANISHED',
    `slot ${slot} is empty, and had value ${knownSeq} before`,
    'the network has forgotten it; wait until its writer puts it again',
  )
}

export function rolledBack(slot: number, knownSeq: bigint, foundSeq: bigint): RecordError {
  return new RecordError(
    'RECORD_ROLLED_BACK',
    `slot ${slot} holds value ${foundSeq}, which is older than the known value ${knownSeq}`,
    'the network gives old values; wait until its writer puts the newest one again',
  )
}

function secondWriter(slot: number): RecordError {
  return new RecordError(
    'RECORD_SECOND_WRITER',
    `somebody else has written slot ${slot} with the same key`,
    'a copy of this state may be at work on another computer; stop one of them',
  )
}
