/** Errors of keys and seals. Each code has one cause. */
import { PersonadError } from '../errors/personad-error.ts'

export type SealErrorCode =
  | 'BOX_KEY_TEXT' // not base64url without padding
  | 'BOX_KEY_LENGTH' // no known form of a key has this length
  | 'BOX_KEY_POINT' // no point that can be a key: not on its curve, of low order, or a second spelling of another
  | 'SEAL_SECRET' // a secret key of the wrong length, or zero or too large for its curve
  | 'SEAL_PSK' // a pre-shared key that is not 32 bytes, or an empty name of it
  | 'SEAL_TRUNCATED' // shorter than any seal of the suite
  | 'SEAL_POINT' // the sender's one-time key is no point, or one of low order
  | 'SEAL_CLOSED' // another key, label, pre-shared key or aad, or changed bytes
  | 'SEAL_UNSUPPORTED' // WebCrypto here lacks the suite

export class SealError extends PersonadError<SealErrorCode> {
  override readonly name = 'SealError'
}

/** The result of a call, or null if it fails with one of the codes. */
export async function nullFor<Result>(
  codes: readonly SealErrorCode[],
  call: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof SealError && codes.includes(error.code)) return null
    throw error
  }
}
