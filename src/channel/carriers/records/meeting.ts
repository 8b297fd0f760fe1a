/**
 * The meeting place of an invite: a record of four slots whose key everybody can compute who has the invite's address. Each guest leaves its first
 * message in the first empty slot, after the tag of its ring (docs/channel.md, section 13).
 */
import { concatBytes, equalBytes } from '../../../core/encoding/bytes.ts'
import { RecordError, type RecordErrorCode } from '../../../record/errors.ts'
import type { SlotRecord, SlotValue } from '../../../record/record-engine.ts'
import type { Arrival } from '../carrier.ts'
import { TAG_BYTES } from './ring-header.ts'

export const MEETING_SLOTS = 4 // format: guests of one invite at a time
const SLOTS: readonly number[] = Array.from({ length: MEETING_SLOTS }, (_, slot) => slot)
const SEEN = /^[0-3]\.(?:0|[1-9][0-9]{0,18})$/
const NOTHING: Uint8Array = new Uint8Array()
/** Guests share one key, so one of them can do this to the slot of another. Other slots still work. */
const OF_ONE_SLOT: ReadonlySet<RecordErrorCode> = new Set([
  'RECORD_TORN',
  'RECORD_VANISHED',
  'RECORD_ROLLED_BACK',
  'RECORD_SECOND_WRITER',
])

export class Meeting {
  readonly #record: SlotRecord

  constructor(record: SlotRecord) {
    this.#record = record
  }

  /** @param guest the tag of the guest's ring @returns false if all slots are taken @throws {RecordError} */
  async send(guest: Uint8Array, data: Uint8Array): Promise<boolean> {
    const left = concatBytes(guest, data)
    const lying = await this.#lying()
    const own = lying.findIndex((value) => value !== null && equalBytes(value.bytes, left))
    if (own !== -1) {
      await this.#record.refresh(own)
      return true
    }
    for (const slot of SLOTS) if (isEmpty(lying[slot]) && (await this.#take(slot, left))) return true
    return false
  }

  /** First messages that the cursor does not name. @throws {RecordError} */
  async receive(cursor: string): Promise<Arrival[]> {
    const named = new Set(cursor.split(',').filter((name) => SEEN.test(name)))
    const found = (await this.#lying()).flatMap((value, slot) =>
      value === null || isEmpty(value) ? [] : [{ data: value.bytes.slice(TAG_BYTES), name: `${slot}.${value.seq}` }],
    )
    const seen = found.flatMap(({ name }) => (named.has(name) ? [name] : []))
    return found
      .filter(({ name }) => !named.has(name))
      .map(({ data, name }) => {
        seen.push(name)
        return { data, cursor: seen.join(',') }
      })
  }

  /**
   * Clears away what a guest has left and does not need any more.
   * @returns whether nothing of it lies there now
   * @throws {RecordError}
   */
  async clear(guest: Uint8Array, isNeeded: (data: Uint8Array) => boolean): Promise<boolean> {
    let isClean = true
    for (const [slot, value] of (await this.#lying()).entries()) {
      if (isEmpty(value) || !equalBytes(value!.bytes.subarray(0, TAG_BYTES), guest)) continue
      if (isNeeded(value!.bytes.subarray(TAG_BYTES))) isClean = false
      else await this.#record.set(slot, NOTHING)
    }
    return isClean
  }

  watch(onNews: () => void, signal: AbortSignal): void {
    this.#record.watch(SLOTS, onNews, signal)
  }

  async close(): Promise<void> {
    await this.#record.close()
  }

  async #lying(): Promise<(SlotValue | null)[]> {
    return await Promise.all(
      SLOTS.map(async (slot) => {
        try {
          return await this.#record.get(slot)
        } catch (error) {
          if (error instanceof RecordError && OF_ONE_SLOT.has(error.code)) return null
          throw error
        }
      }),
    )
  }

  /** @returns false if another guest was quicker */
  async #take(slot: number, left: Uint8Array): Promise<boolean> {
    try {
      await this.#record.set(slot, left)
      return true
    } catch (error) {
      if (error instanceof RecordError && OF_ONE_SLOT.has(error.code)) return false
      throw error
    }
  }
}

/** A slot holds nothing, or too little for a first message. */
function isEmpty(value: SlotValue | null | undefined): boolean {
  return !value || value.bytes.length <= TAG_BYTES
}
