/** The key that writes a record. */
import { equalBytes } from '../core/encoding/bytes.ts'
import type { CryptoEngine, KeyPair } from '../crypto/engine.ts'
import { RecordError } from './errors.ts'

/**
 * The key pair of a writer, if it is the one of the record.
 * @param publicKey of the record, 32 bytes
 * @returns null without a seed
 * @throws {RecordError} RECORD_KEY
 */
export function writerOf(
  seed: Uint8Array | null,
  publicKey: Uint8Array,
  engine: Pick<CryptoEngine, 'signKeyPair'>,
): KeyPair | null {
  if (seed === null) return null
  const pair = engine.signKeyPair(seed)
  if (equalBytes(pair.publicKey, publicKey)) return pair
  throw new RecordError(
    'RECORD_KEY',
    'the key is not the one that writes this record',
    'open the record with its own key, or without one',
  )
}
