import { describe, expect, it } from 'vitest'
import type { CryptoError } from '../../../src/crypto/errors.ts'
import { loadEngine } from '../../../src/crypto/load.ts'

const broken = new Error('no prebuild for this platform')
const cannotLoad = (): Promise<never> => Promise.reject(broken)

describe('loadEngine', () => {
  it('chooses libsodium if it loads', async () => {
    const reasons: Error[] = []
    expect((await loadEngine(undefined, (reason) => reasons.push(reason))).name).toBe('sodium')
    expect((await loadEngine('sodium')).name).toBe('sodium')
    expect(reasons).toEqual([])
  })

  it('chooses the portable engine if libsodium does not load, and reports why', async () => {
    const reasons: Error[] = []
    const engine = await loadEngine(undefined, (reason) => reasons.push(reason), cannotLoad)
    expect(engine.name).toBe('portable')
    expect(reasons.map((reason) => reason.cause)).toEqual([broken])
  })

  it('chooses the portable engine on request, without a report and without trying libsodium', async () => {
    const reasons: Error[] = []
    let tried = 0
    const loadSodium = (): Promise<never> => {
      tried++
      return cannotLoad()
    }
    expect((await loadEngine('portable', (reason) => reasons.push(reason), loadSodium)).name).toBe('portable')
    expect([tried, reasons]).toEqual([0, []])
  })

  it('fails without libsodium if the caller insists on it', async () => {
    const error: unknown = await loadEngine('sodium', undefined, cannotLoad).catch((thrown: unknown) => thrown)
    expect((error as CryptoError).code).toBe('ENGINE_UNAVAILABLE')
    expect((error as CryptoError).cause).toBe(broken)
  })
})
