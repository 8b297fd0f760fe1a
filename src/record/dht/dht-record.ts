/** One record on the DHT. A slot holds the parts of its value under salts of their own, all with the seq of the value. */
import {
  bencodeValue,
  signedValueMessage,
  valueOf,
  type SignedValue,
  type ValuePlace,
} from '../../core/announce/signed-value.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { GetReport, PutReport } from '../../dht/order.ts'
import { PersonadError } from '../../errors/personad-error.ts'
import type { Clock } from '../../process/pulse.ts'
import { RecordError } from '../errors.ts'
import type { Found, SlotNetwork } from '../judged-record.ts'
import { pollSlots, type PollTimes } from '../poll.ts'
import type { SlotValue } from '../record-engine.ts'
import { cutIntoParts, joinParts, parsePart, type Part } from './parts.ts'

const PARTS_AT_ONCE = 4 // sanity: the closest nodes of the parts are the same ones now and then, and verify each value

/** Signed values on the DHT. Each value that it gives has a good signature. */
export interface DhtValues {
  /** @throws {PersonadError} while the DHT cannot be asked */
  get(place: ValuePlace): Promise<GetReport>
  /** @throws {PersonadError} while the DHT cannot be asked */
  put(signed: SignedValue): Promise<PutReport>
}

export interface DhtRecordOptions {
  readonly publicKey: Uint8Array
  /** Null to read only. */
  readonly secretKey: Uint8Array | null
  readonly values: DhtValues
  readonly engine: Pick<CryptoEngine, 'sha256' | 'sign'>
  readonly poll: { readonly clock: Clock; readonly times: PollTimes }
}

export class DhtRecord implements SlotNetwork {
  readonly write: SlotNetwork['write']
  readonly #options: DhtRecordOptions

  constructor(options: DhtRecordOptions) {
    this.#options = options
    const { secretKey } = options
    this.write = secretKey && (async (slot, value) => await this.#write(slot, value, secretKey))
  }

  async read(slot: number): Promise<Found> {
    const found = (await this.#values(slot, 0))[0]
    if (found === undefined) return null
    const { seq } = found
    const first = partOf(found)
    const indexes = Array.from({ length: (first?.count ?? 1) - 1 }, (_, i) => i + 1)
    const others = await inTurn(indexes, async (index) => await this.#part(slot, index, seq))
    const bytes = joinParts([first, ...others], this.#options.engine)
    return bytes === null ? { seq, refusal: torn(slot) } : { seq, bytes }
  }

  watch(slots: readonly number[], onNews: (slot: number) => void, signal: AbortSignal): void {
    pollSlots(slots, { ...this.#options.poll, read: async (slot) => await this.read(slot) }, onNews, signal)
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  /** The first part goes last: who reads it finds the others. */
  async #write(slot: number, { seq, bytes }: SlotValue, secretKey: Uint8Array): Promise<void> {
    const [first, ...others] = cutIntoParts(bytes, this.#options.engine).map((part, index) => {
      const unsigned = { ...this.#placeOf(slot, index), seq, bencoded: bencodeValue(part) }
      return { ...unsigned, signature: this.#options.engine.sign(signedValueMessage(unsigned), secretKey) }
    })
    await inTurn(others, async (part) => await this.#put(slot, part))
    await this.#put(slot, first!)
  }

  async #put(slot: number, signed: SignedValue): Promise<void> {
    const { nodesHold } = await asked(async () => await this.#options.values.put(signed))
    if (nodesHold > 0) return
    throw new RecordError(
      'RECORD_AWAY',
      `no node of the DHT keeps the new value of slot ${slot}`,
      'try again later; the nodes may have another value of the same seq',
    )
  }

  /** The part of a value, at this index; null if no node has it. */
  async #part(slot: number, index: number, seq: bigint): Promise<Part | null> {
    const found = (await this.#values(slot, index)).find((signed) => signed.seq === seq)
    return found === undefined ? null : partOf(found)
  }

  /** All values of a place, the highest seq first; where some have the same, the one that most nodes have. */
  async #values(slot: number, index: number): Promise<SignedValue[]> {
    const { values, nodesAnswered } = await asked(
      async () => await this.#options.values.get(this.#placeOf(slot, index)),
    )
    if (nodesAnswered === 0)
      throw new RecordError('RECORD_AWAY', 'no node of the DHT answers', 'check the connection to the Internet')
    return values.map(({ signed }) => signed)
  }

  #placeOf(slot: number, index: number): ValuePlace {
    return { publicKey: this.#options.publicKey, salt: Uint8Array.of(slot, index) }
  }
}

/** A few at a time. @returns the results in the order of the items */
async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += PARTS_AT_ONCE)
    results.push(...(await Promise.all(items.slice(at, at + PARTS_AT_ONCE).map(work))))
  return results
}

function partOf(signed: SignedValue): Part | null {
  const value = valueOf(signed)
  return value && parsePart(value)
}

/** @throws {RecordError} RECORD_AWAY */
async function asked<Report>(order: () => Promise<Report>): Promise<Report> {
  try {
    return await order()
  } catch (cause) {
    if (!(cause instanceof PersonadError)) throw cause
    const message = `the DHT cannot be asked now: ${cause.message}`
    throw new RecordError('RECORD_AWAY', message, cause.hint ?? 'try again later', { cause })
  }
}

function torn(slot: number): RecordError {
  return new RecordError(
    'RECORD_TORN',
    `the parts in slot ${slot} do not fit together`,
    'the value is being written, or parts of it are lost; try again later',
  )
}
