/** Makes the object of a message, box by box (docs/messages.md, section 3). */
import type { Sha256Streams } from '../core/engine.ts'
import { BOX_TAG_BYTES, CHUNK_BYTES, sealBoxAt } from '../core/stream/box-stream.ts'
import { Pieces } from '../core/stream/pieces.ts'
import type { Header } from './header.ts'
import { checkObjectLength, CONTENT_KEY_BYTES, headBytes, sealHead, type MessageEngine } from './object-head.ts'
import { formatBeforeContent } from './signed-text.ts'

/** A message before it is sealed. */
export interface Outgoing extends Omit<Header, 'keys'> {
  /** The keys `enc` of the recipient's devices. */
  readonly toKeys: readonly Uint8Array[]
  /** Those of the sender's own other devices. */
  readonly ownKeys: readonly Uint8Array[]
}

/** The means of a sender. */
export interface SealingMeans {
  readonly engine: MessageEngine & { randomBytes(length: number): Uint8Array }
  /** Signs with the key of the sending device. @returns 64 bytes */
  sign(this: void, message: Uint8Array): Uint8Array
}

/** An object as its entry names it. */
export interface SealedObject {
  /** SHA-256 of all its bytes. */
  readonly hash: Uint8Array
  readonly lengthBytes: number
}

/**
 * Seals a message.
 * @param content gives the same bytes twice: once to be signed, once to be sealed
 * @param give takes the object in parts of at most 49 168 bytes, after a head of 34 and 80 for each key
 * @throws {MessageError} TOO_LARGE | MALFORMED | DUPLICATE_KEYS @throws {SealError} BOX_KEY_POINT | SEAL_UNSUPPORTED
 */
export async function sealObject(
  { toKeys, ownKeys, ...message }: Outgoing,
  content: () => AsyncIterable<Uint8Array>,
  give: (part: Uint8Array) => Promise<void> | void,
  { engine, sign }: SealingMeans,
): Promise<SealedObject> {
  const keys = [...toKeys, ...ownKeys]
  const { contentHash, contentBytes } = await measure(content(), engine)
  const before = formatBeforeContent({ ...message, keys }, contentHash, sign)
  const textBytes = before.length + contentBytes
  const lengthBytes = headBytes(keys.length) + textBytes + Math.ceil(textBytes / CHUNK_BYTES) * BOX_TAG_BYTES
  checkObjectLength(lengthBytes)
  const hash = engine.sha256Stream()
  const put = async (part: Uint8Array): Promise<void> => {
    hash.update(part)
    await give(part)
  }
  const { id, from, to, app } = message
  const readers = [
    { route: { from, reader: to, app }, keys: toKeys },
    { route: { from, reader: from, app }, keys: ownKeys },
  ]
  const contentKey = engine.randomBytes(CONTENT_KEY_BYTES)
  try {
    await put(await sealHead(contentKey, id, readers, engine))
    const text = new Pieces(after(before, content()))
    for (let index = 0, isLast = false; !isLast; index++) {
      const chunk = await text.take(CHUNK_BYTES)
      isLast = await text.isOver()
      await put(sealBoxAt(index, chunk, isLast, contentKey, engine))
    }
  } finally {
    contentKey.fill(0)
  }
  return { hash: hash.digest(), lengthBytes }
}

async function measure(
  content: AsyncIterable<Uint8Array>,
  engine: Sha256Streams,
): Promise<{ readonly contentHash: Uint8Array; readonly contentBytes: number }> {
  const hash = engine.sha256Stream()
  let contentBytes = 0
  for await (const part of content) {
    hash.update(part)
    contentBytes += part.length
  }
  return { contentHash: hash.digest(), contentBytes }
}

async function* after(
  before: Uint8Array,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield before
  yield* content
}
