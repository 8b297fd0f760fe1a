/** One text, sealed to one key for one purpose: the one way in which this project seals for somebody else (docs/relay.md, "Seals"). */
import { concatBytes } from '../core/encoding/bytes.ts'
import type { BoxKey, BoxSuite } from './box-key.ts'
import { beginOpen, beginSeal, type PreSharedKey } from './context.ts'
import { SealError } from './errors.ts'
import type { BoxKeyPair } from './key-pair.ts'
import type { SealLabel } from './labels.ts'

/** Bytes of the one-time key before the ciphertext. */
const ENC_BYTES: Readonly<Record<BoxSuite, number>> = { x25519: 32, p384: 97 }

const TAG_BYTES = 16 // AES-256-GCM

/** How many bytes longer a seal is than its text. */
export const SEAL_OVERHEAD_BYTES: Readonly<Record<BoxSuite, number>> = {
  x25519: ENC_BYTES.x25519 + TAG_BYTES,
  p384: ENC_BYTES.p384 + TAG_BYTES,
}

/**
 * Seals a text.
 * @param aad public bytes that the reader must know too; empty for none
 * @returns one-time key || ciphertext || tag
 * @throws {SealError} BOX_KEY_POINT | SEAL_PSK | SEAL_UNSUPPORTED
 */
export async function sealTo(
  key: BoxKey,
  label: SealLabel,
  aad: Uint8Array,
  plaintext: Uint8Array,
  shared: PreSharedKey | null = null,
): Promise<Uint8Array> {
  const context = await beginSeal(key, label, shared)
  return concatBytes(context.enc, await context.seal(aad, plaintext))
}

/**
 * Opens what {@link sealTo} made with the same label, aad and pre-shared key.
 * @throws {SealError} SEAL_TRUNCATED | SEAL_POINT | SEAL_CLOSED | SEAL_PSK | SEAL_UNSUPPORTED
 */
export async function openFrom(
  pair: BoxKeyPair,
  label: SealLabel,
  aad: Uint8Array,
  sealed: Uint8Array,
  shared: PreSharedKey | null = null,
): Promise<Uint8Array> {
  const { suite } = pair.key
  if (sealed.length < SEAL_OVERHEAD_BYTES[suite]) {
    throw new SealError('SEAL_TRUNCATED', `a seal of ${suite} has at least ${SEAL_OVERHEAD_BYTES[suite]} bytes`)
  }
  const context = await beginOpen(pair, sealed.subarray(0, ENC_BYTES[suite]), label, shared)
  return await context.open(aad, sealed.subarray(ENC_BYTES[suite]))
}
