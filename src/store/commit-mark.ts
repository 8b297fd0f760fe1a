/** The mark that the first write of every batch leaves: how many commits the store has seen, and under which schema. */

export const MARK_KEY = 'commit' // no "/", so no record of a collection can have it
export const MARK_BYTES = 12 // schema u32 || number u64, big-endian

export interface CommitMark {
  readonly schema: number
  /** Batches written since the store was made; 0 when there is none yet. */
  readonly number: number
}

export function encodeMark({ schema, number }: CommitMark): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, schema)
  view.setBigUint64(4, BigInt(number))
  return bytes
}

/** @param bytes MARK_BYTES, whose checksum the caller verified */
export function decodeMark(bytes: Uint8Array): CommitMark {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return { schema: view.getUint32(0), number: Number(view.getBigUint64(4)) }
}
