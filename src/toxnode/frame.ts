/** Frames between the daemon and its Tox node: four bytes of length, most significant first, then so many bytes of JSON. */
import { LiveError } from './errors.ts'

const HEAD_BYTES = 4
export const MAX_FRAME_BYTES = 16_384 // sanity: a packet of 1371 bytes, each as a \u escape of JSON, and keys; nothing needs more

/** The bytes of one frame. @throws {LiveError} LIVE_FRAME_TOO_LARGE */
export function encodeFrame(message: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > MAX_FRAME_BYTES) throw tooLarge(body.length)
  const frame = Buffer.alloc(HEAD_BYTES + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, HEAD_BYTES)
  return frame
}

/** Cuts a stream into frames, however it comes in pieces; holds at most one frame and the piece that came last. */
export class FrameCutter {
  #held: Buffer = Buffer.alloc(0)

  /**
   * @returns what the frames hold that are whole now
   * @throws {LiveError} LIVE_FRAME_TOO_LARGE | LIVE_FRAME_INVALID; then the stream cannot be read further
   */
  push(piece: Uint8Array): unknown[] {
    const bytes = this.#held.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#held, piece])
    const messages: unknown[] = []
    let at = 0
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32BE(at)
      // The claimed length is compared before anybody waits for so many bytes.
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
    // Without the cause: it quotes the text.
    throw new LiveError('LIVE_FRAME_INVALID', 'a frame holds no JSON')
  }
}

function tooLarge(length: number): LiveError {
  return new LiveError('LIVE_FRAME_TOO_LARGE', `a frame of ${length} bytes, at most ${MAX_FRAME_BYTES} are taken`)
}
