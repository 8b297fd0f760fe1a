/** Reads the body of a request, whatever its Content-Type says: the text's own examples are `curl -d`. */
import type { IncomingMessage } from 'node:http'
import { decodeUtf8 } from '../../core/encoding/bytes.ts'

/** A body that was not read whole: it is too big, or the sender went away or was too slow. */
type Unread = { readonly outcome: 'too big' } | { readonly outcome: 'gone' }

/** JSON; `malformed` is not UTF-8, or not JSON. */
export type Body = { readonly outcome: 'read'; readonly value: unknown } | { readonly outcome: 'malformed' } | Unread

/** A text; null if it is not UTF-8. */
export type TextBody = { readonly outcome: 'read'; readonly text: string | null } | Unread

const FIRST_BYTES = 1024 // sanity: most bodies

/** Reads a body as JSON. After `too big` the caller decides what happens to the rest. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const body = await readText(request, maxBytes)
  if (body.outcome !== 'read') return body
  if (body.text === null) return { outcome: 'malformed' }
  try {
    return { outcome: 'read', value: JSON.parse(body.text) as unknown }
  } catch {
    return { outcome: 'malformed' }
  }
}

/**
 * Reads at most `maxBytes`. Copies what arrives into one buffer: a body sent byte by byte would otherwise take a hundred times its size.
 * After `too big` the caller decides what happens to the rest.
 */
export function readText(request: IncomingMessage, maxBytes: number): Promise<TextBody> {
  const announced = Number(request.headers['content-length'] ?? 0)
  if (announced > maxBytes) return Promise.resolve({ outcome: 'too big' })
  return new Promise((resolve) => {
    let bytes = Buffer.allocUnsafe(Math.min(maxBytes, announced > 0 ? announced : FIRST_BYTES))
    let length = 0
    const settle = (body: TextBody): void => {
      request.off('data', take).off('end', finish).off('close', leave).off('error', leave)
      // An error after that has no reader any more, and would end the process.
      request.on('error', ignore)
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
    const finish = (): void => settle({ outcome: 'read', text: decodeUtf8(bytes.subarray(0, length)) })
    const leave = (): void => settle({ outcome: 'gone' })
    request.on('data', take).on('end', finish).on('close', leave).on('error', leave)
  })
}

/** Reads and forgets the rest of a body that is too big, so that its sender reads the answer. Ends the connection after `maxBytes`. */
export function drain(request: IncomingMessage, maxBytes: number): void {
  let left = maxBytes
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.socket.destroy()
  })
}

/** Whether a part of the body has not come yet. A request without a body is complete only after its listeners ran. */
export function hasRest({ complete, headers }: IncomingMessage): boolean {
  return !complete && (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0)
}

/** Here, since a function made in a call keeps the body of that call for as long as the request lives: an hour, for a stream. */
function ignore(): void {}
