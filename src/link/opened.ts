/** The word for a channel that is open, by which both sides see whether they have the same one (docs/links.md, section 3). */
import { formatHex } from '../core/encoding/bytes.ts'
import type { Engine } from '../core/engine.ts'
import { LABEL_PROPOSAL_OPENED } from '../core/labels.ts'

/** H over the hash of M2, which both ends of a channel know and which names no other handshake. @param m2Hash SHA-256(M2) */
export function openedHash(m2Hash: Uint8Array, engine: Pick<Engine, 'sha512'>): string {
  return formatHex(engine.sha512(LABEL_PROPOSAL_OPENED, m2Hash).subarray(0, 32))
}
