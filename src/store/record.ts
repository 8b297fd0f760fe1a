/** The form of a record in LevelDB: version, CRC-32C of version, key and value, then the value. LevelDB itself checks no checksum when it reads. */
import { encodeUtf8, readU32 } from '../core/encoding/bytes.ts'
import { crc32c } from './crc32c.ts'
import { StoreError } from './errors.ts'
import { MAX_KEY_BYTES } from './store.ts'

const RECORD_VERSION = 1
const HEADER_BYTES = 5 // version u8 || CRC-32C u32 big-endian

const RECORD_VERSION_CRC = crc32c(Uint8Array.of(RECORD_VERSION))

const utf8Encoder = new TextEncoder()
const keyBytes = new Uint8Array(3 * MAX_KEY_BYTES) // a UTF-16 unit takes at most three bytes

/** Encodes a record; it is 5 bytes longer than the value. */
export function encodeRecord(key: string, value: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + value.length)
  record[0] = RECORD_VERSION
  new DataView(record.buffer).setUint32(1, recordCrc(key, value))
  record.set(value, HEADER_BYTES)
  return record
}

/**
 * Decodes a record and returns its value, a view of the record's bytes.
 * @throws {StoreError} STORE_CORRUPT: not the bytes written under this key | STORE_SCHEMA_NEWER
 */
export function decodeRecord(key: string, record: Uint8Array): Uint8Array {
  const version = record[0] ?? 0
  // A plain view even if LevelDB returns a Buffer, whose methods behave differently.
  const value = new Uint8Array(
    record.buffer,
    record.byteOffset + Math.min(HEADER_BYTES, record.length),
    Math.max(0, record.length - HEADER_BYTES),
  )
  if (record.length < HEADER_BYTES || readU32(record, 1) !== recordCrc(key, value, version)) {
    throw new StoreError('STORE_CORRUPT', `the record ${JSON.stringify(key)} is damaged`)
  }
  if (version !== RECORD_VERSION) {
    const message = `the record ${JSON.stringify(key)} has form ${version}, but this personad reads form ${RECORD_VERSION}; install the newer one`
    throw new StoreError('STORE_SCHEMA_NEWER', message)
  }
  return value
}

// The CRC covers the key, to notice a damaged index that returns the record of another key. It covers the version, to notice a flipped bit there.
function recordCrc(key: string, value: Uint8Array, version: number = RECORD_VERSION): number {
  const versionCrc = version === RECORD_VERSION ? RECORD_VERSION_CRC : crc32c(Uint8Array.of(version))
  return crc32c(value, 0, value.length, keyCrc(key, versionCrc))
}

/** The CRC of a key in UTF-8. A new array for each key would take as long as all else that is done with it. */
function keyCrc(key: string, before: number): number {
  if (key.length > MAX_KEY_BYTES) {
    // A damaged store may hold such keys.
    const bytes = encodeUtf8(key)
    return crc32c(bytes, 0, bytes.length, before)
  }
  const { written } = utf8Encoder.encodeInto(key, keyBytes)
  return crc32c(keyBytes, 0, written, before)
}
