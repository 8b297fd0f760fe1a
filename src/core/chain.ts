/** The key chain K_0 .. K_16 and its commitments. A thief of the current key cannot choose the next one (docs/format.md, section 4). */
import { concatBytes } from './encoding/bytes.ts'
import type { Engine } from './engine.ts'
import { LABEL_INCEPTION, LABEL_KEY, LABEL_NEXT } from './labels.ts'
import { MAX_EPOCH } from './limits.ts'

export const LINK_BYTES = 16 // format: h_i; a second preimage costs 2^128, and only the owner could use a collision
export const COMMITMENT_BYTES = 32 // format: c_i

/** The position of a persona in its chain, as a blob of this epoch shows it. All of it is public. */
export interface ChainPosition {
  /** K_0, 32 bytes. */
  readonly personaId: Uint8Array
  readonly epoch: number
  /** K_e, 32 bytes; K_0 itself at epoch 0. */
  readonly signingKey: Uint8Array
  /** h_1 .. h_(e-1), 16 bytes each. */
  readonly links: Uint8Array
  /** c_e, 32 bytes; zeros at epoch 16. */
  readonly next: Uint8Array
  /** Signature of K_0 over K_0 and c_0, 64 bytes; null at epoch 0, where the blob itself is signed by K_0. */
  readonly inception: Uint8Array | null
}

/** h_i: first 16 bytes of SHA-512 over the label and K_i. */
export function linkOf(key: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_KEY, key).subarray(0, LINK_BYTES)
}

/** c_(i): first 32 bytes of SHA-512 over the label, h_(i+1) and c_(i+1). */
function commitTo(link: Uint8Array, following: Uint8Array, engine: Engine): Uint8Array {
  return engine.sha512(LABEL_NEXT, link, following).subarray(0, COMMITMENT_BYTES)
}

/**
 * Recomputes c_0 from a blob of epoch e. It equals the pinned c_0 exactly when the blob continues the same chain.
 * @param position from a decoded blob
 * @returns c_0, 32 bytes
 */
export function chainRoot(position: ChainPosition, engine: Engine): Uint8Array {
  if (position.epoch === 0) return position.next
  const last = commitTo(linkOf(position.signingKey, engine), position.next, engine)
  return commitmentBefore(position.links, last, engine)
}

/**
 * c_i, which commits to all keys from i+1 on.
 * @param links h_(i+1) .. h_j, 16 bytes each
 * @param following c_j, 32 bytes
 */
export function commitmentBefore(links: Uint8Array, following: Uint8Array, engine: Engine): Uint8Array {
  let commitment = following
  for (let end = links.length; end > 0; end -= LINK_BYTES) {
    commitment = commitTo(links.subarray(end - LINK_BYTES, end), commitment, engine)
  }
  return commitment
}

/** The message that K_0 signs once. It lets a reader who first sees the persona at a later epoch pin c_0. */
export function inceptionMessage(personaId: Uint8Array, root: Uint8Array): Uint8Array {
  return concatBytes(LABEL_INCEPTION, personaId, root)
}

/**
 * Computes the chain position of every epoch from all public keys. The owner does this once, from the seed.
 * @param keys K_0 .. K_16
 * @param signInception makes a detached signature by K_0, 64 bytes
 * @throws {RangeError} for another number of keys
 */
export function chainPositions(
  keys: readonly Uint8Array[],
  engine: Engine,
  signInception: (message: Uint8Array) => Uint8Array,
): ChainPosition[] {
  if (keys.length !== MAX_EPOCH + 1) throw new RangeError(`a chain has ${MAX_EPOCH + 1} keys, not ${keys.length}`)
  const links = keys.map((key) => linkOf(key, engine))
  const commitments: Uint8Array[] = [new Uint8Array(COMMITMENT_BYTES)]
  for (let i = MAX_EPOCH; i >= 1; i--) commitments.unshift(commitTo(links[i]!, commitments[0]!, engine))
  const personaId = keys[0]!
  const inception = signInception(inceptionMessage(personaId, commitments[0]!))
  return keys.map((signingKey, epoch) => ({
    personaId,
    epoch,
    signingKey,
    links: concatBytes(...links.slice(1, Math.max(1, epoch))),
    next: commitments[epoch]!,
    inception: epoch === 0 ? null : inception,
  }))
}
