/** Opens the object of a message, box by box (docs/messages.md, section 5). */
import { equalBytes } from '../core/encoding/bytes.ts'
import type { Boxes, Sha256Stream } from '../core/engine.ts'
import { BOX_BYTES, openBoxAt } from '../core/stream/box-stream.ts'
import { Pieces } from '../core/stream/pieces.ts'
import type { BoxKeyPair } from '../seal/key-pair.ts'
import type { MessageEntry } from './entry.ts'
import { MessageError } from './errors.ts'
import type { Header } from './header.ts'
import { checkObjectLength, cutShort, openHead, type MessageEngine, type OpenedHead } from './object-head.ts'
import type { Route } from './seals.ts'
import { readTextStart } from './signed-text.ts'

/** The facts that a reader has before it opens an object. */
export interface Expected {
  readonly entry: MessageEntry
  readonly route: Route
  /** The keys `sig` that the sender's card lists. */
  readonly devices: readonly Uint8Array[]
  /** The key pairs `enc` of this device, the newest first. */
  readonly pairs: readonly BoxKeyPair[]
}

/**
 * Opens an object, and checks that it is the message that its entry names, for this reader.
 * @param object in pieces of any length
 * @param take gets the content in parts of at most 49 152 bytes. None of it may be shown before this call is done: it is verified at the end
 * @throws {MessageError} every code but WRONG_RECEIPT @throws {SealError} SEAL_UNSUPPORTED
 */
export async function openObject(
  object: AsyncIterable<Uint8Array>,
  expected: Expected,
  take: (part: Uint8Array) => Promise<void> | void,
  engine: MessageEngine,
): Promise<Header> {
  const { entry, route, pairs } = expected
  const hash = engine.sha256Stream()
  const pieces = new Pieces(hashed(object, hash))
  const head = await openHead(pieces, entry.id, route, pairs, engine)
  const contentKey = head.seal.text
  const start = readTextStart(await openBox(pieces, 0, contentKey, engine))
  checkHeader(start.header, head, expected)
  const content = engine.sha256Stream()
  for (let index = 1, part = start.content; ; part = await openBox(pieces, index++, contentKey, engine)) {
    content.update(part)
    if (part.length > 0) await take(part)
    if (await pieces.isOver()) break
  }
  contentKey.fill(0)
  if (!equalBytes(hash.digest(), entry.hash))
    throw new MessageError('WRONG_HASH', 'the object is another one than its entry names')
  if (!engine.verify(start.signature, start.signed(content.digest()), start.header.device))
    throw new MessageError('WRONG_SIGNATURE', 'the device of the header did not sign this message')
  return start.header
}

async function openBox(pieces: Pieces, index: number, contentKey: Uint8Array, boxes: Boxes): Promise<Uint8Array> {
  const box = await pieces.take(BOX_BYTES)
  if (box.length === 0) throw cutShort('boxes')
  const chunk = openBoxAt(index, box, await pieces.isOver(), contentKey, boxes)
  if (typeof chunk !== 'string') return chunk
  if (chunk === 'cut') throw cutShort('boxes')
  const message = `box ${index + 1} of the object was changed, exchanged, left out or added`
  throw new MessageError('TAMPERED', message)
}

/** Each step of section 5 that needs the header. @throws {MessageError} */
function checkHeader(header: Header, { sealCount, seal }: OpenedHead, expected: Expected): void {
  const { entry, route, devices } = expected
  const listed = header.keys[seal.index]
  if (header.keys.length !== sealCount || listed === undefined || !equalBytes(listed, seal.key))
    throw new MessageError('KEY_NOT_LISTED', 'the header lists other keys than those to which the object is sealed')
  if (!equalBytes(header.id, entry.id) || header.kind !== entry.kind)
    throw new MessageError('WRONG_ENTRY', 'the entry names another message')
  if (header.app !== route.app) throw new MessageError('WRONG_APP', 'the message is for another app')
  if (!equalBytes(header.from, route.from))
    throw new MessageError('WRONG_SENDER', 'the message is from another persona than the inbox names')
  if (!equalBytes(header.to, route.reader) && !equalBytes(header.from, route.reader))
    throw new MessageError('NOT_FOR_ME', 'the message is for another persona')
  if (!devices.some((device) => equalBytes(device, header.device)))
    throw new MessageError('UNKNOWN_DEVICE', "the sender's card does not list the device that sent the message")
}

/** Hashes all that is read, and stops at the greatest length. */
async function* hashed(
  object: AsyncIterable<Uint8Array>,
  hash: Sha256Stream,
): AsyncGenerator<Uint8Array, void, undefined> {
  let lengthBytes = 0
  for await (const piece of object) {
    lengthBytes += piece.length
    checkObjectLength(lengthBytes)
    hash.update(piece)
    yield piece
  }
}
