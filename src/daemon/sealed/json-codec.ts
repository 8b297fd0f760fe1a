/** Values of sealed records as JSON. The apps key seals them, so nobody else has written them. */
import { decodeUtf8, encodeUtf8 } from '../../core/encoding/bytes.ts'
import type { SealedCodec } from './sealed-kind.ts'

export function jsonCodec<T>(): SealedCodec<T> {
  return {
    encode: (value) => encodeUtf8(JSON.stringify(value)),
    decode: (bytes) => JSON.parse(decodeUtf8(bytes) ?? '') as T,
  }
}
