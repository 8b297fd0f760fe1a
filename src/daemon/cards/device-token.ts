/** Device tokens of this device: each is good for one HTTP request, by the clock of the relay that gets it (docs/card.md, section 8). */
import { signToken, TOKEN_LIFE_SEC, type TokenRequest } from '../../card/token.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import { signAs, type AppKeys } from './app-keys.ts'

/** The answers of a relay to a token that it does not take, and the next step of the caller. */
export type TokenAnswer =
  | { readonly refused: null }
  /** The clocks differ: the relay's time. */
  | { readonly refused: 'Clock'; readonly relaySec: number }
  /** The relay has no card that lists this device: the caller puts its card there. */
  | { readonly refused: 'Card' }

export interface TokenOf {
  /** 32 bytes */
  readonly personaId: Uint8Array
  readonly app: string
  /** The `sig` of this device in the card, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** The persona whose inbox the request is for, 32 bytes; null for requests about the own persona. */
  readonly to: Uint8Array | null
}

/** @param nowSec by the clock of the relay */
export function deviceToken(
  of: TokenOf,
  request: TokenRequest,
  keys: AppKeys,
  nowSec: number,
  engine: CryptoEngine,
): string {
  // A clock that is a little behind must not get a token from the future, nor a slow line one that is over.
  const issuedAtSec = nowSec
  const token = { ...of, ...request, issuedAtSec, expiresAtSec: issuedAtSec + TOKEN_LIFE_SEC }
  return signToken(token, (message) => signAs(keys, message, engine))
}

/**
 * Makes a request with a token, and once more after each answer that a caller can mend: with the time of the relay, and after the card was put
 * there.
 * @param ask makes one try, with a token for this moment
 * @param putCard puts the own card that counts to the relay
 */
export async function withToken<T extends TokenAnswer>(
  ask: (nowSec: number) => Promise<T>,
  putCard: () => Promise<void>,
  nowSec: () => number,
): Promise<T> {
  let aheadSec = 0
  const mended = new Set<string>()
  for (;;) {
    const answer = await ask(nowSec() + aheadSec)
    if (answer.refused === null || mended.has(answer.refused)) return answer
    mended.add(answer.refused)
    if (answer.refused === 'Clock') aheadSec = answer.relaySec - nowSec()
    else await putCard()
  }
}
