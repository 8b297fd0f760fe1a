/** Made-up Tox keys and profiles, the same at every run. */
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { portableEngine } from '../../src/crypto/portable.ts'
import { ToxError, type ToxErrorCode } from '../../src/tox/save/errors.ts'
import { newSave, type NewProfile } from '../../src/tox/save/new-profile.ts'
import type { ToxSave } from '../../src/tox/save/savefile.ts'

export const engine: CryptoEngine = portableEngine

export function secretKeyOf(person: number): Uint8Array {
  return new Uint8Array(32).fill(person)
}

export function publicKeyOf(person: number): Uint8Array {
  return engine.boxPublicKey(secretKeyOf(person))
}

/** The profile of Nine, who has One and Two as friends. */
export function nine(changes: Partial<NewProfile> = {}): ToxSave {
  return newSave({ ...NINE, ...changes }, engine)
}

const NINE: NewProfile = {
  name: 'Nine',
  statusMessage: 'at home',
  secretKey: secretKeyOf(9),
  nospam: Uint8Array.of(1, 2, 3, 4),
  friends: [
    { publicKey: publicKeyOf(1), name: 'One', statusMessage: 'one here', lastSeenSec: 1_700_000_001 },
    { publicKey: publicKeyOf(2), name: 'Two', statusMessage: '', lastSeenSec: 0 },
  ],
}

/** The code of the ToxError thrown, or 'none'. Rethrows any other error. */
export function codeOf(work: () => unknown): ToxErrorCode | 'none' {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof ToxError) return error.code
    throw error
  }
}

export async function codeOfAsync(work: Promise<unknown>): Promise<ToxErrorCode | 'none'> {
  try {
    await work
    return 'none'
  } catch (error) {
    if (error instanceof ToxError) return error.code
    throw error
  }
}
