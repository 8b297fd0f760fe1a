/** An open record over any network: it checks what goes in, judges what comes out, and writes one value of a slot at a time. */
import { Serial } from '../process/serial.ts'
import { RecordError } from './errors.ts'
import type { KnownSlots, RecordLimits, SlotRecord, SlotValue } from './record-engine.ts'
import { SlotMemory } from './slot-memory.ts'

/** The bytes in a slot that are no value. Its writer may put another one over it. */
export interface Unreadable {
  /** The seq that it claims; null if nothing shows one. */
  readonly seq: bigint | null
  /** For a reader. */
  readonly refusal: RecordError
}

export type Found = SlotValue | Unreadable | null

/** One open record in its network. Each value that it gives has a good signature of the writer. */
export interface SlotNetwork {
  /** The value with the highest seq that can be found now. @throws {RecordError} */
  read(slot: number): Promise<Found>
  /** Signs a value, and leaves it in the network. Null for a record that was opened to read. @throws {RecordError} */
  readonly write: ((slot: number, value: SlotValue) => Promise<void>) | null
  /** See {@link SlotRecord.watch}. */
  watch(slots: readonly number[], onNews: (slot: number) => void, signal: AbortSignal): void
  close(): Promise<void>
}

export interface JudgedRecordOptions {
  readonly address: string
  readonly slots: number
  readonly limits: RecordLimits
  readonly network: SlotNetwork
  readonly known?: KnownSlots | undefined
}

export class JudgedRecord implements SlotRecord {
  readonly address: string
  readonly slots: number
  readonly #limits: RecordLimits
  readonly #network: SlotNetwork
  readonly #memory: SlotMemory
  readonly #serial = new Serial()
  readonly #closing = new AbortController()

  constructor({ address, slots, limits, network, known }: JudgedRecordOptions) {
    this.address = address
    this.slots = slots
    this.#limits = limits
    this.#network = network
    this.#memory = new SlotMemory(known)
  }

  async get(slot: number): Promise<SlotValue | null> {
    this.#check(slot)
    return await this.#serial.run(async () => {
      const found = readable(await this.#network.read(slot))
      this.#memory.takeRead(slot, found)
      return found
    })
  }

  async set(slot: number, bytes: Uint8Array): Promise<SlotValue> {
    this.#check(slot)
    const write = this.#writer()
    const max = this.#limits.maxValueBytes(this.slots)
    if (bytes.length > max)
      throw new RecordError(
        'RECORD_TOO_LARGE',
        `the value for slot ${slot} has ${bytes.length} bytes`,
        `a slot of this record takes at most ${max}`,
      )
    const copy = bytes.slice()
    return await this.#serial.run(async () => {
      const value = { seq: await this.#lookBeforeWrite(slot), bytes: copy }
      await this.#writeAndLook(slot, value, write)
      return value
    })
  }

  async refresh(slot: number): Promise<void> {
    this.#check(slot)
    const write = this.#writer()
    await this.#serial.run(async () => {
      const known = this.#memory.of(slot)
      if (!known) return
      await this.#lookBeforeWrite(slot)
      await this.#writeAndLook(slot, known, write)
    })
  }

  watch(slots: readonly number[], onNews: (slot: number) => void, signal: AbortSignal): void {
    for (const slot of slots) this.#check(slot)
    this.#network.watch(slots, onNews, AbortSignal.any([signal, this.#closing.signal]))
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    await this.#serial.idle()
    await this.#network.close()
  }

  /** @returns the seq that is free */
  async #lookBeforeWrite(slot: number): Promise<bigint> {
    const found = await this.#network.read(slot)
    return found !== null && 'refusal' in found
      ? this.#memory.takeBeforeWrite(slot, null, found.seq ?? undefined)
      : this.#memory.takeBeforeWrite(slot, found)
  }

  async #writeAndLook(slot: number, value: SlotValue, write: NonNullable<SlotNetwork['write']>): Promise<void> {
    await write(slot, value)
    this.#memory.takeAfterWrite(slot, value, readable(await this.#network.read(slot)))
  }

  #check(slot: number): void {
    if (this.#closing.signal.aborted) throw new RecordError('RECORD_CLOSED', 'the record was closed', 'open it again')
    checkSlot(slot, this.slots)
  }

  #writer(): NonNullable<SlotNetwork['write']> {
    if (this.#network.write !== null) return this.#network.write
    throw new RecordError('RECORD_KEY', 'the record was opened without the key that writes it', 'open it with its key')
  }
}

/** @throws {RecordError} the refusal of what is no value */
export function readable(found: Found): SlotValue | null {
  if (found !== null && 'refusal' in found) throw found.refusal
  return found
}

/** @throws {RecordError} RECORD_SLOT */
function checkSlot(slot: number, slots: number): void {
  if (Number.isInteger(slot) && slot >= 0 && slot < slots) return
  throw new RecordError('RECORD_SLOT', `the record has no slot ${slot}`, `name a slot from 0 to ${slots - 1}`)
}

/** @throws {RecordError} RECORD_SLOT */
export function checkSlotCount(slots: number, { maxSlots }: RecordLimits): void {
  if (Number.isInteger(slots) && slots >= 1 && slots <= maxSlots) return
  throw new RecordError('RECORD_SLOT', `a record cannot have ${slots} slots`, `choose 1 to ${maxSlots}`)
}
