/** One record at a node of Veilid. The node may have closed it meanwhile: then it is opened again, once for each call. */
import * as z from '../../schema/zod.ts'
import { equalBytes, formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Clock } from '../../process/pulse.ts'
import { RecordError } from '../errors.ts'
import type { Found, SlotNetwork } from '../judged-record.ts'
import { pollSlots, type PollTimes } from '../poll.ts'
import type { SlotValue } from '../record-engine.ts'
import { encodeSignedSlot, openSignedSlot } from '../signed-slot.ts'
import type { Fields } from './connection.ts'
import { descriptorForm, valueDataForm, type Descriptor, type ValueChange } from './messages.ts'
import type { Refusal, VeilidSession } from './session.ts'
import { formatRecordKey, parseRecordKey, type VeilidAddress } from './veilid-address.ts'

const MAX_SETS = 3 // sanity: the first may meet a newer value of the network, and then the node knows it
/** Another client of the node may have closed the record, for all. */
const NOT_OPEN = 'record not open'
const AWAY: ReadonlySet<string> = new Set(['TryAgain', 'Timeout', 'NoConnection', 'NotInitialized', 'Shutdown'])

export interface VeilidRecordOptions {
  readonly address: VeilidAddress
  /** Null to read only. */
  readonly writer: {
    /** The key pair of the record's owner, as veilid-server writes it. */
    readonly owner: string
    /** Signs values; veilid-server never gets it. */
    readonly secretKey: Uint8Array
  } | null
  readonly engine: Pick<CryptoEngine, 'sign' | 'verify'>
  readonly session: () => Promise<VeilidSession>
  readonly poll: { readonly clock: Clock; readonly times: PollTimes }
  /** @returns whether the node may close the record, too */
  readonly onClose: () => boolean
}

export class VeilidRecord implements SlotNetwork {
  readonly opaque: string
  readonly write: SlotNetwork['write']
  readonly #options: VeilidRecordOptions
  readonly #key: string
  /** Signed slots, as the node gave them last. */
  readonly #lastRead = new Map<number, Uint8Array>()
  readonly #watches = new Set<{ readonly slots: readonly number[]; readonly onNews: (slot: number) => void }>()
  /** How many the record has; 0 before it was opened. */
  #slots = 0
  /** Where the record is open; null after the node closed it. */
  #openAt: VeilidSession | null = null

  constructor(options: VeilidRecordOptions) {
    this.#options = options
    this.opaque = options.address.opaque
    this.#key = formatRecordKey(options.address)
    this.write = options.writer === null ? null : async (slot, value) => await this.#write(slot, value)
  }

