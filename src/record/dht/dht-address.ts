/** Addresses of records on the Mainline DHT (docs/record.md, section 6). */
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { RecordError } from '../errors.ts'

const ADDRESS = /^dht:([A-Za-z0-9_-]{43})\.([1-9][0-9]{0,2})$/

export interface DhtAddress {
  /** The Ed25519 public key that signs values, 32 bytes. */
  readonly publicKey: Uint8Array
  readonly slots: number
}

export function formatDhtAddress({ publicKey, slots }: DhtAddress): string {
  return `dht:${formatBase64url(publicKey)}.${slots}`
}

export function isDhtAddress(text: string): boolean {
  return ADDRESS.test(text)
}

/** @throws {RecordError} RECORD_ADDRESS */
export function parseDhtAddress(text: string, maxSlots: number): DhtAddress {
  const [, key, digits] = ADDRESS.exec(text) ?? []
  const publicKey = key === undefined ? null : parseBase64url(key)
  const slots = Number(digits)
  if (publicKey === null || slots > maxSlots)
    throw new RecordError('RECORD_ADDRESS', 'the text is no address of a record on the DHT', 'copy it again')
  return { publicKey, slots }
}
