/** The seals of a handshake by src/seal (docs/channel.md, section 3). */
import { concatBytes } from '../../core/encoding/bytes.ts'
import { readBoxKey } from '../../seal/box-key.ts'
import { beginOpen, beginSeal, type PreSharedKey } from '../../seal/context.ts'
import { nullFor } from '../../seal/errors.ts'
import type { BoxKeyPair } from '../../seal/key-pair.ts'
import { SEAL_OVERHEAD_BYTES } from '../../seal/seal.ts'
import type { OpenFrom, SealTo, SealWishes } from '../handshake/seals.ts'

const EXPORTER_BYTES = 32 // format: docs/channel.md, section 3
const TAG_BYTES = 16 // AES-256-GCM

/** Seals to a key. @throws {SealError} SEAL_UNSUPPORTED */
export const hpkeSealTo: SealTo = async (pub, wishes, plain) =>
  await nullFor(['BOX_KEY_LENGTH', 'BOX_KEY_POINT'], async () => {
    const context = await beginSeal(readBoxKey(pub), wishes.label, sharedOf(wishes))
    const ciphertext = await context.seal(wishes.aad, plain)
    const exporter = await context.export('channel-export', EXPORTER_BYTES)
    return { bytes: concatBytes(context.enc, ciphertext), exporter }
  })

/** Opens with a key pair. The result throws {SealError} SEAL_UNSUPPORTED. */
export function hpkeOpenFrom(pair: BoxKeyPair): OpenFrom {
  const encBytes = SEAL_OVERHEAD_BYTES[pair.key.suite] - TAG_BYTES
  return async (wishes, sealed) => {
    if (sealed.length < encBytes + TAG_BYTES) return null
    return await nullFor(['SEAL_POINT', 'SEAL_CLOSED'], async () => {
      const context = await beginOpen(pair, sealed.subarray(0, encBytes), wishes.label, sharedOf(wishes))
      const plain = await context.open(wishes.aad, sealed.subarray(encBytes))
      return { plain, exporter: await context.export('channel-export', EXPORTER_BYTES) }
    })
  }
}

function sharedOf({ psk, aad }: SealWishes): PreSharedKey | null {
  return psk === null ? null : { psk, pskId: aad }
}
