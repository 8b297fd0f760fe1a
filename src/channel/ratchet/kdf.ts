/** Hashes and keys that are made from keys (docs/channel.md, section 4): H, HMAC-SHA-512 and HKDF-SHA-512 (RFC 5869). */
import { concatBytes } from '../../core/encoding/bytes.ts'
import type { ChannelEngine, Role } from './engine.ts'

export const KEY_BYTES = 32
const HASH_BYTES = 64 // SHA-512
const BLOCK_BYTES = 128 // SHA-512
const NOTHING = new Uint8Array()

/** The first 32 bytes of SHA-512. */
export function hash32(engine: ChannelEngine, ...parts: readonly Uint8Array[]): Uint8Array {
  return engine.sha512(...parts).subarray(0, KEY_BYTES)
}

/** HKDF-SHA-512. @param salt empty for none */
export function hkdf(
  engine: ChannelEngine,
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  const key = hmac(engine, salt, secret)
  const blocks: Uint8Array[] = []
  let last: Uint8Array = NOTHING
  for (let i = 1; blocks.length * HASH_BYTES < lengthBytes; i++) {
    last = hmac(engine, key, last, info, Uint8Array.of(i))
    blocks.push(last)
  }
  return concatBytes(...blocks).subarray(0, lengthBytes)
}

/** HMAC-SHA-512. @param key at most BLOCK_BYTES bytes */
export function hmac(engine: ChannelEngine, key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const inner = new Uint8Array(BLOCK_BYTES).fill(0x36)
  const outer = new Uint8Array(BLOCK_BYTES).fill(0x5c)
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!
    outer[i]! ^= key[i]!
  }
  return engine.sha512(outer, engine.sha512(inner, ...parts))
}

/** The byte of a role in hashes. */
export function roleByte(role: Role): Uint8Array {
  return Uint8Array.of(role === 'host' ? 1 : 2)
}
