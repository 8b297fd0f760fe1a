/** The secret of an invite between two people who know each other's keys: it travels nowhere (docs/channel.md, section 2). */
import { compareBytes, concatBytes } from '../../core/encoding/bytes.ts'
import { LABEL_CHAT_PSK } from '../../core/labels.ts'
import type { ChannelEngine } from './engine.ts'
import { hkdf } from './kdf.ts'

const SECRET_BYTES = 16 // format: as long as the secret of any invite
const NOTHING = new Uint8Array()

/**
 * Both sides make the same.
 * @param secretKey the own key of X25519, 32 bytes @param peer the public key of the other side
 * @returns null for a key with which everybody would know the secret
 */
export function pairSecret(engine: ChannelEngine, secretKey: Uint8Array, peer: Uint8Array): Uint8Array | null {
  const agreed = engine.agree(secretKey, peer)
  if (agreed === null) return null
  const keys = [engine.boxPublicKey(secretKey), peer].toSorted(compareBytes)
  return hkdf(engine, agreed, NOTHING, concatBytes(LABEL_CHAT_PSK, ...keys), SECRET_BYTES)
}
