/** Records on the Mainline DHT: a signed value for each part of each slot (docs/record.md, section 6). */
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Clock } from '../../process/pulse.ts'
import { checkSlotCount, JudgedRecord } from '../judged-record.ts'
import type { PollTimes } from '../poll.ts'
import type { OpenOptions, RecordEngine, RecordLimits, SlotRecord } from '../record-engine.ts'
import { writerOf } from '../writer.ts'
import { formatDhtAddress, isDhtAddress, parseDhtAddress } from './dht-address.ts'
import { DhtRecord, type DhtValues } from './dht-record.ts'
import { MAX_PARTS, PART_BYTES } from './parts.ts'

const POLL: PollTimes = { firstMs: 10_000, maxMs: 900_000 } // sanity: a lookup is some 30 packets; after a quiet hour one in 15 minutes will do
const HOUR_MS = 3_600_000
const LIMITS: RecordLimits = {
  maxSlots: 256, // format: a salt has one byte for the slot
  maxValueBytes: () => MAX_PARTS * PART_BYTES,
  lastsMs: 2 * HOUR_MS, // format: BEP 44 lets nodes forget a value after two hours
  latency: 'minutes',
}

export interface DhtEngineOptions {
  /** The client of the DHT, or the way to one. */
  readonly values: DhtValues
  readonly engine: Pick<CryptoEngine, 'sha256' | 'sign' | 'signKeyPair'>
  readonly clock: Clock
  /** Between two looks at a watched slot. */
  readonly poll?: PollTimes
}

export class DhtRecordEngine implements RecordEngine {
  readonly limits: RecordLimits = LIMITS
  readonly #options: DhtEngineOptions

  constructor(options: DhtEngineOptions) {
    this.#options = options
  }

  serves(address: string): boolean {
    return isDhtAddress(address)
  }

  /** A record is its key: nothing is sent before the first value. */
  async create(slots: number, writerSeed: Uint8Array): Promise<SlotRecord> {
    checkSlotCount(slots, LIMITS)
    const { publicKey } = this.#options.engine.signKeyPair(writerSeed)
    return await this.open(formatDhtAddress({ publicKey, slots }), { writerSeed })
  }

  async open(address: string, { writerSeed, known }: OpenOptions): Promise<SlotRecord> {
    const { values, engine, clock, poll = POLL } = this.#options
    const { publicKey, slots } = await Promise.resolve(parseDhtAddress(address, LIMITS.maxSlots))
    const writer = writerOf(writerSeed, publicKey, engine)
    const secretKey = writer?.secretKey ?? null
    const network = new DhtRecord({ publicKey, secretKey, values, engine, poll: { clock, times: poll } })
    return new JudgedRecord({ address, slots, limits: LIMITS, network, known })
  }
}
