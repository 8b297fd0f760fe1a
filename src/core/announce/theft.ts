/** Checks a proof of theft that somebody else kept (docs/announce.md, section 6). */
import { LINK_BYTES, linkOf } from '../chain.ts'
import { equalBytes } from '../encoding/bytes.ts'
import type { BoxEngine } from '../engine.ts'
import type { VerifiedBlob } from '../verify.ts'
import { judgeItem } from './judge.ts'
import type { SignedValue } from './signed-value.ts'

/** An item, and what its keeper claims about it. */
export interface ClaimedTheft {
  readonly signed: SignedValue
  /** The epoch of the key that signed it. */
  readonly epoch: number
  /** r, 32 bytes. Another one cannot make an honest item a proof, because the owner signed its salt. */
  readonly readingKey: Uint8Array
}

/**
 * Whether the item proves that somebody else has a key of the persona.
 * @param blobs of the persona; one of them shows the key or a key after it
 */
export function provesTheft(
  { signed, epoch, readingKey }: ClaimedTheft,
  blobs: readonly VerifiedBlob[],
  engine: BoxEngine,
): boolean {
  const { publicKey: signingKey } = signed
  const witness = blobs.find((blob) => isKeyOf(blob, epoch, signingKey, engine))
  if (witness === undefined) return false
  const { personaId, root } = witness
  return judgeItem(signed, { personaId, root, epoch, signingKey, readingKey }, { engine, deviceKeys: [] }).provesTheft
}

/** Whether the chain that a blob shows has this key at this epoch. */
function isKeyOf(blob: VerifiedBlob, epoch: number, key: Uint8Array, engine: BoxEngine): boolean {
  if (epoch === 0) return equalBytes(key, blob.personaId)
  if (epoch === blob.epoch) return equalBytes(key, blob.signingKey)
  const link = blob.links.subarray((epoch - 1) * LINK_BYTES, epoch * LINK_BYTES)
  return epoch < blob.epoch && equalBytes(linkOf(key, engine), link)
}
