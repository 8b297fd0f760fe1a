/** Frames: a sealed header and a sealed body, of four sizes (docs/channel.md, section 6). */
import { concatBytes, isZero } from '../../core/encoding/bytes.ts'
import { LABEL_CHANNEL_FRAME } from '../../core/labels.ts'
import type { ChannelEngine } from './engine.ts'
import { hash32, KEY_BYTES } from './kdf.ts'
import { BOX_TYPE } from './box-data.ts'

/** Whole frames have one of these lengths, so that their size tells little. */
export const FRAME_BYTES = [256, 880, 4096, 12_000] as const // format: the last fits a box of a relay, the second a record of the DHT

export const FRAME_KIND = {
  /** Contents, in order. */
  contents: 1,
  /** An ack alone: no number, no message key. */
  ack: 2,
  /** This end is broken; as an ack alone. */
  broken: 3,
  /** The last frame, in order: the sender has closed the channel. */
  last: 4,
} as const
export type FrameKind = (typeof FRAME_KIND)[keyof typeof FRAME_KIND]

export interface FrameHeader {
  readonly kind: FrameKind
  /** 1, 2, ...; 0 for a frame without a number. */
  readonly counter: number
  /** The counter before the first frame of this chain. */
  readonly previous: number
  /** The peer's frames up to this counter are durable at the sender. */
  readonly ack: number
  /** The newest key of the sender's ratchet, 32 bytes; zeros in a frame without a number. */
  readonly key: Uint8Array
}

const VERSION = 1
const NONCE_BYTES = 24
export const TAG_BYTES = 16
const HEADER_BYTES = 58 // version, kind, three counters of 8 bytes, key
const HEADER_BOX_BYTES = HEADER_BYTES + TAG_BYTES
const HEADER_BOX_AT = 2 * NONCE_BYTES
const BODY_BOX_AT = HEADER_BOX_AT + HEADER_BOX_BYTES
/** The size of a frame beside its body. */
export const FRAME_OVERHEAD_BYTES: number = BODY_BOX_AT + TAG_BYTES
/** The greatest body. */
export const MAX_BODY_BYTES: number = FRAME_BYTES.at(-1)! - FRAME_OVERHEAD_BYTES
const FRAME_TYPE = Uint8Array.of(BOX_TYPE.frame)
const NO_KEY = new Uint8Array(KEY_BYTES)

/** The length of the smallest body that holds so many bytes. @param usedBytes at most MAX_BODY_BYTES */
export function bodyBytesFor(usedBytes: number): number {
  return FRAME_BYTES.find((bytes) => bytes - FRAME_OVERHEAD_BYTES >= usedBytes)! - FRAME_OVERHEAD_BYTES
}

/**
 * Seals a frame.
 * @param secret the message key, 32 bytes
 * @param body one of the four lengths of a body
 * @returns the data of a box: the type, and the frame
 */
export function sealFrame(
  header: FrameHeader,
  headerKey: Uint8Array,
  secret: Uint8Array,
  body: Uint8Array,
  engine: ChannelEngine,
): Uint8Array {
  const nonces = engine.randomBytes(2 * NONCE_BYTES)
  const n2 = nonces.subarray(NONCE_BYTES)
  const headerBox = engine.sealBox(formatHeader(header), nonces.subarray(0, NONCE_BYTES), headerKey)
  const bodyKey = hash32(engine, LABEL_CHANNEL_FRAME, secret, n2, headerBox)
  return engine.sealBox(body, n2, bodyKey, FRAME_TYPE, nonces, headerBox)
}

/** Seals a frame without a number: its body is empty, under the header key. It looks like the smallest frame. */
export function sealNotice(kind: 2 | 3, ack: number, headerKey: Uint8Array, engine: ChannelEngine): Uint8Array {
  const header: FrameHeader = { kind, counter: 0, previous: 0, ack, key: NO_KEY }
  return sealFrame(header, headerKey, headerKey, new Uint8Array(bodyBytesFor(0)), engine)
}

/** A frame whose header has opened: the peer has made the header. The body may still be another's. */
export interface OpenedHeader {
  readonly header: FrameHeader
  /** The tag of the header box, 16 bytes. A frame that is repeated has the same, another frame another. */
  readonly tag: Uint8Array
  readonly frame: Uint8Array
}

/** Opens the header. @param frame without its type @returns null when it does not open, or is no header of version 1 */
export function openHeader(frame: Uint8Array, headerKey: Uint8Array, engine: ChannelEngine): OpenedHeader | null {
  if (!(FRAME_BYTES as readonly number[]).includes(frame.length)) return null
  const box = frame.subarray(HEADER_BOX_AT, BODY_BOX_AT)
  const bytes = engine.openBox(box, frame.subarray(0, NONCE_BYTES), headerKey)
  const header = bytes === null ? null : parseHeader(bytes)
  return header === null ? null : { header, tag: box.slice(0, TAG_BYTES), frame }
}

/** Opens the body. @param secret the message key @returns null when it does not open */
export function openBody({ frame }: OpenedHeader, secret: Uint8Array, engine: ChannelEngine): Uint8Array | null {
  const n2 = frame.subarray(NONCE_BYTES, HEADER_BOX_AT)
  const bodyKey = hash32(engine, LABEL_CHANNEL_FRAME, secret, n2, frame.subarray(HEADER_BOX_AT, BODY_BOX_AT))
  return engine.openBox(frame.subarray(BODY_BOX_AT), n2, bodyKey)
}

/** Whether a frame without a number is whole: nobody has changed the bytes after its header. */
export function isWholeNotice(opened: OpenedHeader, headerKey: Uint8Array, engine: ChannelEngine): boolean {
  const body = openBody(opened, headerKey, engine)
  return body !== null && isZero(body)
}

function formatHeader({ kind, counter, previous, ack, key }: FrameHeader): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  bytes[0] = VERSION
  bytes[1] = kind
  view.setBigUint64(2, BigInt(counter))
  view.setBigUint64(10, BigInt(previous))
  view.setBigUint64(18, BigInt(ack))
  bytes.set(key, 26)
  return bytes
}

function parseHeader(bytes: Uint8Array): FrameHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  const [counter, previous, ack] = [2, 10, 18].map((at) => Number(view.getBigUint64(at))) as [number, number, number]
  const kind = bytes[1]!
  if (bytes[0] !== VERSION || !isFrameKind(kind)) return null
  if (![counter, previous, ack].every(Number.isSafeInteger) || previous > counter) return null
  const key = bytes.subarray(26)
  const hasNumber = kind === FRAME_KIND.contents || kind === FRAME_KIND.last
  if (hasNumber ? previous >= counter : counter !== 0 || !isZero(key)) return null
  return { kind, counter, previous, ack, key }
}

function isFrameKind(byte: number): byte is FrameKind {
  return byte >= FRAME_KIND.contents && byte <= FRAME_KIND.last
}

/** A body of items, with zeros up to the next of the four lengths. */
export function paddedBody(items: readonly Uint8Array[]): Uint8Array {
  let used = 0
  for (const item of items) used += item.length
  return concatBytes(...items, new Uint8Array(bodyBytesFor(used) - used))
}
