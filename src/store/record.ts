/** A record as it lies in LevelDB: version, CRC-32C over key and value, value; LevelDB itself verifies no checksum when it reads. */
import { encodeUtf8, readU32 } from '../core/encoding/bytes.ts'
import { crc32c } from './crc32c.ts'
import { StoreError } from './errors.ts'

const RECORD_VERSION = 1
const HEADER_BYTES = 5 // version u8 || CRC-32C u32 big-endian

/** Bytes of a record: 5 more than the value has. */
export function encodeRecord(key: string, value: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + value.length)
  record[0] = RECORD_VERSION
  new DataView(record.buffer).setUint32(1, recordCrc(key, value))
  record.set(value, HEADER_BYTES)
  return record
}

/**
 * Value of a record; a view of its bytes, not a copy.
 * @throws {StoreError} STORE_CORRUPT: not what was written under this key | STORE_SCHEMA_NEWER
 */
export function decodeRecord(key: string, record: Uint8Array): Uint8Array {
  const version = record[0] ?? 0
  // A plain view also when LevelDB gives a Buffer, whose methods are other ones.
  const value = new Uint8Array(
    record.buffer,
    record.byteOffset + Math.min(HEADER_BYTES, record.length),
    Math.max(0, record.length - HEADER_BYTES),
  )
  if (record.length < HEADER_BYTES || readU32(record, 1) !== recordCrc(key, value, version)) {
    throw new StoreError(
      'STORE_CORRUPT',
      `the record ${JSON.stringify(key)} is damaged; stop the daemon and run "persona doctor"`,
    )
  }
  if (version !== RECORD_VERSION) {
    const message = `the record ${JSON.stringify(key)} has form ${version}, this personad reads ${RECORD_VERSION}: install the later one`
    throw new StoreError('STORE_SCHEMA_NEWER', message)
  }
  return value
}

// The key is covered, so that a record which a damaged index shows under another key is noticed; the version, so that a flip there is.
function recordCrc(key: string, value: Uint8Array, version: number = RECORD_VERSION): number {
  const keyBytes = encodeUtf8(key)
  const versionCrc = crc32c(Uint8Array.of(version))
  return crc32c(value, 0, value.length, crc32c(keyBytes, 0, keyBytes.length, versionCrc))
}
