/**
 * One node of Veilid: its own store of records, the records that are open, and the watches. All of them belong to the node, and not to a
 * connection. A restart closes records and ends watches, and keeps the store.
 */
import { createHash, randomBytes } from 'node:crypto'
import { formatBase64url } from '../../../src/core/encoding/bytes.ts'
import {
  formatKey,
  formatRecordKey,
  generic,
  notFound,
  slotsOf,
  tryAgain,
  VeilidRefusal,
  writerOfSubkey,
  type Ranges,
  type VeilidKeyPair,
  type VeilidRecordKey,
  type VeilidSchema,
} from './forms.ts'
import { isSameData, type NetworkNode, type StoredRecord, type StoredValue, type VeilidNetwork } from './network.ts'

const MAX_VALUE_BYTES = 32_768
const MAX_RECORD_BYTES = 1_048_576
const ENDLESS = 0xffff_ffff
type Fields = Readonly<Record<string, unknown>>

interface Opened {
  readonly writer: VeilidKeyPair | null
  readonly key: VeilidRecordKey
}

interface Watch {
  ranges: Ranges
  count: number
}

interface LocalRecord extends StoredRecord {
  readonly offline: Set<number>
}

export class VeilidNode implements NetworkNode {
  isOnline = true
  readonly local: Map<string, LocalRecord> = new Map()
  readonly #network: VeilidNetwork
  readonly #opened = new Map<string, Opened>()
  readonly #watches = new Map<string, Watch>()
  /** One for each connection: an update goes to all of them. */
  readonly listeners: Set<(update: Fields) => void> = new Set()

  constructor(network: VeilidNetwork) {
    this.#network = network
    network.nodes.add(this)
  }

  restart(): void {
    this.#opened.clear()
    this.#watches.clear()
  }

  /** Sends what it could not send before. */
  goOnline(): null {
    this.isOnline = true
    for (const [opaque, record] of this.local) this.#flush(opaque, record)
    return null
  }

  goOffline(): null {
    this.isOnline = false
    return null
  }

  create(schema: VeilidSchema, owner: VeilidKeyPair): Fields {
    const opaque = opaqueKey(schema, owner.key)
    if (this.local.has(opaque)) throw new VeilidRefusal('Internal', { message: 'record already exists' })
    this.local.set(opaque, { schema, owner: owner.key, values: new Map(), offline: new Set() })
    const key = { opaque, encryptionKey: formatBase64url(new Uint8Array(randomBytes(32))) }
    return this.#nowOpen(key, owner)
  }

  open(key: VeilidRecordKey, writer: VeilidKeyPair | null): Fields {
    const known = this.local.get(key.opaque)
    if (known !== undefined) {
      // The node puts what it has to where that is missing.
      if (this.isOnline) this.#flush(key.opaque, { ...known, offline: new Set(known.values.keys()) })
      return this.#nowOpen(key, writer)
    }
    if (!this.isOnline) throw tryAgain()
    const found = this.#network.records.get(key.opaque)
    if (found === undefined) throw notFound(key.opaque)
    this.local.set(key.opaque, { ...found, values: new Map(), offline: new Set() })
    return this.#nowOpen(key, writer)
  }

