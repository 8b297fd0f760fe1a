/** A box as a record: what the store knows of it without its messages. */
import { encodeUtf8 } from '../../core/encoding/bytes.ts'
import { sha256 } from '../../crypto/short-hash.ts'

const FLAG_RETIRED = 1
const HEAD_BYTES = 42 // flags u8 || five moments f64 || length of the maker u8
const MESSAGE_BYTES = 36 // moment f64 || end f64 || length u32 || digest
export const DIGEST_BYTES = 16 // sanity: nobody finds other data with the digest of a given one; two of their own would only renew each other

/** One message of a box. Its data is a record of its own. */
export interface KeptMessage {
  readonly atUs: number
  expiresUs: number
  /** Length of the data. */
  readonly bytes: number
  /** The first DIGEST_BYTES bytes of SHA-256 of the data. */
  readonly digest: Uint8Array
}

/** Moments are microseconds since 1970, and whole numbers below 2^53, which a double holds exactly. */
export interface Box {
  /** The moment of the last message; 0 before the first. */
  lastAtUs: number
  /** The last check, noted to the hour; 0 if there was none. */
  checkedUs: number
  /** The last send; 0 if there was none. */
  sentUs: number
  isRetired: boolean
  /** Messages after this moment came after the box was retired. */
  retiredAtUs: number
  /** When to look at the box again; never after the first moment at which something in it has lived its time. */
  dueUs: number
  /** The address that made the box, as HMAC; null once the owner has claimed it. */
  maker: string | null
  /** In the order of their moments. */
  messages: KeptMessage[]
}

export function digestOf(data: string): Uint8Array {
  return sha256(data, DIGEST_BYTES)
}

export function encodeBox(box: Box): Uint8Array {
  const maker = encodeUtf8(box.maker ?? '')
  if (maker.length > 255) throw new RangeError(`an address as HMAC has at most 255 bytes, not ${maker.length}`)
  const bytes = new Uint8Array(HEAD_BYTES + maker.length + box.messages.length * MESSAGE_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, box.isRetired ? FLAG_RETIRED : 0)
  view.setFloat64(1, box.lastAtUs)
  view.setFloat64(9, box.checkedUs)
  view.setFloat64(17, box.sentUs)
  view.setFloat64(25, box.retiredAtUs)
  view.setFloat64(33, box.dueUs)
  view.setUint8(HEAD_BYTES - 1, maker.length)
  bytes.set(maker, HEAD_BYTES)
  let at = HEAD_BYTES + maker.length
  for (const message of box.messages) {
    view.setFloat64(at, message.atUs)
    view.setFloat64(at + 8, message.expiresUs)
    view.setUint32(at + 16, message.bytes)
    bytes.set(message.digest, at + 20)
    at += MESSAGE_BYTES
  }
  return bytes
}

/** @param bytes as {@link encodeBox} makes them; the digests stay views of them @throws any error when they are not a box */
export function decodeBox(bytes: Uint8Array): Box {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const makerEnd = HEAD_BYTES + view.getUint8(HEAD_BYTES - 1)
  if ((bytes.length - makerEnd) % MESSAGE_BYTES !== 0) throw new Error(`${bytes.length} bytes are not a box`)
  const moment = (i: number): number => view.getFloat64(1 + 8 * i)
  const messages: KeptMessage[] = []
  for (let at = makerEnd; at < bytes.length; at += MESSAGE_BYTES)
    messages.push({
      atUs: view.getFloat64(at),
      expiresUs: view.getFloat64(at + 8),
      bytes: view.getUint32(at + 16),
      digest: bytes.subarray(at + 20, at + MESSAGE_BYTES),
    })
  return {
    isRetired: (view.getUint8(0) & FLAG_RETIRED) !== 0,
    lastAtUs: moment(0),
    checkedUs: moment(1),
    sentUs: moment(2),
    retiredAtUs: moment(3),
    dueUs: moment(4),
    maker: makerEnd === HEAD_BYTES ? null : new TextDecoder().decode(bytes.subarray(HEAD_BYTES, makerEnd)),
    messages,
  }
}
