/**
 * A long text in boxes, of which none can be changed, removed, swapped or cut off unnoticed (docs/backup.md, section 3). The nonce of box i
 * is 15 zero bytes, i as u64, and a byte that is 1 only for the last box. This is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) as in age,
 * with XSalsa20-Poly1305. Two keys can open one box to two texts: where a key is not known to be the only one, it is committed to.
 */
import { u64be } from '../encoding/bytes.ts'
import type { Boxes } from '../engine.ts'

export const CHUNK_BYTES: number = 48 << 10 // format: text in one box, the last one 1..CHUNK_BYTES
export const BOX_TAG_BYTES = 16 // format: Poly1305
export const BOX_BYTES: number = CHUNK_BYTES + BOX_TAG_BYTES
const NONCE_BYTES = 24 // format: XSalsa20

/**
 * - `cut`: the stream goes on after this box, and nothing came.
 * - `extended`: this box was the last one, and more came.
 * - `damaged`: another key, changed bytes, or a box from another place.
 */
export type BoxRefusal = 'cut' | 'extended' | 'damaged'

/** Whether a chunk may stand at its place: only the last one may be short, and none is empty. */
export function isChunk(chunk: Uint8Array, isLast: boolean): boolean {
  return chunk.length > 0 && (isLast ? chunk.length <= CHUNK_BYTES : chunk.length === CHUNK_BYTES)
}

/**
 * Seals the chunk of box `index`, for which {@link isChunk} holds. It is neither kept nor changed.
 * @param key 32 bytes, of this stream alone
 */
export function sealBoxAt(
  index: number,
  chunk: Uint8Array,
  isLast: boolean,
  key: Uint8Array,
  boxes: Boxes,
): Uint8Array {
  return boxes.sealBox(chunk, nonceOf(index, isLast), key)
}

/** Opens box `index`. @param isLast whether the stream ends after it */
export function openBoxAt(
  index: number,
  box: Uint8Array,
  isLast: boolean,
  key: Uint8Array,
  boxes: Boxes,
): Uint8Array | BoxRefusal {
  const chunk = boxes.openBox(box, nonceOf(index, isLast), key)
  if (chunk !== null) return chunk
  const other = boxes.openBox(box, nonceOf(index, !isLast), key)
  if (other === null) return 'damaged'
  other.fill(0)
  return isLast ? 'cut' : 'extended'
}

function nonceOf(index: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(NONCE_BYTES)
  nonce.set(u64be(index), NONCE_BYTES - 9)
  nonce[NONCE_BYTES - 1] = Number(isLast)
  return nonce
}