  close({ opaque }: VeilidRecordKey): null {
    if (!this.#opened.delete(opaque)) throw generic('record not open')
    this.#watches.delete(opaque)
    return null
  }

  delete({ opaque }: VeilidRecordKey): null {
    if (!this.local.delete(opaque)) throw new VeilidRefusal('InvalidArgument', invalid('key', opaque))
    this.#opened.delete(opaque)
    this.#watches.delete(opaque)
    return null
  }

  get(key: VeilidRecordKey, subkey: number, isForced: boolean): Fields | null {
    const { record } = this.#openRecord(key, subkey)
    const known = record.values.get(subkey)
    if (known !== undefined && !isForced) return valueForm(known, key)
    if (!this.isOnline) throw tryAgain()
    const found = this.#network.records.get(key.opaque)?.values.get(subkey)
    const newest = found !== undefined && found.seq > (known?.seq ?? -1) ? found : known
    if (newest === undefined) return null
    record.values.set(subkey, newest)
    return valueForm(newest, key)
  }

  set(
    key: VeilidRecordKey,
    subkey: number,
    data: Uint8Array,
    options: { readonly writer: VeilidKeyPair | null; readonly isOfflineAllowed: boolean },
  ): Fields | null {
    const { record, opened } = this.#openRecord(key, subkey)
    const writer = options.writer ?? opened.writer
    if (writer === null) throw generic('value is not writable')
    const max = Math.min(MAX_VALUE_BYTES, Math.floor(MAX_RECORD_BYTES / slotsOf(record.schema)))
    if (writer.key !== writerOfSubkey(record.schema, record.owner, subkey) || data.length > max)
      throw generic(`failed schema validation: ${formatRecordKey(key)}:${subkey}`)
    const { encryptionKey } = opened.key
    const known = record.values.get(subkey)
    const value = { seq: known === undefined ? 0 : known.seq + 1, data, writer: writer.key, encryptionKey }
    if (known !== undefined && isSameData(known, value)) return null
    if (!this.isOnline) {
      if (!options.isOfflineAllowed) throw tryAgain()
      record.offline.add(subkey)
      record.values.set(subkey, value)
      return null
    }
    const newer = this.#network.put(this, key.opaque, record, subkey, value)
    record.values.set(subkey, newer ?? value)
    return newer && valueForm(newer, key)
  }

  watch(key: VeilidRecordKey, ranges: Ranges | null, count: number | null): boolean {
    const { record } = this.#openRecord(key, 0)
    const wanted = allOr(ranges, record)
    if (count === 0) return this.cancel(key, wanted)
    this.#watches.set(key.opaque, { ranges: wanted, count: count ?? ENDLESS })
    return true
  }

  cancel(key: VeilidRecordKey, ranges: Ranges | null): boolean {
    this.#openRecord(key, 0)
    const watch = this.#watches.get(key.opaque)
    if (watch === undefined) return false
    watch.ranges = ranges === null ? [] : watch.ranges.flatMap((range) => without(range, ranges))
    if (watch.ranges.length > 0) return true
    this.#endWatch(key.opaque)
    return false
  }

  inspect(key: VeilidRecordKey, ranges: Ranges | null, scope: string): Fields {
    const { record } = this.#openRecord(key, 0)
    if (scope !== 'Local' && !this.isOnline) throw tryAgain()
    const wanted = allOr(ranges, record)
    const subkeys = wanted.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => low + i))
    const there = scope === 'Local' ? undefined : this.#network.records.get(key.opaque)
    return {
      subkeys: wanted,
      offline_subkeys: [...record.offline].map((subkey) => [subkey, subkey]),
      local_seqs: subkeys.map((subkey) => record.values.get(subkey)?.seq ?? null),
      network_seqs: subkeys.map((subkey) => there?.values.get(subkey)?.seq ?? null),
    }
  }

  onRemoteWrite(opaque: string, subkey: number, value: StoredValue): void {
    const watch = this.#watches.get(opaque)
    const record = this.local.get(opaque)
    if (!this.isOnline || watch === undefined || record === undefined) return
    if (!watch.ranges.some(([low, high]) => subkey >= low && subkey <= high)) return
    const known = record.values.get(subkey)
    if (known !== undefined && (known.seq >= value.seq || isSameData(known, value))) return
    record.values.set(subkey, value)
    watch.count--
    const { key } = this.#opened.get(opaque)!
    this.#tell({
      kind: 'ValueChange',
      key: formatRecordKey(key),
      subkeys: [[subkey, subkey]],
      count: watch.count,
      value: valueForm(value, key),
    })
    if (watch.count === 0) this.#watches.delete(opaque)
  }

  #endWatch(opaque: string): void {
    this.#watches.delete(opaque)
    const { key } = this.#opened.get(opaque)!
    this.#tell({ kind: 'ValueChange', key: formatRecordKey(key), subkeys: [], count: 0, value: null })
  }

  #tell(update: Fields): void {
    for (const listener of this.listeners) listener({ type: 'Update', ...update })
  }

  #openRecord({ opaque }: VeilidRecordKey, subkey: number): { record: LocalRecord; opened: Opened } {
    const [opened, record] = [this.#opened.get(opaque), this.local.get(opaque)]
    if (opened === undefined || record === undefined) throw generic('record not open')
    if (subkey >= slotsOf(record.schema)) throw new VeilidRefusal('InvalidArgument', invalid('subkey', String(subkey)))
    return { record, opened }
  }

  #nowOpen(key: VeilidRecordKey, writer: VeilidKeyPair | null): Fields {
    this.#opened.set(key.opaque, { key, writer })
    const { owner, schema } = this.local.get(key.opaque)!
    return {
      key: formatRecordKey(key),
      owner: formatKey(owner),
      owner_secret: writer?.key === owner ? formatKey(writer.secret) : null,
      schema,
    }
  }

  #flush(opaque: string, record: LocalRecord): void {
    for (const subkey of record.offline) {
      const value = record.values.get(subkey)
      record.offline.delete(subkey)
      if (value === undefined) continue
      const newer = this.#network.put(this, opaque, record, subkey, value)
      if (newer !== null) record.values.set(subkey, newer)
    }
  }
}

/** The same for the same schema and owner. */
export function opaqueKey(schema: VeilidSchema, owner: string): string {
  const digest = createHash('sha256')
    .update(`${JSON.stringify(schema)} ${owner}`)
    .digest()
  return formatBase64url(new Uint8Array(digest))
}

function invalid(argument: string, value: string): Fields {
  return { context: 'dht', argument, value }
}

function valueForm({ seq, data, writer, encryptionKey }: StoredValue, key: VeilidRecordKey): Fields {
  if (encryptionKey !== null && key.encryptionKey === null) throw generic('missing encryption key')
  // Without a tag, another key gives other bytes and no error.
  const bytes = encryptionKey === key.encryptionKey ? data : data.map((byte) => byte ^ 0x5a)
  return { seq, data: formatBase64url(bytes), writer: formatKey(writer) }
}

/** No range stands for all subkeys. */
function allOr(ranges: Ranges | null, { schema }: StoredRecord): Ranges {
  return ranges === null || ranges.length === 0 ? [[0, slotsOf(schema) - 1]] : ranges
}

/** The rest of a range. */
function without([low, high]: [number, number], ranges: Ranges): Ranges {
  const left: Ranges = []
  for (let subkey = low; subkey <= high; subkey++) {
    if (ranges.some(([from, to]) => subkey >= from && subkey <= to)) continue
    const last = left.at(-1)
    if (last !== undefined && last[1] === subkey - 1) last[1] = subkey
    else left.push([subkey, subkey])
  }
  return left
}
