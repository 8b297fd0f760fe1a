/** The key of X25519 by which the owner and a friend make invites for each other alone. It stays on this device. */
import { K_BYTES } from '../../../channel/invite/invite.ts'
import { pairSecret } from '../../../channel/ratchet/pair-secret.ts'
import { formatHex, parseHex } from '../../../core/encoding/bytes.ts'
import { Refusal } from '../../../errors/refusal.ts'
import type { Means } from '../ends/means.ts'
import { PAIR_KEY } from '../records/kinds.ts'

const KEY_BYTES = 32
const ID = 'own'

export type PairKeyErrorCode =
  | 'PAIR_KEY_EXISTS' // the owner has a key for chat keys already
  | 'PAIR_KEY_NONE' // the owner has no key for chat keys yet
  | 'PAIR_KEY_BAD' // with this key of the other side everybody would know the secret

export class PairKeyError extends Refusal<PairKeyErrorCode> {
  override readonly name = 'PairKeyError'
}

type KeyMeans = Pick<Means, 'keeper' | 'sealed'>

/** Makes the key. @returns its public part, in hex @throws {PairKeyError} PAIR_KEY_EXISTS */
export async function makePairKey({ keeper, sealed }: KeyMeans): Promise<string> {
  return await keeper.change(() => {
    const keys = sealed.inChange(PAIR_KEY)
    const known = keys.get(ID)
    if (known !== undefined)
      throw new PairKeyError(
        'PAIR_KEY_EXISTS',
        `there is a key already: ${formatHex(keeper.engine.boxPublicKey(known))}`,
        'give this one to further friends; those who know it would be lost with another one',
      )
    const key = keeper.engine.randomBytes(KEY_BYTES)
    keys.put(ID, key)
    return formatHex(keeper.engine.boxPublicKey(key))
  })
}

/** @returns the public part of the key, in hex @throws {PairKeyError} PAIR_KEY_NONE */
export function pairKey(means: KeyMeans): string {
  return formatHex(means.keeper.engine.boxPublicKey(secretKey(means)))
}

/** The secret of each invite between the owner and the holder of a key. @param peer in hex @throws {PairKeyError} PAIR_KEY_NONE | PAIR_KEY_BAD */
export function secretWith(peer: string, means: KeyMeans): Uint8Array {
  const secret = pairSecret(means.keeper.engine, secretKey(means), parseHex(peer)!)
  if (secret?.length === K_BYTES) return secret
  throw new PairKeyError('PAIR_KEY_BAD', 'with this key everybody would know the secret', 'ask for their key again')
}

function secretKey({ sealed }: KeyMeans): Uint8Array {
  const key = sealed.onDisk(PAIR_KEY).get(ID)
  if (key !== undefined) return key
  throw new PairKeyError('PAIR_KEY_NONE', 'there is no key for chats yet', 'make one first')
}
