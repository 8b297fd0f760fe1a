/** Chooses the engine: libsodium where it loads, the portable one elsewhere. */
import type { CryptoEngine } from './engine.ts'
import { CryptoError } from './errors.ts'

/**
 * Each engine is loaded only when it is chosen.
 * @param prefer 'sodium' insists on it, 'portable' does not try it, nothing takes the better one that there is
 * @param onFallback told why libsodium did not load, when the portable engine is taken instead: secrets are then in plain memory
 * @throws {CryptoError} ENGINE_UNAVAILABLE, for 'sodium' only
 */
export async function loadEngine(
  prefer?: 'sodium' | 'portable',
  onFallback: (reason: Error) => void = () => {},
  loadSodium: () => Promise<CryptoEngine> = loadSodiumEngine,
): Promise<CryptoEngine> {
  if (prefer !== 'portable') {
    try {
      return await loadSodium()
    } catch (cause) {
      const reason = new CryptoError('ENGINE_UNAVAILABLE', 'libsodium does not load on this machine', { cause })
      if (prefer === 'sodium') throw reason
      onFallback(reason)
    }
  }
  const { portableEngine } = await import('./portable.ts')
  return portableEngine
}

async function loadSodiumEngine(): Promise<CryptoEngine> {
  const sodium = await import('./sodium.ts')
  return await sodium.loadSodiumEngine()
}