  /** @throws {RecordError} RECORD_VANISHED | RECORD_AWAY | RECORD_OLD_SERVER | RECORD_STRANGE */
  async open(): Promise<Descriptor> {
    const session = await this.#options.session()
    const opening = { key: this.#key, writer: this.#options.writer?.owner ?? null }
    const answer = await session.call('OpenDhtRecord', opening, descriptorForm)
    if ('refusal' in answer) throw errorOf(answer.refusal)
    this.#openAt = session
    this.#slots = answer.value.schema.o_cnt
    await this.#watchAtNode()
    return answer.value
  }

  async read(slot: number): Promise<Found> {
    const value = await this.#call('GetDhtValue', { subkey: slot, force_refresh: true }, valueDataForm)
    this.#lastRead.delete(slot)
    if (value === null) return null
    const signed = parseBase64url(value.data)
    if (signed === null)
      throw new RecordError('RECORD_STRANGE', 'veilid-server gave a value that is no base64url', 'check its version')
    this.#lastRead.set(slot, signed)
    return this.#valueOf(slot, signed) ?? { seq: null, refusal: forged(slot) }
  }

  watch(slots: readonly number[], onNews: (slot: number) => void, signal: AbortSignal): void {
    const watch = { slots, onNews }
    this.#watches.add(watch)
    signal.addEventListener('abort', () => this.#watches.delete(watch))
    // Without the node, the polls try again.
    void this.#watchAtNode().catch(() => {})
    pollSlots(slots, { ...this.#options.poll, read: async (slot) => await this.read(slot) }, onNews, signal)
  }

  /** @param ranges of changed slots; none when the node's watch has ended */
  onChange(ranges: ValueChange['subkeys']): void {
    for (const { slots, onNews } of this.#watches)
      for (const slot of slots) if (ranges.some(([low, high]) => slot >= low && slot <= high)) onNews(slot)
    if (ranges.length === 0) void this.#watchAtNode().catch(() => {})
  }

  async close(): Promise<void> {
    const session = this.#openAt
    this.#openAt = null
    if (!this.#options.onClose() || session === null || session.isOver) return
    // The answer of the node changes nothing: an open record that nobody uses costs it little.
    await session.call('CloseDhtRecord', { key: this.#key }, z.null()).catch(() => {})
  }

  async #write(slot: number, value: SlotValue): Promise<void> {
    const { writer, engine } = this.#options
    const signed = encodeSignedSlot(slot, value, writer!.secretKey, engine)
    const known = this.#lastRead.get(slot)
    // The node sends nothing that it has. It looks what the network lacks when the record is opened.
    if (known !== undefined && equalBytes(known, signed)) return void (await this.open())
    const setting = {
      subkey: slot,
      data: formatBase64url(signed),
      options: { writer: writer!.owner, allow_offline: false },
    }
    for (let sets = 0; sets < MAX_SETS; sets++) {
      const newer = await this.#call('SetDhtValue', setting, valueDataForm)
      if (newer === null) return
      const found = this.#valueOf(slot, parseBase64url(newer.data) ?? new Uint8Array())
      // Whoever reads back gives the verdict.
      if (found !== null && found.seq >= value.seq) return
    }
  }

  #valueOf(slot: number, signed: Uint8Array): SlotValue | null {
    return openSignedSlot(slot, signed, this.#options.address.publicKey, this.#options.engine)
  }

  /** Calls an operation on the open record, at most twice. Each operation may be repeated without harm. @throws {RecordError} */
  async #call<Value>(op: string, parameters: Fields, form: z.ZodType<Value>): Promise<Value> {
    for (let isAgain = false; ; isAgain = true) {
      if (this.#openAt === null || this.#openAt.isOver) await this.openOrMake()
      const session = this.#openAt!
      try {
        const answer = await session.call(op, { key: this.#key, ...parameters }, form)
        if ('value' in answer) return answer.value
        if (isAgain || answer.refusal.message !== NOT_OPEN) throw errorOf(answer.refusal)
        this.#openAt = null
      } catch (error) {
        // The node has started anew meanwhile, perhaps.
        if (isAgain || !session.isOver) throw error
      }
    }
  }

  /**
   * Opens the record. Its writer makes it if neither the node nor the network has it.
   * @throws {RecordError} as {@link open}
   */
  async openOrMake(slots: number = this.#slots): Promise<void> {
    try {
      await this.open()
    } catch (error) {
      const { writer } = this.#options
      if (writer === null || !(error instanceof RecordError) || error.code !== 'RECORD_VANISHED') throw error
      await this.#make(writer.owner, slots)
      await this.open()
    }
  }

  /** The same owner and schema give the same record key. Opening it by our address has the node encrypt with our key. */
  async #make(owner: string, slots: number): Promise<void> {
    const session = await this.#options.session()
    const making = { kind: 'VLD0', schema: schemaOf(slots), owner }
    const answer = await session.call('CreateDhtRecord', making, descriptorForm)
    if ('refusal' in answer) throw errorOf(answer.refusal)
    if (parseRecordKey(answer.value.key)?.opaque === this.opaque) return
    throw new RecordError('RECORD_STRANGE', 'veilid-server made another record for the same key', 'check its version')
  }

  async #watchAtNode(): Promise<void> {
    if (this.#watches.size === 0 || this.#openAt === null || this.#openAt.isOver) return
    const all = { key: this.#key, subkeys: null, expiration: null, count: null }
    await this.#openAt.call('WatchDhtValues', all, z.boolean())
  }
}

function forged(slot: number): RecordError {
  return new RecordError(
    'RECORD_FORGED',
    `slot ${slot} holds what its writer has not signed`,
    'the node or the network has changed it; wait until its writer puts it again',
  )
}

/** One subkey a slot, all of the owner. */
export function schemaOf(slots: number): Descriptor['schema'] {
  return { kind: 'DFLT', o_cnt: slots }
}

/** The meaning of a refusal of veilid-server for a record. */
export function errorOf({ kind, message }: Refusal): RecordError {
  if (kind === 'KeyNotFound')
    return new RecordError('RECORD_VANISHED', 'Veilid knows no such record', 'ask its writer to put it again')
  const text = `veilid-server refused: ${kind}${message === '' ? '' : `, ${message}`}`
  if (AWAY.has(kind)) return new RecordError('RECORD_AWAY', text, 'wait until veilid-server has its network')
  return new RecordError('RECORD_STRANGE', text, 'check the log of veilid-server')
}
