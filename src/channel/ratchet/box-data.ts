/** The form that travels: a type, and the bytes of a message or frame (docs/channel.md, section 3). A box of a relay has it in base64url. */
import { concatBytes } from '../../core/encoding/bytes.ts'

export const BOX_TYPE = { m1: 1, m1WithoutK: 2, m2: 3, used: 4, frame: 5 } as const
export type BoxType = (typeof BOX_TYPE)[keyof typeof BOX_TYPE]

export const MAX_MESSAGE_BYTES = 12_000 // format: M1 and M2, as the greatest frame
export const MAX_DATA_BYTES: number = 1 + MAX_MESSAGE_BYTES // format: 16 002 characters; a box takes 16 384

export function formatData(type: BoxType, bytes: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(type), bytes)
}

/** The type of the data; null for an unknown type, and for data of a length that none has. */
export function dataType(data: Uint8Array): BoxType | null {
  const [type] = data
  const isKnown = type !== undefined && type >= BOX_TYPE.m1 && type <= BOX_TYPE.frame
  return isKnown && data.length <= MAX_DATA_BYTES ? (type as BoxType) : null
}
