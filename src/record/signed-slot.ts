/**
 * A value with the signature of its writer, for networks that carry bytes without one of ours (docs/record.md, section 2). The signature covers
 * what BEP 44 has it cover, so that one rule holds for all engines.
 */
import { bencodeValue, MAX_DHT_SEQ, signedValueMessage } from '../core/announce/signed-value.ts'
import { concatBytes } from '../core/encoding/bytes.ts'
import type { CryptoEngine } from '../crypto/engine.ts'
import type { SlotValue } from './record-engine.ts'

const SEQ_BYTES = 8
const SIGNATURE_BYTES = 64
/** The fields of a signed slot beside the value. */
export const SIGNED_SLOT_HEAD_BYTES: number = SEQ_BYTES + SIGNATURE_BYTES

/** @param secretKey the Ed25519 secret key of the writer, 64 bytes */
export function encodeSignedSlot(
  slot: number,
  { seq, bytes }: SlotValue,
  secretKey: Uint8Array,
  engine: Pick<CryptoEngine, 'sign'>,
): Uint8Array {
  const head = new Uint8Array(SEQ_BYTES)
  new DataView(head.buffer).setBigUint64(0, seq)
  return concatBytes(head, engine.sign(messageOf(slot, { seq, bytes }), secretKey), bytes)
}

/**
 * @param publicKey the Ed25519 public key of the writer, 32 bytes
 * @returns null if the key has not signed these bytes for this slot
 */
export function openSignedSlot(
  slot: number,
  encoded: Uint8Array,
  publicKey: Uint8Array,
  engine: Pick<CryptoEngine, 'verify'>,
): SlotValue | null {
  if (encoded.length < SIGNED_SLOT_HEAD_BYTES) return null
  const seq = new DataView(encoded.buffer, encoded.byteOffset, SEQ_BYTES).getBigUint64(0)
  if (seq > MAX_DHT_SEQ) return null
  const value = { seq, bytes: encoded.slice(SIGNED_SLOT_HEAD_BYTES) }
  const signature = encoded.subarray(SEQ_BYTES, SIGNED_SLOT_HEAD_BYTES)
  return engine.verify(signature, messageOf(slot, value), publicKey) ? value : null
}

function messageOf(slot: number, { seq, bytes }: SlotValue): Uint8Array {
  return signedValueMessage({ salt: Uint8Array.of(slot >> 8, slot & 0xff), seq, bencoded: bencodeValue(bytes) })
}
