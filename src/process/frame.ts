/**
 * Frames between a program and its child: the length of the rest (four bytes), the length of the head (two bytes), a
 * head of JSON, and a body of raw bytes, which may be empty. All numbers are big-endian.
 */
import type { Writable } from 'node:stream'
import { PersonadError } from '../errors/personad-error.ts'

export type FrameErrorCode =
  | 'FRAME_TOO_LARGE' // the head or the body is longer than the program allows
  | 'FRAME_INVALID' // the frame is malformed, or holds a message that the program does not know

export class FrameError extends PersonadError<FrameErrorCode> {
  override readonly name = 'FrameError'
}

/** The largest frames of one program, without the two lengths. */
export interface FrameLimits {
  /** At most {@link MAX_HEAD_BYTES}. */
  readonly maxHeadBytes: number
  readonly maxBodyBytes: number
}

/** A message and its bytes. The head says what the bytes are. */
export interface Framed<T> {
  readonly message: T
  readonly body: Uint8Array
}

export const MAX_HEAD_BYTES = 65_535 // format: the length of the head has two bytes
const LENGTH_BYTES = 4
const HEAD_LENGTH_BYTES = 2
const NO_BODY = new Uint8Array()

/**
 * Encodes one message as a frame.
 * @param message any value of JSON
 * @throws {FrameError} FRAME_TOO_LARGE
 */
export function encodeFrame(message: unknown, limits: FrameLimits, body: Uint8Array = NO_BODY): Uint8Array {
  const head = Buffer.from(JSON.stringify(message))
  if (head.length > limits.maxHeadBytes) throw tooLarge('head', head.length, limits.maxHeadBytes)
  if (body.length > limits.maxBodyBytes) throw tooLarge('body', body.length, limits.maxBodyBytes)
  const frame = Buffer.alloc(LENGTH_BYTES + HEAD_LENGTH_BYTES + head.length + body.length)
  frame.writeUInt32BE(frame.length - LENGTH_BYTES)
  frame.writeUInt16BE(head.length, LENGTH_BYTES)
  frame.set(head, LENGTH_BYTES + HEAD_LENGTH_BYTES)
  frame.set(body, frame.length - body.length)
  return frame
}

/** Holds what is written until the end of this turn of the event loop: it then goes in one piece, and the reader wakes once. */
export function holdForTurn(output: Writable): void {
  if (output.writableCorked > 0) return
  output.cork()
  setImmediate(() => output.uncork())
}

/** Splits a stream into frames, however it is cut into pieces. Holds at most one frame and the last piece. */
export class FrameCutter {
  readonly #limits: FrameLimits
  #held: Buffer = Buffer.alloc(0)

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /**
   * @param piece neither kept nor changed
   * @returns the contents of all frames that are complete now
   * @throws {FrameError} FRAME_TOO_LARGE | FRAME_INVALID; the stream is unreadable afterwards
   */
  push(piece: Uint8Array): Framed<unknown>[] {
    const bytes = this.#held.length === 0 ? Buffer.from(piece) : Buffer.concat([this.#held, piece])
    const frames: Framed<unknown>[] = []
    let at = 0
    while (bytes.length - at >= LENGTH_BYTES + HEAD_LENGTH_BYTES) {
      const length = bytes.readUInt32BE(at)
      const headLength = bytes.readUInt16BE(at + LENGTH_BYTES)
      // Check the claimed lengths before waiting for so many bytes.
      this.#checkLengths(length, headLength)
      if (bytes.length - at - LENGTH_BYTES < length) break
      const headAt = at + LENGTH_BYTES + HEAD_LENGTH_BYTES
      const end = at + LENGTH_BYTES + length
      const message = parse(bytes.toString('utf8', headAt, headAt + headLength))
      // A copy, so that a kept body does not keep the frames around it.
      frames.push({ message, body: Uint8Array.from(bytes.subarray(headAt + headLength, end)) })
      at = end
    }
    this.#held = Buffer.from(bytes.subarray(at))
    return frames
  }

  #checkLengths(length: number, headLength: number): void {
    const { maxHeadBytes, maxBodyBytes } = this.#limits
    const bodyLength = length - HEAD_LENGTH_BYTES - headLength
    if (headLength > maxHeadBytes) throw tooLarge('head', headLength, maxHeadBytes)
    if (bodyLength > maxBodyBytes) throw tooLarge('body', bodyLength, maxBodyBytes)
    if (bodyLength < 0) throw new FrameError('FRAME_INVALID', 'a frame is shorter than its head')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Leave out the cause: it quotes the text.
    throw new FrameError('FRAME_INVALID', 'a frame does not hold JSON')
  }
}

function tooLarge(part: string, length: number, limit: number): FrameError {
  return new FrameError('FRAME_TOO_LARGE', `the ${part} of a frame has ${length} bytes; the limit is ${limit}`)
}
