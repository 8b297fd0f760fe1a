/** One text, sealed to the keys of several devices: content keys and entries (docs/messages.md, sections 3 and 4). */
import { concatBytes, encodeUtf8 } from '../core/encoding/bytes.ts'
import { readBoxKey } from '../seal/box-key.ts'
import { nullFor } from '../seal/errors.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import type { SealLabel } from '../seal/labels.ts'
import { openFrom, sealTo, SEAL_OVERHEAD_BYTES } from '../seal/seal.ts'
import { MessageError } from './errors.ts'

/** The sender, reader and app of an entry or object. A seal opens for these alone. */
export interface Route {
  /** PersonaID, 32 bytes: for a reader, whose device token the inbox took. */
  readonly from: Uint8Array
  /** PersonaID of the device that reads, 32 bytes: the recipient's, or the sender's own. */
  readonly reader: Uint8Array
  readonly app: string
}

/** How many bytes longer a seal is than its text: a key of X25519, and a tag. */
export const SEAL_BYTES: number = SEAL_OVERHEAD_BYTES.x25519

export type MessageLabel = Extract<SealLabel, 'message-object' | 'message-entry'>

/** The public bytes to which a seal is bound. */
export function routeBytes({ from, reader, app }: Route): Uint8Array {
  return concatBytes(from, reader, encodeUtf8(app))
}

/**
 * Seals a text to each of the keys.
 * @param keys X25519, 32 bytes each
 * @throws {SealError} BOX_KEY_LENGTH | BOX_KEY_POINT | SEAL_UNSUPPORTED
 */
export async function sealToEach(
  keys: readonly Uint8Array[],
  label: MessageLabel,
  aad: Uint8Array,
  text: Uint8Array,
): Promise<Uint8Array[]> {
  return await Promise.all(keys.map(async (key) => await sealTo(readBoxKey(key), label, aad, text)))
}

/** The text of a seal, which of the seals it was, and the key with which it opened. */
export interface OpenedSeal {
  readonly text: Uint8Array
  readonly index: number
  readonly key: Uint8Array
}

/**
 * Opens the first seal that opens with a key of this device. Seals do not show for whom they are, so each is tried.
 * @param seals of one length, one after another
 * @throws {MessageError} NOT_SEALED_TO_ME @throws {SealError} SEAL_UNSUPPORTED
 */
export async function openOwnSeal(
  seals: Uint8Array,
  sealBytes: number,
  pairs: readonly BoxKeyPair[],
  label: MessageLabel,
  aad: Uint8Array,
): Promise<OpenedSeal> {
  for (let index = 0; index * sealBytes < seals.length; index++) {
    const seal = seals.subarray(index * sealBytes, (index + 1) * sealBytes)
    for (const pair of pairs) {
      const text = await nullFor(['SEAL_POINT', 'SEAL_CLOSED'], async () => await openFrom(pair, label, aad, seal))
      if (text !== null) return { text, index, key: pair.key.bytes }
    }
  }
  throw new MessageError(
    'NOT_SEALED_TO_ME',
    'no seal opens with the keys of this device, for this sender, persona and app',
  )
}
