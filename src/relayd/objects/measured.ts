/** The body of an object on its way to its file: counted, hashed, and refused while it comes. */
import { createHash } from 'node:crypto'
import { equalBytes } from '../../core/encoding/bytes.ts'
import { PersonadError } from '../../errors/personad-error.ts'

export type BodyErrorCode =
  | 'BODY_TOO_BIG'
  | 'BODY_EMPTY'
  | 'BODY_OTHER' // it has not the hash that the device signed
  | 'BODY_BROKEN' // its sender left, or was too slow

/** A body that is not kept. */
export class BodyError extends PersonadError<BodyErrorCode> {
  override readonly name = 'BodyError'
}

export interface Measured {
  readonly parts: AsyncIterable<Uint8Array>
  /** Bytes that came so far. */
  readonly bytes: number
}

/**
 * @param hash SHA-256 that the whole body has to have, 32 bytes
 * @returns parts that throw a {@link BodyError} at once where the body is too big, and at their end where it is another one
 */
export function measure(body: AsyncIterable<Uint8Array>, hash: Uint8Array, maxBytes: number): Measured {
  const measured = { bytes: 0, parts: pass() }
  return measured

  async function* pass(): AsyncGenerator<Uint8Array, void, void> {
    const found = createHash('sha256')
    for await (const part of unbroken(body)) {
      measured.bytes += part.length
      if (measured.bytes > maxBytes) throw new BodyError('BODY_TOO_BIG', `the body has over ${maxBytes} bytes`)
      found.update(part)
      yield part
    }
    if (measured.bytes === 0) throw new BodyError('BODY_EMPTY', 'the body has no bytes')
    if (!equalBytes(found.digest(), hash)) throw new BodyError('BODY_OTHER', 'the body is not that of its token')
  }
}

async function* unbroken(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body
  } catch (cause) {
    throw new BodyError('BODY_BROKEN', 'the body ended before its time', { cause })
  }
}
