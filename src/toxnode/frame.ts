/** Frames between the daemon and its Tox node: a length of four bytes, big-endian, then so many bytes of JSON. */
import { LiveError } from './errors.ts'

const HEAD_BYTES = 4
export const MAX_FRAME_BYTES = 16_384 // sanity: a packet of 1371 bytes, each as a \u escape of JSON, plus keys; nothing needs more

/**
 * Encodes one message as a frame.
 * @throws {LiveError} LIVE_FRAME_TOO_LARGE
 */
export function encodeFrame(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > MAX_FRAME_BYTES) throw tooLarge(body.length)
  const frame = Buffer.alloc(HEAD_BYTES + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, HEAD_BYTES)
  return frame
}

/** Splits a stream into frames, however it is cut into pieces. Holds at most one frame and the last piece. */
export class FrameCutter {
  #held: Buffer = Buffer.alloc(0)

  /**
   * @returns the messages of all frames that are complete now
   * @throws {LiveError} LIVE_FRAME_TOO_LARGE | LIVE_FRAME_INVALID; the stream is unreadable afterwards
   */
  push(piece: Uint8Array): unknown[] {
    const bytes = this.#held.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#held, piece])
    const messages: unknown[] = []
    let at = 0
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32BE(at)
      // Check the claimed length before waiting for so many bytes.
      if (length > MAX_FRAME_BYTES) throw tooLarge(length)
      if (bytes.length - at - HEAD_BYTES < length) break
      at += HEAD_BYTES
      messages.push(parse(bytes.toString('utf8', at, at + length)))
      at += length
    }
    this.#held = bytes.subarray(at)
    return messages
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Leave out the cause: it quotes the text.
    throw new LiveError('LIVE_FRAME_INVALID', 'a frame does not hold JSON')
  }
}

function tooLarge(length: number): LiveError {
  return new LiveError('LIVE_FRAME_TOO_LARGE', `a frame has ${length} bytes; the limit is ${MAX_FRAME_BYTES}`)
}
