/** Both ends prove on a data channel that it belongs to their channel (docs/channel.md, section 14). */
import { concatBytes } from '../../core/encoding/bytes.ts'
import type { ChannelEngine, Role } from '../ratchet/engine.ts'
import { hmac, KEY_BYTES, roleByte } from '../ratchet/kdf.ts'

const RTC_KEY_AT = 2 * KEY_BYTES // format: after the keys of both records
export const PROOF_TYPE = 0 // format: no data of a box has it
export const FINGERPRINT_BYTES = 32 // format: SHA-256 of a certificate

/** The fingerprints of both certificates, {@link FINGERPRINT_BYTES} each. */
export interface Fingerprints {
  readonly host: Uint8Array
  readonly guest: Uint8Array
}

/** The key of the direct way. @param carriers the keys for carriers that a channel keeps, 96 bytes */
export function rtcKey(carriers: Uint8Array): Uint8Array {
  return carriers.subarray(RTC_KEY_AT, RTC_KEY_AT + KEY_BYTES)
}

/** The first message of an end on the data channel: {@link PROOF_TYPE} and 32 bytes of HMAC-SHA-512. @param by the end that proves */
export function formatProof(
  engine: ChannelEngine,
  key: Uint8Array,
  by: Role,
  { host, guest }: Fingerprints,
): Uint8Array {
  const proof = hmac(engine, key, roleByte(by), host, guest).subarray(0, KEY_BYTES)
  return concatBytes(Uint8Array.of(PROOF_TYPE), proof)
}

export function isProof(
  engine: ChannelEngine,
  key: Uint8Array,
  by: Role,
  fingerprints: Fingerprints,
  message: Uint8Array,
): boolean {
  const proof = formatProof(engine, key, by, fingerprints)
  let difference = proof.length ^ message.length
  // The time says nothing about the first byte that differs.
  for (let i = 0; i < proof.length; i++) difference |= proof[i]! ^ (message[i] ?? 0)
  return difference === 0
}
