/** The body of a frame: items, one after another (docs/channel.md, section 7). */
import { readU32, u32be } from '../../core/encoding/bytes.ts'

/** A content that has begun and is not complete. */
export interface Begun {
  readonly totalBytes: number
  readonly haveBytes: number
}

export type Item =
  /** A whole content, or the first bytes of one. */
  | { readonly item: 'begin'; readonly totalBytes: number; readonly bytes: Uint8Array }
  /** Further bytes of the content that has begun. */
  | { readonly item: 'more'; readonly bytes: Uint8Array }
  /** A text between the two daemons, which no app sees. */
  | { readonly item: 'control'; readonly type: number; readonly bytes: Uint8Array }

const TAG = { end: 0, whole: 1, begin: 2, more: 3, control: 4 } as const
const WHOLE_HEAD_BYTES = 3 // tag, length u16
const BEGIN_HEAD_BYTES = 7 // tag, length of the content u32, length u16
const MORE_HEAD_BYTES = 3
export const CONTROL_HEAD_BYTES = 4 // tag, type, length u16

export const MAX_CONTENT_BYTES: number = 64 << 20 // sanity: what an app may send in one piece; it is announced before its bytes come
export const MAX_CONTROL_BYTES = 11_000 // format: a card of 8 KiB fits; a control text is never cut

/** The item with the most of a content that fits; null when not one byte fits. */
export function cutItem(
  content: Uint8Array,
  offset: number,
  roomBytes: number,
): { readonly item: Uint8Array; readonly offset: number } | null {
  const left = content.length - offset
  if (offset === 0 && WHOLE_HEAD_BYTES + left <= roomBytes)
    return { item: itemOf([TAG.whole, ...u16(left)], content), offset: left }
  const headBytes = offset === 0 ? BEGIN_HEAD_BYTES : MORE_HEAD_BYTES
  const count = Math.min(left, roomBytes - headBytes)
  if (count < 1) return null
  const part = content.subarray(offset, offset + count)
  const head = offset === 0 ? [TAG.begin, ...u32be(content.length), ...u16(count)] : [TAG.more, ...u16(count)]
  return { item: itemOf(head, part), offset: offset + count }
}

/** @param bytes at most MAX_CONTROL_BYTES */
export function controlItem(type: number, bytes: Uint8Array): Uint8Array {
  return itemOf([TAG.control, type, ...u16(bytes.length)], bytes)
}

/** The text of an item from {@link controlItem}; null for one of another type. */
export function controlText(item: Uint8Array, type: number): Uint8Array | null {
  return item[1] === type ? item.subarray(CONTROL_HEAD_BYTES) : null
}

function itemOf(head: readonly number[], bytes: Uint8Array): Uint8Array {
  const item = new Uint8Array(head.length + bytes.length)
  item.set(head)
  item.set(bytes, head.length)
  return item
}

function u16(value: number): readonly [number, number] {
  return [value >> 8, value & 0xff]
}

/**
 * Reads a body. Every item has its turn: no content begins while another is not complete.
 * @param begun the content that frames before have begun
 * @returns the items, whose bytes are parts of the body, and the content that is begun after it; null for a body that breaks the rules
 */
export function readBody(
  body: Uint8Array,
  begun: Begun | null,
): { readonly items: readonly Item[]; readonly begun: Begun | null } | null {
  const items: Item[] = []
  let open = begun
  let at = 0
  while (at < body.length && body[at] !== TAG.end) {
    const read = readItem(body, at)
    if (read === null) return null
    const { item } = read
    if (item.item !== 'control') {
      const next = follow(item, open)
      if (next === 'wrong') return null
      open = next
    }
    items.push(item)
    at = read.end
  }
  for (; at < body.length; at++) if (body[at] !== 0) return null
  return { items, begun: open }
}

function readItem(body: Uint8Array, at: number): { readonly item: Item; readonly end: number } | null {
  const tag = body[at]
  const headBytes = tag === TAG.begin ? BEGIN_HEAD_BYTES : tag === TAG.control ? CONTROL_HEAD_BYTES : WHOLE_HEAD_BYTES
  const start = at + headBytes
  if (start > body.length || tag === undefined || tag > TAG.control) return null
  const end = start + body[start - 2]! * 256 + body[start - 1]!
  if (end > body.length) return null
  const bytes = body.subarray(start, end)
  if (tag === TAG.whole) return { item: { item: 'begin', totalBytes: bytes.length, bytes }, end }
  if (tag === TAG.more) return { item: { item: 'more', bytes }, end }
  if (tag === TAG.control) return { item: { item: 'control', type: body[at + 1]!, bytes }, end }
  const totalBytes = readU32(body, at + 1)
  // A content that is all there has the other tag: one text for one thing.
  if (totalBytes > MAX_CONTENT_BYTES || bytes.length < 1 || bytes.length >= totalBytes) return null
  return { item: { item: 'begin', totalBytes, bytes }, end }
}

/** The content that is begun after an item. */
function follow(item: Exclude<Item, { item: 'control' }>, begun: Begun | null): Begun | null | 'wrong' {
  if ((item.item === 'begin') !== (begun === null)) return 'wrong'
  const count = item.bytes.length
  const [totalBytes, haveBytes] =
    item.item === 'begin' ? [item.totalBytes, count] : [begun!.totalBytes, begun!.haveBytes + count]
  if (haveBytes > totalBytes || (item.item === 'more' && count < 1)) return 'wrong'
  return haveBytes === totalBytes ? null : { totalBytes, haveBytes }
}
