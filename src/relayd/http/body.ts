/** Reads the body of a request as JSON, whatever its Content-Type says: the text's own examples are `curl -d`. */
import type { IncomingMessage } from 'node:http'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'

export type Body =
  | { readonly outcome: 'read'; readonly value: unknown }
  /** Not UTF-8, or not JSON. */
  | { readonly outcome: 'malformed' }
  | { readonly outcome: 'too big' }
  /** The sender went away, or was too slow. */
  | { readonly outcome: 'gone' }

const FIRST_BYTES = 1024 // sanity: most bodies

/**
 * Reads at most `maxBytes`. Copies what arrives into one buffer: a body sent byte by byte would otherwise take a hundred times its size.
 * After `too big` the caller decides what happens to the rest.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > maxBytes) return Promise.resolve({ outcome: 'too big' })
  return new Promise((resolve) => {
    let bytes = Buffer.allocUnsafe(Math.min(maxBytes, announced > 0 ? announced : FIRST_BYTES))
    let length = 0
    const settle = (body: Body): void => {
      request.off('data', take).off('end', finish).off('close', leave).off('error', leave)
      // An error after that has no reader any more, and would end the process.
      request.on('error', () => {})
      resolve(body)
    }
    const take = (chunk: Buffer): void => {
      if (length + chunk.length > maxBytes) return settle({ outcome: 'too big' })
      if (length + chunk.length > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(2 * bytes.length, length + chunk.length)))
        bytes.copy(larger, 0, 0, length)
        bytes = larger
      }
      chunk.copy(bytes, length)
      length += chunk.length
    }
    const finish = (): void => settle(parse(bytes.subarray(0, length)))
    const leave = (): void => settle({ outcome: 'gone' })
    request.on('data', take).on('end', finish).on('close', leave).on('error', leave)
  })
}

function parse(bytes: Uint8Array): Body {
  const text = decodeUtf8(bytes)
  if (text === null) return { outcome: 'malformed' }
  try {
    return { outcome: 'read', value: JSON.parse(text) as unknown }
  } catch {
    return { outcome: 'malformed' }
  }
}

/** Reads and forgets the rest of a body that is too big, so that its sender reads the answer. Ends the connection after `maxBytes`. */
export function drain(request: IncomingMessage, maxBytes: number): void {
  let left = maxBytes
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.socket.destroy()
  })
}
