/** Chooses the engine: libsodium where it loads, else the portable one. */
import type { CryptoEngine } from './engine.ts'
import { CryptoError } from './errors.ts'

/**
 * Loads an engine. It loads the other one only if needed.
 * @param prefer 'sodium' insists on libsodium, 'portable' does not try it; without it, libsodium if it loads, else the portable engine
 * @param onFallback gets the reason why libsodium did not load; secrets are then in plain memory
 * @throws {CryptoError} ENGINE_UNAVAILABLE, only for 'sodium'
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
      const reason = new CryptoError('ENGINE_UNAVAILABLE', 'libsodium does not load on this computer', { cause })
      if (prefer === 'sodium') throw reason
      onFallback(reason)
    }
  }
  const { portableEngine } = await import('./portable.ts')
  return portableEngine
}

async function loadSodiumEngine(): Promise<CryptoEngine> {
  const sodium = await import('./sodium.ts')
  return sodium.loadSodiumEngine()
}
