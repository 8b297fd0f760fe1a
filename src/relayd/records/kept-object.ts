/** An object as a record: everything but its bytes, which are a file. */
import type { Codec } from '../../store/store.ts'
import type { HeldObject } from '../store/object-store.ts'

const FLAG_COMING = 1
const HASH_BYTES = 32
const HEAD_BYTES = 17 // flags u8 || bytes f64 || end f64

export interface KeptObject extends HeldObject {
  /** Its sender is sending it: `bytes` is the most that it may turn out to have. */
  readonly isComing: boolean
  /** 0 for one that is coming. */
  readonly endsUs: number
}

export const OBJECT_CODEC: Codec<KeptObject> = {
  version: 1,
  encode: ({ isComing, bytes, endsUs, hash }) => {
    const record = new Uint8Array(HEAD_BYTES + HASH_BYTES)
    const view = new DataView(record.buffer)
    view.setUint8(0, isComing ? FLAG_COMING : 0)
    view.setFloat64(1, bytes)
    view.setFloat64(9, endsUs)
    record.set(hash, HEAD_BYTES)
    return record
  },
  decode: (record) => {
    if (record.length !== HEAD_BYTES + HASH_BYTES) throw new Error(`${record.length} bytes are not an object`)
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength)
    return {
      isComing: (view.getUint8(0) & FLAG_COMING) !== 0,
      bytes: view.getFloat64(1),
      endsUs: view.getFloat64(9),
      hash: record.slice(HEAD_BYTES),
    }
  },
}
