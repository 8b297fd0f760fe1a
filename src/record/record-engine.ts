/**
 * Records: slots of bytes, all written by the holder of one key and read by whoever knows the address (docs/record.md). An engine keeps them in
 * a network. One contract suite holds every engine: test/contract/record.test.ts.
 */

/** The value of a slot. */
export interface SlotValue {
  /** Grows with each value of the slot, from 0. */
  readonly seq: bigint
  readonly bytes: Uint8Array
}

/** The values that the caller knew of a record, by slot: nothing older is taken for news. */
export type KnownSlots = ReadonlyMap<number, SlotValue>

export interface RecordLimits {
  /** Slots of one record. */
  readonly maxSlots: number
  /** The largest value of a slot, in bytes. @param slots how many slots the record has */
  maxValueBytes(slots: number): number
  /** How long a value lies there at least after `set` or `refresh`, in milliseconds; null if nobody promises a time. */
  readonly lastsMs: number | null
  /** How soon a reader can see a new value. */
  readonly latency: 'instant' | 'seconds' | 'minutes'
}

export interface OpenOptions {
  /** The Ed25519 seed of the writer, 32 bytes; null to read only. */
  readonly writerSeed: Uint8Array | null
  readonly known?: KnownSlots
}

export interface RecordEngine {
  readonly limits: RecordLimits

  /** Whether a text is an address of this engine. */
  serves(address: string): boolean

  /**
   * Makes a record, which is open for writing. The same key and the same number of slots make the same record: one that is there already is opened.
   * @param slots 1 to `limits.maxSlots`
   * @param writerSeed the Ed25519 seed of the writer, 32 bytes
   * @throws {RecordError} RECORD_SLOT | RECORD_AWAY | RECORD_OLD_SERVER | RECORD_STRANGE
   */
  create(slots: number, writerSeed: Uint8Array): Promise<SlotRecord>

  /**
   * Opens a record by its address.
   * @throws {RecordError} RECORD_ADDRESS | RECORD_KEY | RECORD_VANISHED | RECORD_AWAY | RECORD_OLD_SERVER | RECORD_STRANGE
   */
  open(address: string, options: OpenOptions): Promise<SlotRecord>
}

/** An open record. It remembers what it has given, and never gives anything older. */
export interface SlotRecord {
  /** Names the record for other people too. It holds no secret that writes. */
  readonly address: string
  readonly slots: number

  /**
   * The newest value of a slot in the network; null if it has none.
   * @throws {RecordError} RECORD_SLOT | RECORD_FORGED | RECORD_TORN | RECORD_ROLLED_BACK | RECORD_SECOND_WRITER | RECORD_VANISHED | RECORD_AWAY
   *   | RECORD_STRANGE | RECORD_CLOSED
   */
  get(slot: number): Promise<SlotValue | null>

  /**
   * Puts a value into a slot. It reads first, goes above what it finds, and reads back: on return the network has the value. If somebody else
   * has written, it refuses once and knows their value from then on, so that a second call goes above it.
   * @param bytes 0 to `limits.maxValueBytes(slots)` bytes
   * @throws {RecordError} RECORD_SLOT | RECORD_KEY | RECORD_TOO_LARGE | RECORD_FORGED | RECORD_SECOND_WRITER | RECORD_SPENT | RECORD_AWAY
   *   | RECORD_STRANGE | RECORD_CLOSED
   */
  set(slot: number, bytes: Uint8Array): Promise<SlotValue>

  /**
   * Puts the known value of a slot again as it is, so that it lasts. A slot without one stays as it is.
   * @throws {RecordError} as {@link set}, without RECORD_TOO_LARGE
   */
  refresh(slot: number): Promise<void>

  /**
   * Calls back when a slot may have another value than the one that was known, until the signal or {@link close} ends it. It never throws, and
   * goes on while the network is away.
   */
  watch(slots: readonly number[], onNews: (slot: number) => void, signal: AbortSignal): void

  /** Ends watches. The values stay in the network. */
  close(): Promise<void>
}
