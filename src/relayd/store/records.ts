/**
 * The records of a relay's store, and their keys:
 *
 *   box/ID            the box (box.ts)
 *   msg/ID/MOMENT     the data of one message
 *   due/MOMENT/ID     when to look at the box again; empty
 *   made/ADDRESS      number of boxes of this address that no owner has claimed
 *   total/all         numbers of boxes and messages, and their bytes
 *
 * Nothing at a start reads more than one record of them. A moment is 14 hexadecimal digits, so that keys are in the order of time.
 */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import { jsonCodec, type Codec } from '../../store/store.ts'
import { decodeBox, encodeBox, type Box } from './box.ts'
import type { BoxId } from './relay-store.ts'

export interface Totals {
  readonly boxes: number
  readonly messages: number
  readonly bytes: number
}

export const BOX_CODEC: Codec<Box> = { version: 1, encode: encodeBox, decode: decodeBox }
export const COUNT_CODEC: Codec<number> = jsonCodec(1, checkCount)
export const TOTALS_CODEC: Codec<Totals> = jsonCodec(1, (value) => {
  const { boxes, messages, bytes } = value as Totals
  return { boxes: checkCount(boxes), messages: checkCount(messages), bytes: checkCount(bytes) }
})
export const DATA_CODEC: Codec<string> = {
  version: 1,
  encode: encodeUtf8,
  decode: (bytes) => {
    const text = decodeUtf8(bytes)
    if (text === null) throw new Error('not UTF-8')
    return text
  },
}
export const EMPTY_CODEC: Codec<null> = { version: 1, encode: () => new Uint8Array(0), decode: () => null }

function checkCount(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error('not a count')
  return value
}

const MOMENT_DIGITS = 14 // 2^53 has 14 hexadecimal digits

export function messageId(box: BoxId, atUs: number): string {
  return `${box}/${formatMoment(atUs)}`
}

export function dueId(box: BoxId, dueUs: number): string {
  return `${formatMoment(dueUs)}/${box}`
}

export function parseDueId(id: string): { readonly dueUs: number; readonly box: BoxId } {
  return { dueUs: Number.parseInt(id.slice(0, MOMENT_DIGITS), 16), box: id.slice(MOMENT_DIGITS + 1) }
}

function formatMoment(us: number): string {
  return us.toString(16).padStart(MOMENT_DIGITS, '0')
}
