/** The ring of a peer: the frames that lie there, in order. */
import { encodeUtf8, equalBytes, formatHex, parseHex } from '../../../core/encoding/bytes.ts'
import { isLoss, nullIf, RecordError, type RecordErrorCode } from '../../../record/errors.ts'
import type { SlotRecord, SlotValue } from '../../../record/record-engine.ts'
import type { Arrival } from '../carrier.ts'
import { rolledBack, vanished } from '../../../record/slot-memory.ts'
import { ringTag } from './own-ring.ts'
import {
  headerKey,
  liveNumbers,
  openHeader,
  RING_SLOTS,
  slotOf,
  tagOf,
  type HeaderEngine,
  type RingAck,
  type RingHeader,
} from './ring-header.ts'

const NUMBER_BYTES = 8
/** Ring, run, number of the frame, and the seq of the header that named it. Earlier versions wrote no seq. */
const CURSOR = /^([0-9A-F]{16})\.([0-9A-F]{16})\.([1-9][0-9]{0,15})(?:\.(0|[1-9][0-9]{0,18}))?$/

export class PeerRing {
  readonly #open: () => Promise<SlotRecord>
  /** The record, once it could be opened. */
  #record: Promise<SlotRecord> | null = null
  /** The same record with a memory of its own, since its writer lost count; null before that. */
  #recounted: SlotRecord | null = null
  /** The run of the last header that could be read. */
  #run: Uint8Array | null = null
  readonly #engine: HeaderEngine
  readonly #key: Uint8Array
  readonly #tag: Uint8Array
  /** The header was known, and the network gives none, or after a restart an older one; null while it gives it. */
  lost: RecordError | null = null
  /** Whether the header names newest data that does not lie there yet: its writer writes the header first. */
  isBehind = false
  /** As it was found at the last look. */
  last: RingHeader | null = null
  /** The seq of that header. */
  #seq = 0n

  /**
   * @param open opens the record, which may not be there before the peer has written
   * @param url its address
   * @param pub the key of the peer's place
   */
  constructor(open: () => Promise<SlotRecord>, url: string, pub: Uint8Array, engine: HeaderEngine) {
    this.#open = open
    this.#engine = engine
    this.#key = headerKey(pub, encodeUtf8(url), engine)
    this.#tag = ringTag(url, engine)
  }

  /** Null before the peer has written one, and while what lies there cannot be read. @throws {RecordError} */
  async header(): Promise<RingHeader | null> {
    this.last = await this.#header()
    return this.last
  }

  async #header(): Promise<RingHeader | null> {
    this.lost = null
    const record = await nullIf(isVanished, async () => await this.#reading())
    if (record === null) return null
    try {
      const value = await record.get(0)
      return value && this.#noted(value, this.#read(value))
    } catch (error) {
      if (!(error instanceof RecordError && (isLoss(error.code) || isRecount(error.code)))) throw error
      const header = isRecount(error.code) ? await this.#recount() : null
      if (header === null) this.lost = error
      return header
    }
  }

  #read({ bytes }: SlotValue): RingHeader | null {
    return openHeader(bytes, this.#key, this.#engine)
  }

