/** The commit mark, the first write of every batch: the number of commits so far, and the schema. */

export const MARK_KEY = 'commit' // has no "/", so no record of a collection can have this key
export const MARK_BYTES = 12 // schema u32 || number u64, big-endian

export interface CommitMark {
  readonly schema: number
  /** Number of batches written since the store was made; 0 before the first. */
  readonly number: number
}

export function encodeMark({ schema, number }: CommitMark): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, schema)
  view.setBigUint64(4, BigInt(number))
  return bytes
}

/** @param bytes MARK_BYTES bytes; the caller has verified their checksum */
export function decodeMark(bytes: Uint8Array): CommitMark {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { schema: view.getUint32(0), number: Number(view.getBigUint64(4)) }
}
