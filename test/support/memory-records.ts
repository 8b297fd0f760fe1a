/** Records in memory, for tests: a network that several programs share, and that can be away, lose, change and put back what lies there. */
import { formatHex, parseHex } from '../../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { RecordError } from '../../src/record/errors.ts'
import { checkSlotCount, JudgedRecord, type SlotNetwork } from '../../src/record/judged-record.ts'
import type { OpenOptions, RecordEngine, RecordLimits, SlotRecord } from '../../src/record/record-engine.ts'
import { encodeSignedSlot, openSignedSlot } from '../../src/record/signed-slot.ts'
import { writerOf } from '../../src/record/writer.ts'

const ADDRESS = /^memory:([0-9A-F]{64})\.([1-9][0-9]{0,2})$/
const LIMITS: RecordLimits = { maxSlots: 256, maxValueBytes: () => 16_384, lastsMs: null, latency: 'instant' }

/** The slots in the network, and their watchers. */
export class MemoryRecords {
  isAway = false
  /** The way to the network, and the way back: how long each takes. */
  pause: () => Promise<void> = async () => await Promise.resolve()
  /** Signed slots, by address and slot. */
  readonly slots: Map<string, Uint8Array> = new Map()
  readonly addresses: Set<string> = new Set()
  readonly #watches = new Set<(address: string, slot: number) => void>()

  take(address: string, slot: number): Uint8Array | null {
    this.check()
    return this.slots.get(`${address} ${slot}`) ?? null
  }

  put(address: string, slot: number, signed: Uint8Array): void {
    this.check()
    this.slots.set(`${address} ${slot}`, signed)
    this.addresses.add(address)
    for (const news of this.#watches) news(address, slot)
  }

  watch(news: (address: string, slot: number) => void, signal: AbortSignal): void {
    this.#watches.add(news)
    signal.addEventListener('abort', () => this.#watches.delete(news))
  }

  check(): void {
    if (this.isAway) throw new RecordError('RECORD_AWAY', 'the memory is away', 'wait')
  }
}

/** One program that reaches them. */
export class MemoryRecordEngine implements RecordEngine {
  readonly limits: RecordLimits
  readonly #records: MemoryRecords
  readonly #engine: CryptoEngine

  constructor(records: MemoryRecords, engine: CryptoEngine, latency: RecordLimits['latency'] = 'instant') {
    this.limits = { ...LIMITS, latency }
    this.#records = records
    this.#engine = engine
  }

  serves(address: string): boolean {
    return ADDRESS.test(address)
  }

  async create(slots: number, writerSeed: Uint8Array): Promise<SlotRecord> {
    checkSlotCount(slots, LIMITS)
    const address = `memory:${formatHex(this.#engine.signKeyPair(writerSeed).publicKey)}.${slots}`
    this.#records.check()
    this.#records.addresses.add(address)
    return await this.open(address, { writerSeed })
  }

  async open(address: string, { writerSeed, known }: OpenOptions): Promise<SlotRecord> {
    await Promise.resolve()
    const [, hex, digits] = ADDRESS.exec(address) ?? []
    if (hex === undefined)
      throw new RecordError('RECORD_ADDRESS', 'the text is no address of a record in memory', 'copy it again')
    const publicKey = parseHex(hex)!
    const writer = writerOf(writerSeed, publicKey, this.#engine)
    this.#records.check()
    if (!this.#records.addresses.has(address))
      throw new RecordError('RECORD_VANISHED', 'there is no such record', 'ask its writer')
    return new JudgedRecord({
      address,
      slots: Number(digits),
      limits: LIMITS,
      known,
      network: {
        ...networkOf(this.#records, address, publicKey, writer?.secretKey ?? null, this.#engine),
        // A network that is as slow wakes no reader.
        ...(this.limits.latency === 'minutes' ? { watch: () => {} } : {}),
      },
    })
  }
}

function networkOf(
  records: MemoryRecords,
  address: string,
  publicKey: Uint8Array,
  secretKey: Uint8Array | null,
  engine: CryptoEngine,
): SlotNetwork {
  return {
    read: async (slot) => {
      await records.pause()
      const signed = records.take(address, slot)
      await records.pause()
      if (signed === null) return null
      const refusal = new RecordError('RECORD_FORGED', `slot ${slot} is forged`, 'ask its writer')
      return openSignedSlot(slot, signed, publicKey, engine) ?? { seq: null, refusal }
    },
    write:
      secretKey &&
      (async (slot, value) => {
        await records.pause()
        records.put(address, slot, encodeSignedSlot(slot, value, secretKey, engine))
        await records.pause()
      }),
    watch: (slots, onNews, signal) =>
      records.watch((changed, slot) => {
        if (changed === address && slots.includes(slot)) onNews(slot)
      }, signal),
    close: async () => await Promise.resolve(),
  }
}
