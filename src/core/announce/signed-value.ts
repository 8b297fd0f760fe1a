/** A signed value as the Mainline DHT stores it: key, salt, seq, value, signature (BEP 44, "Mutable items"; docs/announce.md, section 2). */
import { concatBytes, encodeUtf8 } from '../encoding/bytes.ts'
import type { Engine } from '../engine.ts'

export const MAX_VALUE_BYTES = 996 // format: BEP 44 allows 1000 bytes bencoded, and "996:" takes four; libtorrent refuses 997
const MAX_BENCODED_BYTES = 1000 // format: BEP 44
const MAX_LENGTH_CHARS = 3 // format: digits of 996
const COLON = 58
export const MAX_SALT_BYTES = 64 // format: BEP 44
export const MAX_DHT_SEQ: bigint = 2n ** 63n - 1n // format: the highest signed 64-bit integer

/** The place of a value. The DHT address is SHA-1 of key and salt. */
export interface ValuePlace {
  /** Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array
  /** 0..MAX_SALT_BYTES bytes. */
  readonly salt: Uint8Array
}

/** A value with its signature. Anybody who has it can store it again, without the secret key. */
export interface SignedValue extends ValuePlace {
  /** 0..MAX_DHT_SEQ. A node replaces a value only by one with a higher seq. */
  readonly seq: bigint
  /**
   * The value as it is bencoded, 2..1000 bytes. Ours is a byte string (see {@link valueOf}). A thief can sign any other: it is kept as it
   * travels, because it may be a proof.
   */
  readonly bencoded: Uint8Array
  /** 64 bytes */
  readonly signature: Uint8Array
}

/** Bencodes a byte string. */
export function bencodeValue(value: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8(`${value.length}:`), value)
}

/** The byte string that is the value, 1..MAX_VALUE_BYTES bytes; null for any other value. */
export function valueOf({ bencoded }: Pick<SignedValue, 'bencoded'>): Uint8Array | null {
  const colonAt = bencoded.indexOf(COLON)
  if (colonAt < 1 || colonAt > MAX_LENGTH_CHARS) return null
  const value = bencoded.subarray(colonAt + 1)
  if (value.length < 1 || value.length > MAX_VALUE_BYTES) return null
  // One text for each length: a leading zero or a sign is refused.
  const digits = String(value.length)
  if (digits.length !== colonAt) return null
  for (let i = 0; i < colonAt; i++) if (bencoded[i] !== digits.charCodeAt(i)) return null
  return value
}

/**
 * The bytes that the signature covers. They begin with "4:salt" or "3:seq", as no label of personad does. So a signature of one kind is
 * useless for the other.
 */
export function signedValueMessage({
  salt,
  seq,
  bencoded,
}: Pick<SignedValue, 'salt' | 'seq' | 'bencoded'>): Uint8Array {
  const parts = salt.length === 0 ? [] : [encodeUtf8(`4:salt${salt.length}:`), salt]
  return concatBytes(...parts, encodeUtf8(`3:seqi${seq}e1:v`), bencoded)
}

/** Whether the signature is good, and seq and lengths are within the limits of BEP 44. */
export function isGoodSignedValue(signed: SignedValue, verify: Engine['verify']): boolean {
  const { publicKey, salt, seq, bencoded, signature } = signed
  if (seq < 0n || seq > MAX_DHT_SEQ || salt.length > MAX_SALT_BYTES || bencoded.length > MAX_BENCODED_BYTES)
    return false
  return verify(signature, signedValueMessage(signed), publicKey)
}
