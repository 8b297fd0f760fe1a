/** Records on Veilid, by a veilid-server of this machine or another (docs/record.md, section 5). */
import type { Duplex } from 'node:stream'
import * as z from '../../schema/zod.ts'
import { formatBase64url } from '../../core/encoding/bytes.ts'
import { LABEL_RECORD_OWNER } from '../../core/labels.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { Clock } from '../../process/pulse.ts'
import { checkSlotCount, JudgedRecord } from '../judged-record.ts'
import type { PollTimes } from '../poll.ts'
import type { KnownSlots, OpenOptions, RecordEngine, RecordLimits, SlotRecord } from '../record-engine.ts'
import { SIGNED_SLOT_HEAD_BYTES } from '../signed-slot.ts'
import { writerOf } from '../writer.ts'
import { RecordError } from '../errors.ts'
import { valueChangeForm, type VeilidUpdate } from './messages.ts'
import { VeilidSession } from './session.ts'
import {
  formatVeilidAddress,
  isVeilidAddress,
  parseRecordKey,
  parseVeilidAddress,
  type VeilidAddress,
} from './veilid-address.ts'
import { errorOf, schemaOf, VeilidRecord } from './veilid-record.ts'

const MAX_SLOTS = 1024 // format: subkeys of a record
const MAX_SUBKEY_BYTES = 32_768 // format: one subkey
const MAX_RECORD_BYTES = 1_048_576 // format: all subkeys of a record
const POLL: PollTimes = { firstMs: 30_000, maxMs: 900_000 } // sanity: watches wake at once, but not for writers at the same node

export interface VeilidEngineOptions {
  /** Opens a connection to veilid-server. @throws {RecordError} RECORD_AWAY */
  readonly dial: () => Promise<Duplex>
  readonly engine: Pick<CryptoEngine, 'sha512' | 'sign' | 'signKeyPair' | 'verify'>
  readonly clock: Clock
  /** Between two looks at a watched slot. */
  readonly poll?: PollTimes
}

interface VeilidOwner {
  readonly publicKey: string
  /** Public key and secret. */
  readonly keyPair: string
}

export class VeilidRecordEngine implements RecordEngine {
  readonly limits: RecordLimits = {
    maxSlots: MAX_SLOTS,
    maxValueBytes: (slots) => Math.min(MAX_SUBKEY_BYTES, Math.floor(MAX_RECORD_BYTES / slots)) - SIGNED_SLOT_HEAD_BYTES,
    // Nodes drop the records that nobody asks for, when they need the room.
    lastsMs: null,
    latency: 'seconds',
  }
  readonly #options: VeilidEngineOptions
  readonly #records = new Set<VeilidRecord>()
  #session: Promise<VeilidSession> | null = null

  constructor(options: VeilidEngineOptions) {
    this.#options = options
  }

  serves(address: string): boolean {
    return isVeilidAddress(address)
  }

  async create(slots: number, writerSeed: Uint8Array): Promise<SlotRecord> {
    checkSlotCount(slots, this.limits)
    const { owner, encryption } = this.#ownerOf(writerSeed)
    const session = await this.session()
    const asking = { schema: schemaOf(slots), owner: owner.publicKey, encryption_key: `VLD0:${encryption}` }
    const answer = await session.ask('GetDhtRecordKey', asking, z.string())
    if ('refusal' in answer) throw errorOf(answer.refusal)
    const key = parseRecordKey(answer.value)
    if (key === null)
      throw new RecordError('RECORD_STRANGE', 'veilid-server gave a record key of another form', 'check its version')
    const address = { ...key, publicKey: this.#options.engine.signKeyPair(writerSeed).publicKey }
    const record = this.#network(address, writerSeed)
    await this.#opened(record, async () => await record.openOrMake(slots))
    return this.#judged(record, address, slots)
  }

  async open(address: string, { writerSeed, known }: OpenOptions): Promise<SlotRecord> {
    const parsed = parseVeilidAddress(address)
    writerOf(writerSeed, parsed.publicKey, this.#options.engine)
    const record = this.#network(parsed, writerSeed)
    const { schema } = await this.#opened(record, async () => await record.open())
    return this.#judged(record, parsed, schema.o_cnt, known)
  }

  /** A record that cannot be opened is closed. */
  async #opened<Result>(record: VeilidRecord, open: () => Promise<Result>): Promise<Result> {
    try {
      return await open()
    } catch (error) {
      await record.close()
      throw error
    }
  }

  /** Ends the connection. Records that are open answer RECORD_AWAY, or begin a new one. */
  async close(): Promise<void> {
    const session = this.#session
    this.#session = null
    await session?.then(
      (begun) => begun.close(),
      () => {},
    )
  }

  /** The session that is open, or a new one. @throws {RecordError} RECORD_AWAY | RECORD_OLD_SERVER | RECORD_STRANGE */
  async session(): Promise<VeilidSession> {
    const begun = this.#session ?? this.#begin()
    this.#session = begun
    try {
      return await begun
    } catch (error) {
      if (this.#session === begun) this.#session = null
      throw error
    }
  }
  async #begin(): Promise<VeilidSession> {
    const stream = await this.#options.dial()
    return await VeilidSession.begin({
      stream,
      clock: this.#options.clock,
      onUpdate: (update) => this.#takeUpdate(update),
      onEnd: () => void (this.#session = null),
    })
  }

  #takeUpdate(update: VeilidUpdate): void {
    const read = valueChangeForm.safeParse(update)
    const opaque = read.success ? parseRecordKey(read.data.key)?.opaque : undefined
    for (const record of this.#records) if (record.opaque === opaque) record.onChange(read.data!.subkeys)
  }

  /** The keys that veilid-server gets to write the record, and to encrypt it. It never gets the one that signs values. */
  #ownerOf(writerSeed: Uint8Array): { readonly owner: VeilidOwner; readonly encryption: string } {
    const { engine } = this.#options
    const secrets = engine.sha512(LABEL_RECORD_OWNER, writerSeed)
    const seed = secrets.subarray(0, 32)
    const publicKey = `VLD0:${formatBase64url(engine.signKeyPair(seed).publicKey)}`
    const owner = { publicKey, keyPair: `${publicKey}:${formatBase64url(seed)}` }
    return { owner, encryption: formatBase64url(secrets.subarray(32)) }
  }

  #network(address: VeilidAddress, writerSeed: Uint8Array | null): VeilidRecord {
    const { engine, clock, poll = POLL } = this.#options
    const record: VeilidRecord = new VeilidRecord({
      address,
      writer:
        writerSeed === null
          ? null
          : { owner: this.#ownerOf(writerSeed).owner.keyPair, secretKey: engine.signKeyPair(writerSeed).secretKey },
      engine,
      session: async () => await this.session(),
      poll: { clock, times: poll },
      onClose: () => {
        this.#records.delete(record)
        // The node has one state for all: another record here may be the same one.
        return ![...this.#records].some(({ opaque }) => opaque === address.opaque)
      },
    })
    this.#records.add(record)
    return record
  }

  #judged(network: VeilidRecord, address: VeilidAddress, slots: number, known?: KnownSlots): SlotRecord {
    return new JudgedRecord({ address: formatVeilidAddress(address), slots, limits: this.limits, network, known })
  }
}
