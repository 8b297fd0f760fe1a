/** Key pairs of the crypto kind VLD0: Ed25519, whose secret is the seed. */
import { randomBytes } from 'node:crypto'
import { formatBase64url, parseBase64url } from '../../../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../../../src/crypto/engine.ts'
import { loadEngine } from '../../../src/crypto/load.ts'
import type { VeilidKeyPair } from './forms.ts'

const engine: CryptoEngine = await loadEngine()

export function generateKeyPair(): VeilidKeyPair {
  const seed = new Uint8Array(randomBytes(32))
  return { key: formatBase64url(engine.signKeyPair(seed).publicKey), secret: formatBase64url(seed) }
}

export function isKeyPair({ key, secret }: VeilidKeyPair): boolean {
  const seed = parseBase64url(secret)
  return seed?.length === 32 && formatBase64url(engine.signKeyPair(seed).publicKey) === key
}
