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
const LENGTHS_BYTES = LENGTH_BYTES + HEAD_LENGTH_BYTES
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
  const frame = Buffer.alloc(LENGTHS_BYTES + head.length + body.length)
  frame.writeUInt32BE(frame.length - LENGTH_BYTES)
  frame.writeUInt16BE(head.length, LENGTH_BYTES)
  frame.set(head, LENGTHS_BYTES)
  frame.set(body, frame.length - body.length)
  return frame
}

/** Holds what is written until the end of this turn of the event loop: it then goes in one piece, and the reader wakes once. */
export function holdForTurn(output: Writable): void {
  if (output.writableCorked > 0) return
  output.cork()
  setImmediate(() => output.uncork())
}

/** Splits a stream into frames, however it is cut into pieces. Holds at most one frame, and copies each byte once. */
export class FrameCutter {
  readonly #limits: FrameLimits
  /** The two lengths, or the rest of a frame, as far as {@link #filled} says. */
  #part: Uint8Array<ArrayBuffer> = new Uint8Array(LENGTHS_BYTES)
  #filled = 0
  /** Null while the lengths come. */
  #headLength: number | null = null

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /**
   * @param piece neither kept nor changed
   * @returns the contents of all frames that are complete now
   * @throws {FrameError} FRAME_TOO_LARGE | FRAME_INVALID; the stream is unreadable afterwards
   */
  push(piece: Uint8Array): Framed<unknown>[] {
    const frames: Framed<unknown>[] = []
    for (let at = 0; at < piece.length;) {
      const taken = piece.subarray(at, at + this.#part.length - this.#filled)
      this.#part.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled === this.#part.length && this.#headLength === null) this.#begin()
      if (this.#filled === this.#part.length && this.#headLength !== null) frames.push(this.#end(this.#headLength))
    }
    return frames
  }

  #begin(): void {
    const lengths = new DataView(this.#part.buffer)
    const [length, headLength] = [lengths.getUint32(0), lengths.getUint16(LENGTH_BYTES)]
    // Check the claimed lengths before there is room for so many bytes.
    this.#checkLengths(length, headLength)
    this.#expect(length - HEAD_LENGTH_BYTES, headLength)
  }

  #end(headLength: number): Framed<unknown> {
    const message = parse(Buffer.from(this.#part.buffer, 0, headLength).toString())
    const body = this.#part.subarray(headLength)
    this.#expect(LENGTHS_BYTES, null)
    return { message, body }
  }

  #expect(bytes: number, headLength: number | null): void {
    this.#part = new Uint8Array(bytes)
    this.#filled = 0
    this.#headLength = headLength
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
