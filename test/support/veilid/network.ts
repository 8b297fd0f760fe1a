/** The shared part of all nodes of Veilid: records with their values, which every node that is online reads and writes at once. */
import type { VeilidSchema } from './forms.ts'

export interface StoredValue {
  readonly seq: number
  readonly data: Uint8Array
  /** The bare public key of the writer. */
  readonly writer: string
  /** With this key it is encrypted; null for a record that was opened by its short key. */
  readonly encryptionKey: string | null
}

/** A record as the network or one node has it. */
export interface StoredRecord {
  readonly schema: VeilidSchema
  /** The bare public key of the owner. */
  readonly owner: string
  readonly values: Map<number, StoredValue>
}

export interface NetworkNode {
  /** Another node has put a newer value. */
  onRemoteWrite(opaque: string, subkey: number, value: StoredValue): void
}

export class VeilidNetwork {
  /** By opaque key. */
  readonly records: Map<string, StoredRecord> = new Map()
  readonly nodes: Set<NetworkNode> = new Set()

  /** @returns the newer value that lies there, which then stays; null if the given one lies there now */
  put(from: NetworkNode, opaque: string, record: StoredRecord, subkey: number, value: StoredValue): StoredValue | null {
    const known = this.records.get(opaque) ?? { ...record, values: new Map<number, StoredValue>() }
    this.records.set(opaque, known)
    const there = known.values.get(subkey)
    if (there !== undefined && there.seq >= value.seq && !isSameValue(there, value)) return there
    known.values.set(subkey, value)
    if (there === undefined || there.seq < value.seq)
      for (const node of this.nodes) if (node !== from) node.onRemoteWrite(opaque, subkey, value)
    return null
  }
}

export function isSameValue(a: StoredValue, b: StoredValue): boolean {
  return a.seq === b.seq && isSameData(a, b)
}

export function isSameData(a: Omit<StoredValue, 'seq'>, b: Omit<StoredValue, 'seq'>): boolean {
  return a.writer === b.writer && a.encryptionKey === b.encryptionKey && Buffer.compare(a.data, b.data) === 0
}
