/** The ring of one own place: what this end sends from there, and how far it has read others. One change at a time. */
import { concatBytes, encodeUtf8, equalBytes, u64be } from '../../../core/encoding/bytes.ts'
import { Serial } from '../../../process/serial.ts'
import { isLoss, nullIf, RecordError, type RecordErrorCode } from '../../../record/errors.ts'
import type { SlotRecord, SlotValue } from '../../../record/record-engine.ts'
import {
  ackOf,
  headerKey,
  liveNumbers,
  MAX_ACKS,
  openHeader,
  RING_SLOTS,
  RUN_BYTES,
  sealHeader,
  slotOf,
  TAG_BYTES,
  tagOf,
  type HeaderEngine,
  type RingAck,
  type RingHeader,
} from './ring-header.ts'

export interface RingEngine extends HeaderEngine {
  randomBytes(length: number): Uint8Array
}

/** Names a ring in acks and cursors. */
export function ringTag(address: string, engine: Pick<HeaderEngine, 'sha512'>): Uint8Array {
  return engine.sha512(encodeUtf8(address)).subarray(0, TAG_BYTES)
}

export class OwnRing {
  readonly #record: SlotRecord
  readonly #engine: RingEngine
  readonly #key: Uint8Array
  readonly #tag: Uint8Array
  readonly #serial = new Serial()
  #header: RingHeader | null = null

  /** @param pub the key of the place */
  constructor(record: SlotRecord, pub: Uint8Array, engine: RingEngine) {
    this.#record = record
    this.#engine = engine
    this.#key = headerKey(pub, encodeUtf8(record.address), engine)
    this.#tag = ringTag(record.address, engine)
  }

  /**
   * Puts data into the next slot. Data that lies there already, and that the peer has not passed, is put again as it is.
   * @param peer the header of the peer's ring, with its acks; null if it has none yet
   * @returns false while the next slot holds a frame that the peer has not read
   * @throws {RecordError}
   */
  async send(data: Uint8Array, peer: RingHeader | null): Promise<boolean> {
    return await this.#serial.run(async () => {
      const found = await this.#load()
      const acked = this.#readBy(peer, found)
      const [header, read] = acked > found.last ? [this.#first(), 0] : [found, acked]
      const tag = tagOf(data, this.#engine)
      const lying = liveNumbers(header).find((number) => equalBytes(header.tags[number % RING_SLOTS]!, tag))
      if (lying !== undefined && lying > read) {
        await this.#record.set(slotOf(lying), slotValue(lying, data))
        await this.#record.refresh(0)
        return true
      }
      const number = header.last + 1
      const isFree = header.tags[number % RING_SLOTS] === null || number - RING_SLOTS <= read
      if (!isFree) return false
      // The header first: where a copy of this state writes too, the frames that lie there stay whole.
      await this.#store({ ...header, last: number, tags: header.tags.with(number % RING_SLOTS, tag) })
      await this.#record.set(slotOf(number), slotValue(number, data))
      return true
    })
  }

