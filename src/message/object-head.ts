/** The head of an object: the commitment to its content key, and a seal of that key for each device (docs/messages.md, section 3). */
import { concatBytes, equalBytes } from '../core/encoding/bytes.ts'
import type { BoxEngine, Sha256Streams } from '../core/engine.ts'
import { LABEL_CEK } from '../core/labels.ts'
import type { Pieces } from '../core/stream/pieces.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import { MessageError, unknownVersion } from './errors.ts'
import { openOwnSeal, routeBytes, sealToEach, SEAL_BYTES, type OpenedSeal, type Route } from './seals.ts'

/** The cryptography of a message beside its seals. Each engine of src/crypto has it. */
export type MessageEngine = BoxEngine & Sha256Streams

/** Keys of the devices of one persona. */
export interface Readers {
  readonly route: Route
  /** Keys `enc` of X25519, 32 bytes each. */
  readonly keys: readonly Uint8Array[]
}

export const MAX_OBJECT_BYTES: number = 20 << 20 // format: the most that a store takes
export const CONTENT_KEY_BYTES = 32 // format: XSalsa20
const VERSION = 1
const COMMIT_BYTES = 32 // format: two keys with one commitment cost 2^128
const START_BYTES: number = 1 + COMMIT_BYTES + 1
const KEY_SEAL_BYTES: number = CONTENT_KEY_BYTES + SEAL_BYTES

export function headBytes(keyCount: number): number {
  return START_BYTES + keyCount * KEY_SEAL_BYTES
}

/**
 * Makes the head of an object.
 * @param contentKey CONTENT_KEY_BYTES random bytes
 * @param readers 1..MAX_KEYS keys together
 * @throws {SealError} BOX_KEY_LENGTH | BOX_KEY_POINT | SEAL_UNSUPPORTED
 */
export async function sealHead(
  contentKey: Uint8Array,
  id: Uint8Array,
  readers: readonly Readers[],
  engine: BoxEngine,
): Promise<Uint8Array> {
  const seals = await Promise.all(
    readers.map(
      async ({ route, keys }) =>
        await sealToEach(keys, 'message-object', concatBytes(id, routeBytes(route)), contentKey),
    ),
  )
  const each = seals.flat()
  return concatBytes(Uint8Array.of(VERSION), commitTo(contentKey, engine), Uint8Array.of(each.length), ...each)
}

/** Binds an object to one content key. Without it a sender could make boxes that open to two texts, and seal another key to each device. */
function commitTo(contentKey: Uint8Array, engine: BoxEngine): Uint8Array {
  return engine.sha512(LABEL_CEK, contentKey).subarray(0, COMMIT_BYTES)
}

export interface OpenedHead {
  readonly sealCount: number
  /** The content key, and the seal from which it came. */
  readonly seal: OpenedSeal
}

/**
 * Reads the head of an object, and opens its content key with a key of this device.
 * @throws {MessageError} UNKNOWN_VERSION | MALFORMED | CUT_SHORT | NOT_SEALED_TO_ME | WRONG_KEY @throws {SealError} SEAL_UNSUPPORTED
 */
export async function openHead(
  pieces: Pieces,
  id: Uint8Array,
  route: Route,
  pairs: readonly BoxKeyPair[],
  engine: BoxEngine,
): Promise<OpenedHead> {
  const start = await pieces.take(START_BYTES)
  if (start.length > 0 && start[0] !== VERSION) throw unknownVersion('object')
  if (start.length < START_BYTES) throw cutShort('head')
  const sealCount = start[START_BYTES - 1]!
  if (sealCount === 0) throw new MessageError('MALFORMED', 'the object is sealed to nobody')
  const seals = await pieces.take(sealCount * KEY_SEAL_BYTES)
  if (seals.length < sealCount * KEY_SEAL_BYTES) throw cutShort('head')
  const aad = concatBytes(id, routeBytes(route))
  const seal = await openOwnSeal(seals, KEY_SEAL_BYTES, pairs, 'message-object', aad)
  if (!equalBytes(commitTo(seal.text, engine), start.subarray(1, 1 + COMMIT_BYTES)))
    throw new MessageError('WRONG_KEY', 'the content key is not the one to which the object commits')
  return { sealCount, seal }
}

/** @throws {MessageError} TOO_LARGE */
export function checkObjectLength(lengthBytes: number): void {
  const over = lengthBytes - MAX_OBJECT_BYTES
  if (over <= 0) return
  const message = `the sealed message has at least ${over} bytes more than the ${MAX_OBJECT_BYTES} that it may have`
  throw new MessageError('TOO_LARGE', message, { details: { over } })
}

/** @param part of the object within which its bytes end */
export function cutShort(part: string): MessageError {
  return new MessageError('CUT_SHORT', `the object is cut short: it ends in its ${part}`, { hint: 'fetch it again' })
}
