/** The records of a carrier that are open: own rings, rings of peers, and meeting places, each opened once. */
import { encodeUtf8 } from '../../../core/encoding/bytes.ts'
import { LABEL_CHANNEL_INTAKE, LABEL_CHANNEL_RING } from '../../../core/labels.ts'
import type { RecordEngine, SlotRecord } from '../../../record/record-engine.ts'
import type { Place } from '../carrier.ts'
import { CarrierError } from '../errors.ts'
import { Meeting, MEETING_SLOTS } from './meeting.ts'
import { OwnRing, type RingEngine } from './own-ring.ts'
import { PeerRing } from './peer-ring.ts'
import { RECORD_SLOTS } from './ring-header.ts'

const SEED_BYTES = 32
const MAX_OPEN = 1024 // sanity: of each kind; a peer may name ever new rings

/** Records of one kind, by URL; the one opened last is last. */
type Opened<Value> = Map<string, Promise<Value>>

export class OpenRecords {
  readonly #records: RecordEngine
  readonly #engine: RingEngine
  readonly #own: Opened<OwnRing> = new Map()
  readonly #peers: Opened<PeerRing> = new Map()
  readonly #meetings: Opened<Meeting> = new Map()

  constructor(records: RecordEngine, engine: RingEngine) {
    this.#records = records
    this.#engine = engine
  }

  /** Makes the record of a new place. @throws {RecordError} @throws {CarrierError} CARRIER_DENIED */
  async make(secret: Place['secret']): Promise<SlotRecord> {
    return await this.#records.create(RECORD_SLOTS, this.#seed(LABEL_CHANNEL_RING, bytesOf(secret)))
  }

  /** @throws {RecordError} @throws {CarrierError} CARRIER_DENIED */
  async own(url: string, { address, secret }: Place): Promise<OwnRing> {
    return await kept(this.#own, url, async () => new OwnRing(await this.make(secret), address.pub, this.#engine))
  }

  /** @param pub the key of the peer's place */
  async peer(url: string, pub: Uint8Array): Promise<PeerRing> {
    const open = async (): Promise<SlotRecord> => await this.#records.open(url, { writerSeed: null })
    return await kept(this.#peers, url, async () => await Promise.resolve(new PeerRing(open, url, pub, this.#engine)))
  }

  /** @param url of the host's ring @param pub the key of the invite's place @throws {RecordError} */
  async meeting(url: string, pub: Uint8Array): Promise<Meeting> {
    return await kept(this.#meetings, url, async () => {
      const seed = this.#seed(LABEL_CHANNEL_INTAKE, pub, encodeUtf8(url))
      return new Meeting(await this.#records.create(MEETING_SLOTS, seed))
    })
  }

  async forget(url: string): Promise<void> {
    await Promise.all([drop(this.#own, url), drop(this.#peers, url), drop(this.#meetings, url)])
  }

  /** Closes all of them, and keeps no key. */
  async close(): Promise<void> {
    await Promise.all([dropAll(this.#own), dropAll(this.#peers), dropAll(this.#meetings)])
  }

  #seed(label: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
    return this.#engine.sha512(label, ...parts).subarray(0, SEED_BYTES)
  }
}

/** @throws {CarrierError} CARRIER_DENIED */
function bytesOf(secret: Place['secret']): Uint8Array {
  if (secret instanceof Uint8Array) return secret
  throw new CarrierError('CARRIER_DENIED', 'the key of the place cannot be read, and its record needs it', {
    hint: 'use a folder or a relay here',
  })
}

interface Closable {
  close(): Promise<void>
}

async function kept<Value extends Closable>(
  map: Opened<Value>,
  url: string,
  open: () => Promise<Value>,
): Promise<Value> {
  const known = map.get(url)
  if (known !== undefined) return await known
  if (map.size >= MAX_OPEN) await drop(map, map.keys().next().value!)
  const opening = open()
  map.set(url, opening)
  try {
    return await opening
  } catch (error) {
    // A record that could not be opened now is opened again.
    map.delete(url)
    throw error
  }
}

async function dropAll<Value extends Closable>(map: Opened<Value>): Promise<void> {
  await Promise.all([...map.keys()].map(async (url) => await drop(map, url)))
}

async function drop<Value extends Closable>(map: Opened<Value>, url: string): Promise<void> {
  const opening = map.get(url)
  map.delete(url)
  // One that could not be opened needs no closing.
  await opening?.then(
    async (value) => await value.close(),
    () => {},
  )
}
