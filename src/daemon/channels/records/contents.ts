/** Contents as they lie on the disk, sealed: parts that came from the peer, and contents that wait for the peer. */
import { Reader, Writer } from '../../../channel/exchange/fields.ts'

/** A part of a content of the peer, as a frame brought it. */
export interface InPart {
  readonly atSec: number
  readonly totalBytes: number
  readonly bytes: Uint8Array
}

/** A content for the peer: its bytes, or the upload whose pieces have them. */
export type OutRecord =
  | { readonly bytes: Uint8Array; readonly upload: null }
  | { readonly bytes: null; readonly upload: string; readonly totalBytes: number }

export function encodePart({ atSec, totalBytes, bytes }: InPart): Uint8Array {
  const writer = new Writer()
  writer.numbers([atSec, totalBytes])
  writer.bytes(bytes)
  return writer.whole()
}

export function decodePart(stored: Uint8Array): InPart {
  const reader = new Reader(stored, 0)
  const [atSec, totalBytes] = reader.numbers() as [number, number]
  const bytes = reader.bytes()
  reader.end()
  return { atSec, totalBytes, bytes }
}

export function encodeOut(record: OutRecord): Uint8Array {
  const writer = new Writer()
  writer.u8(record.upload === null ? 0 : 1)
  if (record.upload === null) writer.bytes(record.bytes)
  else {
    writer.texts([record.upload])
    writer.number(record.totalBytes)
  }
  return writer.whole()
}

export function decodeOut(stored: Uint8Array): OutRecord {
  const reader = new Reader(stored, 0)
  const isUpload = reader.u8() === 1
  const record: OutRecord = isUpload
    ? { bytes: null, upload: reader.texts()[0]!, totalBytes: reader.number() }
    : { bytes: reader.bytes(), upload: null }
  reader.end()
  return record
}
