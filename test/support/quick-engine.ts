/**
 * The engine with Argon2id replaced by one hash that still depends on all inputs, for tests that seal hundreds of
 * files.
 */
import { u32be } from '../../src/core/encoding/bytes.ts'
import type { CryptoEngine } from '../../src/crypto/engine.ts'
import { engine } from './person.ts'

export const quickEngine: CryptoEngine = {
  ...engine,
  argon2id: (passphrase, salt, cost) => {
    const key = engine.secret(32)
    key.set(engine.sha512(passphrase, salt, u32be(cost.passes), u32be(cost.memoryBytes / 1024)).subarray(0, 32))
    return Promise.resolve(key)
  },
}
