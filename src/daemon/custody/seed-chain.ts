/** The chain of a seed: the public side of all its signing keys (docs/format.md, section 4). */
import { chainPositions, type ChainPosition } from '../../core/chain.ts'
import { MAX_EPOCH } from '../../core/limits.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { deriveSigningSeed } from '../../crypto/seed.ts'
import { wipeKeys } from './content.ts'

/**
 * @param seed 32 bytes; neither kept nor wiped
 * @returns the positions of the epochs 0..16
 */
export function chainOfSeed(seed: Uint8Array, engine: CryptoEngine): ChainPosition[] {
  const pairs = Array.from({ length: MAX_EPOCH + 1 }, (_, epoch) => {
    const signingSeed = deriveSigningSeed(seed, epoch, engine)
    const pair = engine.signKeyPair(signingSeed)
    engine.wipe(signingSeed)
    return pair
  })
  const keys = pairs.map((pair) => pair.publicKey)
  const positions = chainPositions(keys, engine, (message) => engine.sign(message, pairs[0]!.secretKey))
  wipeKeys(pairs, engine)
  return positions
}
