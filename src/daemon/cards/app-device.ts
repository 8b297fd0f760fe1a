/** This device as it stands for an app: its card, its keys, and the tokens that it signs (docs/card.md, sections 5 and 8). */
import type { VerifiedCard } from '../../card/verify.ts'
import type { CryptoEngine } from '../../crypto/engine.ts'
import type { BoxKeyPair } from '../../seal/key-pair.ts'
import { storedBytes } from '../state/records.ts'
import { pairsOf, signAs, type AppKeys } from './app-keys.ts'
import type { AppDevice } from './cards.ts'
import { deviceToken } from './device-token.ts'
import { personaOf } from './kept/known.ts'
import type { OwnApp } from './kept/records.ts'

/** @param card the own card that counts */
export function appDevice(
  card: VerifiedCard,
  { sig }: Pick<OwnApp, 'sig'>,
  keys: AppKeys,
  engine: CryptoEngine,
): AppDevice {
  const deviceKey = storedBytes(sig)
  let pairs: readonly BoxKeyPair[] | null = null
  return {
    personaId: personaOf(card),
    card,
    deviceKey,
    // Most callers sign, and open nothing.
    get pairs() {
      return (pairs ??= pairsOf(keys, engine))
    },
    sign: (message) => signAs(keys, message, engine),
    token: ({ to = null, ...request }, nowSec) => {
      const { personaId } = card.chain
      const of = { personaId, app: card.app, deviceKey, to: to === null ? null : storedBytes(to) }
      return deviceToken(of, request, keys, nowSec, engine)
    },
  }
}
