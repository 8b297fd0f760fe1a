/** Addresses of records on Veilid (docs/record.md, section 5). */
import { formatBase64url, parseBase64url } from '../../core/encoding/bytes.ts'
import { RecordError } from '../errors.ts'

const KEY = '[A-Za-z0-9_-]{43}' // format: 32 bytes
const ADDRESS = new RegExp(`^veilid:(${KEY})\\.(${KEY})\\.(${KEY})$`)
const RECORD_KEY = new RegExp(`^VLD0:(${KEY}):(${KEY})$`)

export interface VeilidAddress {
  /** The record key without what encrypts values, as base64url. */
  readonly opaque: string
  /** Encrypts values between the nodes of writer and readers, as base64url. */
  readonly encryption: string
  /** The Ed25519 public key that signs values, 32 bytes. */
  readonly publicKey: Uint8Array
}

export function formatVeilidAddress({ opaque, encryption, publicKey }: VeilidAddress): string {
  return `veilid:${opaque}.${encryption}.${formatBase64url(publicKey)}`
}

export function isVeilidAddress(text: string): boolean {
  return ADDRESS.test(text)
}

/** @throws {RecordError} RECORD_ADDRESS */
export function parseVeilidAddress(text: string): VeilidAddress {
  const [, opaque, encryption, writer] = ADDRESS.exec(text) ?? []
  const publicKey = writer === undefined ? null : parseBase64url(writer)
  if (opaque === undefined || encryption === undefined || publicKey === null)
    throw new RecordError('RECORD_ADDRESS', 'the text is no address of a record on Veilid', 'copy it again')
  return { opaque, encryption, publicKey }
}

/** The record key as veilid-server writes it. */
export function formatRecordKey({ opaque, encryption }: Omit<VeilidAddress, 'publicKey'>): string {
  return `VLD0:${opaque}:${encryption}`
}

/** @returns null for a record key of another kind, or without the key that encrypts values */
export function parseRecordKey(text: string): Omit<VeilidAddress, 'publicKey'> | null {
  const [, opaque, encryption] = RECORD_KEY.exec(text) ?? []
  return opaque === undefined || encryption === undefined ? null : { opaque, encryption }
}