  #noted({ seq }: SlotValue, header: RingHeader | null): RingHeader | null {
    this.#seq = seq
    if (header !== null) this.#run = header.run
    return header
  }

  /**
   * The header of a writer that has begun a new run, since its header was lost: what was known of the record before is of no use then.
   * @returns null for a header of the same run
   */
  async #recount(): Promise<RingHeader | null> {
    const record = await this.#open()
    let isTaken = false
    try {
      const value = await record.get(0)
      const header = value && this.#read(value)
      if (value === null || header === null || this.#run === null || equalBytes(header.run, this.#run)) return null
      await this.#recounted?.close()
      this.#recounted = record
      isTaken = true
      return this.#noted(value, header)
    } finally {
      if (!isTaken) await record.close()
    }
  }

  /**
   * Reads the frames after the cursor, as far as they can be read now.
   * @param cursor a text of another ring, or of an earlier run of this one, means the beginning
   * @throws {RecordError}
   */
  async receive(cursor: string): Promise<Arrival[]> {
    this.isBehind = false
    const header = await this.header()
    const known = this.#knownSeq(cursor, header)
    if (known !== null) this.lost ??= this.#lossSince(known, header)
    if (header === null) return []
    const after = this.ackOf(cursor, header)?.number ?? 0
    // An older header teaches nothing: it is told until a newer one comes.
    const seq = known !== null && known > this.#seq ? known : this.#seq
    const arrivals: Arrival[] = []
    // A frame that is missing while a later one is there is lost for now: its sender repeats it under a new number.
    for (const number of liveNumbers(header).filter((each) => each > after)) {
      const data = await this.#frame(number, header)
      this.isBehind = data === null
      if (data !== null) arrivals.push({ data, cursor: this.#cursorOf(header, number, seq) })
    }
    return arrivals
  }

  /** How far a cursor has read; null for a cursor of something else. */
  ackOf(cursor: string, { run }: Pick<RingHeader, 'run'>): RingAck | null {
    const [, ring, ofRun, digits] = CURSOR.exec(cursor) ?? []
    const number = Number(digits)
    if (ring !== formatHex(this.#tag) || ofRun !== formatHex(run) || !Number.isSafeInteger(number)) return null
    return { ring: parseHex(ring)!, run: parseHex(ofRun)!, number }
  }

  /** @throws {RecordError} */
  async watch(onNews: () => void, signal: AbortSignal): Promise<void> {
    const record = await this.#watching()
    record.watch([0], onNews, signal)
  }

  async close(): Promise<void> {
    const record = await this.#record
    await record?.close()
    await this.#recounted?.close()
  }

  async #reading(): Promise<SlotRecord> {
    return this.#recounted ?? (await this.#watching())
  }

  async #watching(): Promise<SlotRecord> {
    this.#record ??= this.#open().catch((error: unknown) => {
      this.#record = null
      throw error
    })
    return await this.#record
  }

  /** Null for data that is not there yet, is lost, or has given its slot to a later one. */
  async #frame(number: number, { tags }: RingHeader): Promise<Uint8Array | null> {
    // Its parts may be lost or late, which is nothing to tell. Its sender repeats what was damaged, put back or written by somebody else.
    const value = await (await this.#reading()).get(slotOf(number)).catch((error: unknown) => {
      if (!(error instanceof RecordError && (isLoss(error.code) || isRecount(error.code)))) throw error
      if (error.code === 'RECORD_FORGED' || isRecount(error.code)) this.lost = error
      return null
    })
    if (value === null || value.bytes.length < NUMBER_BYTES) return null
    const found = new DataView(value.bytes.buffer, value.bytes.byteOffset).getBigUint64(0)
    if (found !== BigInt(number)) return null
    const data = value.bytes.slice(NUMBER_BYTES)
    // A writer that lost count uses the same numbers again, and data of before may still lie there.
    return equalBytes(tags[number % RING_SLOTS]!, tagOf(data, this.#engine)) ? data : null
  }

  #cursorOf({ run }: RingHeader, number: number, seq: bigint): string {
    return `${formatHex(this.#tag)}.${formatHex(run)}.${number}.${seq}`
  }

  /** The seq of the header that a cursor comes from; null for a cursor of another ring or run, or without a seq. */
  #knownSeq(cursor: string, header: RingHeader | null): bigint | null {
    const [, ring, run, , seq] = CURSOR.exec(cursor) ?? []
    // A writer that lost count begins a new run, and its seq may begin anew too.
    const isOther = ring !== formatHex(this.#tag) || (header !== null && run !== formatHex(header.run))
    return isOther || seq === undefined ? null : BigInt(seq)
  }

  /** How the header differs from the one that an earlier reader knew; null if it is as new. */
  #lossSince(knownSeq: bigint, header: RingHeader | null): RecordError | null {
    if (header === null) return vanished(0, knownSeq)
    return this.#seq < knownSeq ? rolledBack(0, knownSeq, this.#seq) : null
  }
}

function isVanished(code: RecordErrorCode): boolean {
  return code === 'RECORD_VANISHED'
}

/** Whether a writer that lost count looks like this to a reader that knew more of its record. */
function isRecount(code: RecordErrorCode): boolean {
  return code === 'RECORD_ROLLED_BACK' || code === 'RECORD_SECOND_WRITER'
}