  /**
   * Begins a new run with all that lies there, if the peer has read more than the header names: it has seen a newer one, which the network took back
   * while nobody knew it here. Its numbers go on, so the peer would pass by what was sent since.
   * @throws {RecordError}
   */
  async renew(peer: RingHeader): Promise<void> {
    await this.#serial.run(async () => {
      const header = await this.#found()
      if (header === null || this.#readBy(peer, header) <= header.last) return
      await this.#store({ ...header, run: this.#engine.randomBytes(RUN_BYTES) })
    })
  }

  /**
   * Whether the network has lost the header that names data which the peer has not read. Then the header lies there again, and the data is to be
   * sent again.
   * @throws {RecordError}
   */
  async isLost(peer: RingHeader | null): Promise<boolean> {
    return await this.#serial.run(async () => {
      const header = await this.#found()
      if (header === null || this.#readBy(peer, header) >= header.last) return false
      const isGone = (code: RecordErrorCode): boolean => isLoss(code) || code === 'RECORD_ROLLED_BACK'
      if ((await nullIf(isGone, async () => await this.#record.get(0))) !== null) return false
      await this.#record.refresh(0)
      return true
    })
  }

  /** Frees all slots but those of data in flight, and the newest. @throws {RecordError} */
  async settle(stillInFlight: readonly Uint8Array[]): Promise<void> {
    await this.#serial.run(async () => {
      const header = await this.#load()
      const inFlight = stillInFlight.map((data) => tagOf(data, this.#engine))
      const isNeeded = (tag: Uint8Array | null, slot: number): boolean =>
        tag !== null && (slot === header.last % RING_SLOTS || inFlight.some((other) => equalBytes(tag, other)))
      const tags = header.tags.map((tag, slot) => (isNeeded(tag, slot) ? tag : null))
      if (tags.some((tag, slot) => tag !== header.tags[slot])) await this.#store({ ...header, tags })
    })
  }

  /**
   * Writes a new header where none lies that can be read.
   * @param isAgain whether to put one that could be read again as it is: the network may have put it back since
   * @throws {RecordError}
   */
  async mend(isAgain: boolean): Promise<void> {
    await this.#serial.run(async () => {
      if ((await this.#found()) === null) await this.#store(this.#first())
      else if (isAgain) await this.#record.refresh(0)
    })
  }

  /** Tells the writer of a ring how far it was read. @throws {RecordError} */
  async ack(ack: RingAck): Promise<void> {
    await this.#serial.run(async () => {
      const header = await this.#load()
      if (ackOf(header, ack) >= ack.number) return
      const others = header.acks.filter(({ ring }) => !equalBytes(ring, ack.ring))
      await this.#store({ ...header, acks: [ack, ...others].slice(0, MAX_ACKS) })
    })
  }

  /** Says that this place takes nothing more. @throws {RecordError} */
  async retire(): Promise<void> {
    await this.#serial.run(async () => {
      const header = await this.#load()
      if (!header.isRetired) await this.#store({ ...header, isRetired: true })
    })
  }

  /** Leaves nothing but the word that the place is retired. @throws {RecordError} */
  async empty(): Promise<void> {
    await this.#serial.run(async () => {
      const header = await this.#load()
      await this.#store({ ...header, isRetired: true, tags: header.tags.map(() => null), acks: [] })
    })
  }

  async close(): Promise<void> {
    await this.#record.close()
  }

  /** How far the peer has read this run. */
  #readBy(peer: RingHeader | null, { run }: RingHeader): number {
    return peer === null ? 0 : ackOf(peer, { ring: this.#tag, run })
  }

  async #load(): Promise<RingHeader> {
    return (await this.#found()) ?? this.#first()
  }

  /** Null where none lies that can be read. */
  async #found(): Promise<RingHeader | null> {
    if (this.#header !== null) return this.#header
    const value = await nullIf(isLoss, async () => await this.#newest())
    this.#header = value && openHeader(value.bytes, this.#key, this.#engine)
    return this.#header
  }

  /** The network may have taken back the header while a newer one was written. Then the last one that it had is put again. */
  async #newest(): Promise<SlotValue | null> {
    try {
      return await this.#record.get(0)
    } catch (error) {
      if (!(error instanceof RecordError && error.code === 'RECORD_ROLLED_BACK')) throw error
      await this.#record.refresh(0)
      return await this.#record.get(0)
    }
  }

  /** Counts from 1, and says so by a new run. Nothing that lay there is needed: the channel repeats what its peer has not. */
  #first(): RingHeader {
    const [run, tags] = [this.#engine.randomBytes(RUN_BYTES), Array.from({ length: RING_SLOTS }, () => null)]
    return { isRetired: false, run, last: 0, tags, acks: [] }
  }

  async #store(header: RingHeader): Promise<void> {
    const nonce = this.#engine.randomBytes(24)
    try {
      await this.#record.set(0, sealHeader(header, this.#key, nonce, this.#engine))
      this.#header = header
    } catch (error) {
      // Either header may be there now.
      this.#header = null
      throw error
    }
  }
}

/** A frame in its slot, with its number: a slot that was used again is known by it. */
function slotValue(number: number, data: Uint8Array): Uint8Array {
  return concatBytes(u64be(number), data)
}
